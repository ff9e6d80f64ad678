package iam

// Source is a type of policy, in the words of AWS's messages ("Troubleshoot access denied error
// messages").
type Source string

// The policy types that can decide.
const (
	SourceIdentity        Source = "identity-based policy"
	SourceResource        Source = "resource-based policy"
	SourceSession         Source = "session policy"
	SourceBoundary        Source = "permissions boundary"
	SourceServiceControl  Source = "service control policy"
	SourceResourceControl Source = "resource control policy"
	SourceTrust           Source = "role trust policy"
)

// Decision is the answer to a request, and why.
type Decision struct {
	Allowed  bool
	Explicit bool // an explicit deny decided
	// Source is the policy type that decided. Of an access that is allowed it is the resource
	// policy when that alone sufficed or the access is cross-account, else the identity policy. Of
	// one that is not, it is the one AWS's message would name.
	Source Source
	// Statement is the one that decided, within Document. Both are nil for an implicit deny, and
	// for the root user, who needs no policy.
	Statement *Statement
	Document  *Document
	// Missing lists, for an implicit deny, every policy type that would have to allow and does not.
	// The first is Source.
	Missing []Source
	// Action is the request's, Kind that of the resource policy, and CrossAccount is false only of
	// a caller of the account that owns the resource.
	Action       string
	Kind         ResourceKind
	CrossAccount bool
}

// Reason is the tail of AWS's message: "because no identity-based policy allows the s3:GetObject
// action", or "with an explicit deny in a resource-based policy"; "" when allowed. A key's policy
// that keeps another account out has the sentence with which KMS does not say whether the key
// exists.
func (d Decision) Reason() string {
	switch {
	case d.Allowed:
		return ""
	case d.Source == SourceResource && d.Kind == Key && d.CrossAccount:
		return "because the resource does not exist in this Region, no resource-based policies allow access, " +
			"or a resource-based policy explicitly denies access"
	case d.Explicit:
		return "with an explicit deny in " + d.Source.article() + " " + string(d.Source)
	}
	return "because no " + string(d.Source) + " allows the " + d.Action + " action"
}

func (s Source) article() string {
	switch s {
	case SourceIdentity:
		return "an"
	case SourceTrust:
		return "the"
	case SourceResource, SourceSession, SourceBoundary, SourceServiceControl, SourceResourceControl:
	}
	return "a"
}
