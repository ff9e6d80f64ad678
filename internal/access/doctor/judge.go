package doctor

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/awserr"
)

// judge determines the outcome for each permission from the evidence.
type judge struct {
	evidence *evidence
	explain  *explainer
}

// result returns the probes in others, followed by the probes that the evidence yields.
func (j *judge) result(others []Probe) []Probe {
	for _, a := range j.evidence.attempts {
		j.addUnlisted(a)
	}
	probes := slices.Clone(others)
	for _, k := range j.evidence.asks {
		if !k.narrowed || j.evidence.tried(k) {
			probes = append(probes, j.permission(k))
		}
	}
	for _, a := range j.evidence.attempts {
		if a.err != nil && len(a.suspects()) == 0 {
			probes = append(probes, j.unexplained(a))
		}
	}
	return probes
}

// addUnlisted adds an ask for an action that a denial names but that is not among the asks of the
// attempt. An example is sts:TagSession for a session that inherits tags from the ambient
// credentials.
func (j *judge) addUnlisted(a *attempt) {
	if a.err == nil || a.said.action == "" || len(a.asks) == 0 || len(a.suspects()) > 0 {
		return
	}
	k := &ask{Need: a.asks[0].Need}
	k.Action, k.ExternalID, k.Conditions = a.said.action, false, nil
	if strings.HasPrefix(k.Action, "kms:") && !k.On.IsKey() {
		side, _, _ := strings.Cut(string(k.On), " ")
		at := j.evidence.view.Scope(access.Resource(side + " key"))
		k.On, k.Resource, k.Owner, k.Conditions = at.On, cmp.Or(at.Key, a.said.resource, at.Pattern), at.Owner, at.Conditions(k.Action)
	}
	a.asks = append(a.asks, k)
	j.evidence.asks = append(j.evidence.asks, k)
}

// permission returns the verdict on one permission, based on the most informative of the requests
// that tested it.
func (j *judge) permission(k *ask) Probe {
	probe := probeOf(k.Need)
	probe.Objects = k.objects
	var worst *attempt
	for _, a := range j.evidence.attempts {
		switch {
		case !slices.Contains(a.asks, k):
		case a.err == nil:
			probe.Request = cmp.Or(probe.Request, a.request)
		case slices.Contains(a.suspects(), k) && (worst == nil || a.moreInformative(worst)):
			worst = a
		}
	}
	switch {
	case worst != nil && (!k.proven || worst.said.action != ""):
		probe.Request, probe.Error = worst.request, awserr.Brief(worst.err)
		probe.Outcome = worst.outcome()
		probe.Causes = j.explain.causes(k, worst)
	case k.proven:
		probe.Outcome = OutcomeOK
	default:
		probe.Outcome, probe.Error = OutcomeSkipped, cmp.Or(k.excused, j.evidence.blocked[k.Role], "no request tested this permission")
	}
	return probe
}

// moreInformative reports whether a denial is more informative than another. A denial with a reason
// is more informative than one without, and one with few suspects is more informative than one with
// many.
func (a *attempt) moreInformative(than *attempt) bool {
	if wordy := a.said.action != ""; wordy != (than.said.action != "") {
		return wordy
	}
	return len(a.suspects()) < len(than.suspects())
}

// unexplained returns the probe for a request that failed although other requests proved all its
// permissions.
func (j *judge) unexplained(a *attempt) Probe {
	probe := Probe{
		Mapping: j.evidence.view.Mapping.Name, Feature: FeatureRequest, Action: a.request, Request: a.request,
		Outcome: a.outcome(), Error: awserr.Brief(a.err),
	}
	k := &ask{}
	if len(a.asks) > 0 {
		k = a.asks[len(a.asks)-1]
		probe.Resource, probe.Principal = k.Resource, cmp.Or(k.Principal, k.Role)
	}
	probe.Causes = j.explain.causes(k, a)
	return probe
}

func (a *attempt) outcome() Outcome {
	if errors.Is(a.err, errInconclusive) {
		return OutcomeUnknown
	}
	switch a.class { //nolint:exhaustive // all other classes are failures
	case awserr.Denied:
		return OutcomeDenied
	case awserr.Throttled, awserr.ThrottledKMS, awserr.Canceled, awserr.Unsupported:
		return OutcomeUnknown
	default:
		return OutcomeFailed
	}
}
