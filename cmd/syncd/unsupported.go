package main

import (
	"errors"
	"fmt"

	"syncd/config"
)

// refuseUnsupported names every setting in force that this version does not carry out. A setting is refused rather than
// ignored: whoever caps a rate or turns deletes on must not believe that it happens.
func refuseUnsupported(c *config.Config, m config.Mapping) error {
	var faults []error
	refuse := func(in bool, path, instead string) {
		if in {
			faults = append(faults, fmt.Errorf("%s is not supported by this version: %s", path, instead))
		}
	}
	refuse(m.Delete.Enabled, "delete.enabled", "leave it off; copies of objects that are gone are kept")
	refuse(m.Limits.CostUSD > 0, "limits.cost_usd", "leave it out, and cap requests and bytes per second instead")
	refuse(m.Copy.Checksum == config.ChecksumOff, "copy.checksum off", "leave it at verify")
	for name := c.Checkpoint.Role; name != ""; name = c.Roles[name].Via {
		refuse(c.Roles[name].SessionPolicy == config.SessionPolicyScoped, "roles."+name+".session_policy scoped",
			"it is written for one mapping, and checkpoint.role serves all; give the state a role of its own with none")
	}
	if err := errors.Join(faults...); err != nil {
		return &usageError{err}
	}
	return nil
}
