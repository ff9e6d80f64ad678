package identity

import (
	"net/http"
	"unicode"

	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// Limits of policies, not counting white space ("IAM and AWS STS quotas", IAM User Guide).
const (
	maxRolePolicies  = 10240 // characters in all inline policies of a role
	maxUserPolicies  = 2048  // characters in all inline policies of a user
	maxManagedPolicy = 6144
	maxTrust         = 2048
	maxAttached      = 10
)

// policyDocument parses a policy of the given kind from a parameter.
func (q *request) policyDocument(parameter string, kind iam.ResourceKind) (*iam.Document, error) {
	if q.Form.Get(parameter) == "" {
		return nil, errMissing(parameter)
	}
	d, err := iam.Parse([]byte(q.Form.Get(parameter)))
	if err == nil {
		err = d.CheckKind(kind)
	}
	if err != nil {
		return nil, wire.Refuse(http.StatusBadRequest, "MalformedPolicyDocument", "%v", err)
	}
	if unknown := q.Cloud.Directory.UnknownIn(d); unknown != "" {
		return nil, wire.Refuse(http.StatusBadRequest, "MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":\"%s\"", unknown)
	}
	return d, nil
}

// length returns the number of characters of a policy that count towards the limit.
func length(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// bare returns an error if a user or role that is about to be deleted still has policies.
func bare(i *directory.Identity) error {
	switch {
	case len(i.Attached) > 0:
		return errDeleteConflict("Cannot delete entity, must detach all policies first.")
	case len(i.Inline) > 0:
		return errDeleteConflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}
