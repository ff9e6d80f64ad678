package awsfake

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"syncd/internal/iam"
)

// allowAssumption asks for every action that the call amounts to: sts:AssumeRole itself, sts:TagSession
// when tags are passed or inherited, sts:SetSourceIdentity when there is one or the caller's sticks.
func (q *stsRequest) allowAssumption(a *assumption) error {
	inherited := q.inherited()
	for key := range a.tags {
		if containsFold(slices.Collect(maps.Keys(inherited)), key) {
			return refuse(http.StatusBadRequest, "InvalidParameterValue",
				"One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
	}
	if q.caller.sourceIdentity != "" && a.sourceIdentity != "" && a.sourceIdentity != q.caller.sourceIdentity {
		return q.denyAssumption("sts:SetSourceIdentity", a.role.ARN)
	}
	actions := []string{"sts:AssumeRole"}
	if len(a.tags)+len(inherited) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if a.sourceIdentity != "" || q.caller.sourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	var trust *iam.Document
	q.cloud.directory.view(func() { trust = a.role.trust })
	for _, action := range actions {
		d := q.decide(question{
			action: action, resource: a.role.ARN, account: a.role.account.ID(),
			kind: iam.Trust, policy: trust, context: q.assumptionFacts(a, action),
		})
		if !d.Allowed {
			return q.denyAssumption(action, a.role.ARN)
		}
	}
	return nil
}

// assumptionFacts are the context keys of one of the actions: sts:ExternalId is there for
// sts:AssumeRole only, the tags for it and sts:TagSession ("IAM and AWS STS condition context keys").
func (q *stsRequest) assumptionFacts(a *assumption, action string) map[string][]string {
	f := map[string][]string{"sts:RoleSessionName": {a.name}}
	if action == "sts:AssumeRole" && a.externalID != "" {
		f["sts:ExternalId"] = []string{a.externalID}
	}
	if identity := cmp.Or(a.sourceIdentity, q.caller.sourceIdentity); identity != "" {
		f["sts:SourceIdentity"] = []string{identity}
	}
	if action == "sts:SetSourceIdentity" {
		return f
	}
	tags := maps.Clone(q.inherited())
	maps.Copy(tags, a.tags)
	for k, v := range tags {
		f["aws:RequestTag/"+k] = []string{v}
	}
	if len(tags) > 0 {
		f["aws:TagKeys"] = slices.Sorted(maps.Keys(tags))
	}
	if len(a.transitive) > 0 {
		f["sts:TransitiveTagKeys"] = a.transitive
	}
	return f
}

func (q *stsRequest) checkDuration(a *assumption) error {
	switch {
	case a.duration < minSession || a.duration > 12*time.Hour:
		return errConstraint("durationSeconds", strconv.Itoa(int(a.duration.Seconds())))
	case q.caller.role != nil && a.duration > maxChained:
		return errValidation("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case a.duration > a.role.maxSession:
		return errValidation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return nil
}
