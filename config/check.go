package config

import "syncd/config/fault"

// Check looks for what [Load] cannot know by itself: settings that the program does not carry out,
// or what another file says. It may be called with a configuration that has faults.
type Check func(c *Config, r Reporter)

// Reporter takes what a [Check] finds, by the config path of the setting, as in http.web_config.
type Reporter interface {
	// Fault refuses the configuration. A setting that is at fault already gets no second fault.
	Fault(path, problem, hint string)
	// Warn accepts it, and says what somebody should look at.
	Warn(path, problem, hint string)
}

// Fault is for checks.
func (v *validator) Fault(path, problem, hint string) { v.fault(path, problem, hint) }

// Warn is for checks.
func (v *validator) Warn(path, problem, hint string) { v.warn(path, problem, hint) }

// Warnings are what somebody should look at in a configuration without faults, in the order of its
// lines.
func (c *Config) Warnings() fault.Faults { return c.warnings }
