package access

import "fmt"

// deputyProbes are the warnings of roles of another owner that are assumed without an ExternalId. They fail nothing.
func deputyProbes(r reading) (probes []Probe) {
	for _, name := range r.unguarded() {
		arn := r.c.Roles[name].ARN
		probes = append(probes, Probe{
			Mapping: r.m.Name, Feature: FeatureCredentials, Action: actionAssume, Resource: arn, Outcome: OutcomeWarning,
			Error: fmt.Sprintf("the role of account %s is %s", accountOf(arn), deputyWhy),
			Causes: []Cause{{
				Kind: CauseConfiguration, Side: Consumer, Target: "roles." + name + ".external_id", Confidence: Certain, Why: deputyFix(name),
			}},
		})
	}
	return probes
}
