package sts

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"syncd/internal/ascii"
	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/form"
	"syncd/internal/awsfake/wire"
	"syncd/internal/awsname"
	"syncd/internal/iam"
)

// Limits of AssumeRole (AWS STS API Reference; "IAM and AWS STS quotas", IAM User Guide).
const (
	minSession       = 900 * time.Second
	maxChained       = time.Hour
	maxSessionPolicy = 2048
)

// assumption is one AssumeRole call.
type assumption struct {
	role           *directory.Role
	name           string
	externalID     string
	sourceIdentity string
	duration       time.Duration
	policyText     string
	policy         *iam.Document
	tags           map[string]string // of this call
	transitive     []string          // keys, of this call
}

func (q *request) readAssumption() (*assumption, error) {
	f := q.Form
	a := &assumption{
		name: f.Get("RoleSessionName"), externalID: f.Get("ExternalId"), sourceIdentity: f.Get("SourceIdentity"),
		duration: time.Hour, tags: map[string]string{},
	}
	if err := a.checkNames(f); err != nil {
		return nil, err
	}
	if s := f.Get("DurationSeconds"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, form.ErrValidation("Value '%s' at 'durationSeconds' failed to satisfy constraint: Member must be an integer", s)
		}
		a.duration = time.Duration(n) * time.Second
	}
	a.policyText = f.Get("Policy")
	if err := a.readPolicy(a.policyText); err != nil {
		return nil, err
	}
	if f.Get("PolicyArns.member.1.arn") != "" {
		return nil, wire.ErrNotImplemented("AssumeRole with PolicyArns")
	}
	if err := a.readTags(f); err != nil {
		return nil, err
	}
	q.Cloud.Directory.View(func() { a.role = q.Cloud.Directory.Roles[f.Get("RoleArn")] })
	if a.role == nil { // the same error as for a trust policy that denies the call
		return nil, q.denyAssumption("sts:AssumeRole", f.Get("RoleArn"))
	}
	return a, nil
}

func (a *assumption) checkNames(f url.Values) error {
	const word = awsname.IdentityCharacters
	if !ascii.Word(a.name, word) || len(a.name) < 2 || len(a.name) > 64 {
		return form.ErrConstraint("roleSessionName", a.name)
	}
	if f.Has("ExternalId") && (!ascii.Word(a.externalID, word+":/") || len(a.externalID) < 2 || len(a.externalID) > 1224) {
		return form.ErrConstraint("externalId", "")
	}
	if f.Has("SourceIdentity") && (!ascii.Word(a.sourceIdentity, word) || len(a.sourceIdentity) < 2 || len(a.sourceIdentity) > 64 ||
		strings.HasPrefix(strings.ToLower(a.sourceIdentity), "aws:")) {
		return form.ErrConstraint("sourceIdentity", a.sourceIdentity)
	}
	return nil
}

func (a *assumption) readPolicy(text string) error {
	if text == "" {
		return nil
	}
	if len(text) > maxSessionPolicy {
		return form.ErrValidation("1 validation error detected: Value at 'policy' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxSessionPolicy)
	}
	d, err := iam.Parse([]byte(text))
	if err == nil {
		err = d.CheckKind(iam.Identity)
	}
	if err != nil {
		return wire.Refuse(http.StatusBadRequest, "MalformedPolicyDocument", "%v", err)
	}
	a.policy = d
	return nil
}

func (a *assumption) readTags(f url.Values) (err error) {
	var keys []string
	if keys, a.tags, err = form.Tags(f); err != nil {
		return err
	}
	a.transitive = form.Members(f, "TransitiveTagKeys")
	for _, key := range a.transitive {
		if !wire.ContainsFold(keys, key) {
			return wire.Refuse(http.StatusBadRequest, "InvalidParameterValue",
				"The specified transitive tag key must be included in the requested tags.")
		}
	}
	return nil
}
