package doctor

import (
	"fmt"

	"syncd/internal/access"
	"syncd/internal/arn"
)

// deputyProbes returns warnings about roles of another owner that are assumed without an
// ExternalId. The warnings are not failures.
func deputyProbes(v access.View) (probes []Probe) {
	for _, name := range v.WithoutExternalID() {
		role := v.Config.Roles[name].ARN
		probes = append(probes, Probe{
			Mapping: v.Mapping.Name, Feature: FeatureCredentials, Action: access.ActionAssume, Resource: role, Outcome: OutcomeWarning,
			Error: fmt.Sprintf("the role of account %s is %s", arn.Account(role), access.DeputyWhy),
			Causes: []Cause{{
				Kind: CauseConfiguration, Side: access.Consumer, Target: "roles." + name + ".external_id", Confidence: Certain, Why: access.DeputyFix(name),
			}},
		})
	}
	return probes
}
