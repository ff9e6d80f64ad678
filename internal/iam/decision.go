package iam

// Source is a type of policy, as named in AWS's messages ("Troubleshoot access denied error
// messages").
type Source string

// The policy types that can decide a request.
const (
	SourceIdentity        Source = "identity-based policy"
	SourceResource        Source = "resource-based policy"
	SourceSession         Source = "session policy"
	SourceBoundary        Source = "permissions boundary"
	SourceServiceControl  Source = "service control policy"
	SourceResourceControl Source = "resource control policy"
	SourceTrust           Source = "role trust policy"
)

// Decision is whether a request is allowed, and why.
type Decision struct {
	Allowed  bool
	Explicit bool // an explicit deny decided
	// Source is the policy type that decided. If access is allowed, it is the resource policy if
	// that alone was enough or the access is cross-account, otherwise the identity policy. If
	// access is denied, it is the policy type that AWS's message would name.
	Source Source
	// Statement is the statement of Document that decided. Statement and Document are nil for an
	// implicit deny, and for the root user, who needs no policy.
	Statement *Statement
	Document  *Document
	// Missing lists, for an implicit deny, every policy type that must allow the request but does
	// not. The first one is Source.
	Missing []Source
	// Action is the action of the request, and Kind the kind of the resource policy. CrossAccount
	// is false only if the caller belongs to the account that owns the resource.
	Action       string
	Kind         ResourceKind
	CrossAccount bool
}

// Reason returns the end of AWS's message: "because no identity-based policy allows the
// s3:GetObject action", or "with an explicit deny in a resource-based policy". It returns "" if
// access is allowed. If a key policy denies access from another account, it returns KMS's message,
// which does not reveal whether the key exists.
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
