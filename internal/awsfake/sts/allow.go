package sts

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/form"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// allowAssumption checks every action that the call requires: sts:AssumeRole itself, sts:TagSession
// if tags are passed or inherited, and sts:SetSourceIdentity if the call or the caller's session
// has a source identity.
func (q *request) allowAssumption(a *assumption) error {
	inherited := q.inherited()
	for key := range a.tags {
		if wire.ContainsFold(slices.Collect(maps.Keys(inherited)), key) {
			return wire.Refuse(http.StatusBadRequest, "InvalidParameterValue",
				"One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
	}
	if q.Caller.SourceIdentity != "" && a.sourceIdentity != "" && a.sourceIdentity != q.Caller.SourceIdentity {
		return q.denyAssumption("sts:SetSourceIdentity", a.role.ARN)
	}
	actions := []string{"sts:AssumeRole"}
	if len(a.tags)+len(inherited) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if a.sourceIdentity != "" || q.Caller.SourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	var trust *iam.Document
	q.Cloud.Directory.View(func() { trust = a.role.Trust })
	for _, action := range actions {
		d := q.Decide(core.Question{
			Action: action, Resource: a.role.ARN, Account: a.role.Account.ID(),
			Kind: iam.Trust, Policy: trust, Context: q.assumptionFacts(a, action),
		})
		if !d.Allowed {
			return q.denyAssumption(action, a.role.ARN)
		}
	}
	return nil
}

// assumptionFacts returns the context keys of one action. sts:ExternalId is present only for
// sts:AssumeRole; the tags are present for sts:AssumeRole and sts:TagSession ("IAM and AWS STS
// condition context keys").
func (q *request) assumptionFacts(a *assumption, action string) map[string][]string {
	f := map[string][]string{"sts:RoleSessionName": {a.name}}
	if action == "sts:AssumeRole" && a.externalID != "" {
		f["sts:ExternalId"] = []string{a.externalID}
	}
	if identity := cmp.Or(a.sourceIdentity, q.Caller.SourceIdentity); identity != "" {
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

func (q *request) checkDuration(a *assumption) error {
	switch {
	case a.duration < minSession || a.duration > 12*time.Hour:
		return form.ErrConstraint("durationSeconds", strconv.Itoa(int(a.duration.Seconds())))
	case q.Caller.Role != nil && a.duration > maxChained:
		return form.ErrValidation("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case a.duration > a.role.MaxSession:
		return form.ErrValidation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return nil
}
