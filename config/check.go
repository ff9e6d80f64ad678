package config

import "syncd/config/fault"

// Check finds faults that [Load] cannot find by itself: settings that the program does not
// implement, or that disagree with another file. The configuration that it receives can have faults
// already.
type Check func(c *Config, r Reporter)

// Reporter collects the faults and warnings that a [Check] finds. Each path is the config path of a
// setting, such as http.web_config.
type Reporter interface {
	// Fault records a fault, which rejects the configuration. A second fault of one setting is
	// ignored.
	Fault(path, problem, hint string)
	// Warn records a warning, which does not reject the configuration.
	Warn(path, problem, hint string)
}

// Fault implements [Reporter].
func (v *validator) Fault(path, problem, hint string) { v.fault(path, problem, hint) }

// Warn implements [Reporter].
func (v *validator) Warn(path, problem, hint string) { v.warn(path, problem, hint) }

// Warnings returns the warnings about a configuration without faults, in the order of its lines.
func (c *Config) Warnings() fault.Faults { return c.warnings }
