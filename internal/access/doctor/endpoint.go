package doctor

import (
	"maps"
	"slices"

	"syncd/internal/access"
	"syncd/internal/creds"
	"syncd/internal/endpoint"
)

// exposedProbes returns warnings about configured endpoints without TLS. They are not failures,
// because the configuration names the endpoints explicitly.
func exposedProbes(v access.View) (probes []Probe) {
	roles := v.Config.AssumedRoles(v.Mapping)
	endpoints := map[string]bool{}
	for _, s := range v.Config.Sides(v.Mapping) {
		endpoints[s.EndpointURL] = true
		for _, name := range v.Config.Chain(s.Role) {
			endpoints[roles[name].EndpointURL] = true
		}
	}
	for _, at := range slices.Sorted(maps.Keys(endpoints)) {
		if endpoint.Exposed(at) {
			probes = append(probes, endpointWarning(v.Mapping.Name, at, "requests to this endpoint can be read and changed on the way", "use https://"))
		}
	}
	return probes
}

// foundProbes returns warnings about endpoints that the environment or a profile sets. Requests for
// which the configuration names no endpoint go to these endpoints instead of to AWS.
func foundProbes(mapping string, set *creds.Set) (probes []Probe) {
	found := set.Environment()
	for _, service := range slices.Sorted(maps.Keys(found)) {
		probes = append(probes, endpointWarning(mapping, found[service], "the environment or a profile sets it as the endpoint for "+service+"; it is used instead of AWS if the configuration names no endpoint",
			"set it in the configuration, or unset AWS_ENDPOINT_URL and similar variables"))
	}
	return probes
}

// clockProbes returns a warning if the clock is wrong. Requests still work, because the SDK
// corrects their timestamps.
func clockProbes(mapping string, set *creds.Set) []Probe {
	ahead, ok := set.Skew()
	if !ok || !creds.Skewed(ahead) {
		return nil
	}
	return []Probe{{
		Mapping: mapping, Feature: FeatureClock, Action: "clock", Outcome: OutcomeWarning, Error: creds.ClockWarning(ahead),
		Causes: []Cause{{
			Kind: CauseClock, Side: access.Consumer, Confidence: Certain,
			Why: "set the clock and keep it synchronized with NTP: AWS rejects requests signed with a time more than 15 minutes off, and each client corrects its time only after one rejected request",
		}},
	}}
}

func endpointWarning(mapping, endpoint, problem, fix string) Probe {
	return Probe{
		Mapping: mapping, Feature: FeatureConnection, Action: "endpoint", Resource: endpoint, Outcome: OutcomeWarning, Error: problem,
		Causes: []Cause{{Kind: CauseConfiguration, Side: access.Consumer, Target: "endpoint_url", Confidence: Certain, Why: fix}},
	}
}
