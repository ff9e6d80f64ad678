package doctor

import (
	"fmt"

	"syncd/internal/access"
)

// deputyProbes are the warnings of roles of another owner that are assumed without an ExternalId. They fail nothing.
func deputyProbes(r access.View) (probes []Probe) {
	for _, name := range r.WithoutExternalID() {
		arn := r.Config.Roles[name].ARN
		probes = append(probes, Probe{
			Mapping: r.Mapping.Name, Feature: FeatureCredentials, Action: access.ActionAssume, Resource: arn, Outcome: OutcomeWarning,
			Error: fmt.Sprintf("the role of account %s is %s", access.AccountOf(arn), access.DeputyWhy),
			Causes: []Cause{{
				Kind: CauseConfiguration, Side: access.Consumer, Target: "roles." + name + ".external_id", Confidence: Certain, Why: access.DeputyFix(name),
			}},
		})
	}
	return probes
}
