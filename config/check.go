package config

import "syncd/config/fault"

// Check finds faults that [Load] cannot find by itself: settings that the program does not
// implement, or that disagree with another file. It may be called with a configuration that has
// faults.
type Check func(c *Config, r Reporter)

// Reporter collects what a [Check] finds, by the config path of the setting, as in http.web_config.
type Reporter interface {
	// Fault rejects the configuration. A setting that already has a fault gets no second one.
	Fault(path, problem, hint string)
	// Warn accepts the configuration with a warning.
	Warn(path, problem, hint string)
}

// Fault implements [Reporter].
func (v *validator) Fault(path, problem, hint string) { v.fault(path, problem, hint) }

// Warn implements [Reporter].
func (v *validator) Warn(path, problem, hint string) { v.warn(path, problem, hint) }

// Warnings returns the warnings about a configuration without faults, in the order of its lines.
func (c *Config) Warnings() fault.Faults { return c.warnings }
