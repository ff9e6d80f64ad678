package invocation

import (
	"fmt"

	"syncd/config"
)

// refuseUnsupported rejects settings that this version does not implement. If syncd ignored them, a
// user who caps the cost would believe that the setting has an effect.
func refuseUnsupported(c *config.Config, r config.Reporter) {
	refuse := func(in bool, path, problem, instead string) {
		if in {
			r.Fault(path, problem+" is not supported by this version", instead)
		}
	}
	for i, m := range c.Mappings {
		at := fmt.Sprintf("mappings[%d].", i)
		refuse(m.Limits.CostUSD > 0, at+"limits.cost_usd", "a cap on cost", "leave it out, and cap requests and bytes per second instead")
		refuse(m.Copy.Checksum == config.ChecksumOff, at+"copy.checksum", "off", "leave it at verify")
	}
	for _, name := range c.Chain(c.Checkpoint.Role) {
		refuse(c.Roles[name].SessionPolicy == config.SessionPolicyScoped, "roles."+name+".session_policy", "scoped for the role of the state",
			"a scoped session policy is for one mapping, but checkpoint.role serves all mappings; use a separate role for the state, with session_policy: none")
	}
}
