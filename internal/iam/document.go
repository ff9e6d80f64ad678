// Package iam implements the AWS policy language: types for documents, strict parsing, and
// evaluation with reasons.
//
// [Evaluate] makes the same decision as AWS, for one request and all policies that apply to it:
// identity policies, a resource policy (of a bucket, a key or a queue, or the trust policy of a
// role), session policies, a permissions boundary and the policies of an organization. The
// [Decision] names the policy type and the statement that decided, and [Decision.Reason] returns
// the end of AWS's own error message.
//
// The package covers only policies. It does not determine who the caller is, which context keys a
// request has, which operations a service denies to other accounts, or whether a principal exists,
// and it does not evaluate Block Public Access and Object Ownership.
//
// Terms: a caller and a resource each belong to an account; if the two accounts differ, the access
// is cross-account and both accounts must allow it. An explicit deny is a matching Deny statement;
// an implicit deny means that no statement allows the request. A grant is an Allow statement of a
// resource policy; how it names the caller (account, role, session, user, everyone) determines
// which policies it bypasses.
//
// This package does not modify a [Document] after creating it, so any number of goroutines can use
// the document.
package iam

// The versions of the policy language. A document without a version follows the rules of
// [Version2008].
const (
	Version2012 = "2012-10-17" // policy variables are replaced
	Version2008 = "2008-10-17" // policy variables are plain text
)

// Document is one policy.
type Document struct {
	Version    string // [Version2012], [Version2008] or ""
	ID         string
	Statements []Statement
}

// Effect is what a statement does with a matching request.
type Effect string

// The effects of a statement.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Statement is one rule: an effect, and the requests that it applies to.
type Statement struct {
	SID    string
	Effect Effect
	// Principals and NotPrincipals are empty in identity policies.
	Principals, NotPrincipals []Principal
	// Actions are case-insensitive globs of service:name, and Resources case-sensitive globs of
	// ARNs.
	Actions, NotActions, Resources, NotResources []string
	// Conditions must all hold.
	Conditions []Condition
	// Line is the line where the statement starts in the parsed text, counted from 1. It is 0 in a
	// document built in code.
	Line int
}

// PrincipalKind is what the ID of a [Principal] identifies.
type PrincipalKind string

// The kinds of principal. Only the first three can match a [Caller].
const (
	AnyPrincipal           PrincipalKind = "*" // everyone, including anonymous callers; the ID is empty
	AWSPrincipal           PrincipalKind = "AWS"
	ServicePrincipal       PrincipalKind = "Service"
	FederatedPrincipal     PrincipalKind = "Federated"
	CanonicalUserPrincipal PrincipalKind = "CanonicalUser"
)

// Principal identifies callers that a statement of a resource policy applies to. The ID of an AWS
// principal is an account ID, a full ARN, or "*".
type Principal struct {
	Kind PrincipalKind
	ID   string
}

// Condition is a test of one context key: Operator ("StringEquals",
// "ForAnyValue:StringLikeIfExists") compares the request's value with each of Values.
type Condition struct {
	Operator, Key string
	Values        []string
}
