// Package iam is the AWS policy language: documents as types, strict parsing, and evaluation that
// says why.
//
// It promises that [Evaluate] comes to the answer AWS comes to, for one request and every policy
// that has a say in it: identity policies, a resource policy (of a bucket, a key, a queue, or the
// trust policy of a role), session policies, a permissions boundary and the policies of an
// organization. The [Decision] names the policy type and the statement that decided, and
// [Decision.Reason] is the tail of AWS's own error message.
//
// It leaves to others what is not in a policy: who the caller is and which context keys a request
// carries, block public access and object ownership, which operations a service refuses to foreign
// accounts, and whether a named principal exists.
//
// Words to know. A caller acts in an account; the resource belongs to one; when they differ the
// access is cross-account and both accounts must allow it. An explicit deny is a Deny statement
// that matches; an implicit deny is nobody allowing. A grant is an Allow statement of a resource
// policy, and how it names the caller (account, role, session, user, everyone) decides what it
// bypasses.
//
// A [Document] is not changed by this package once it is built: any number of goroutines may
// evaluate against it.
package iam

// The two versions of the policy language. A document without one has the rules of [Version2008].
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

// Effect is what a statement does with a request that it matches.
type Effect string

// The effects of a statement.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Statement is one rule: an effect, and what a request must look like for it to apply.
type Statement struct {
	SID    string
	Effect Effect
	// Principals and NotPrincipals are empty in identity policies.
	Principals, NotPrincipals []Principal
	// Actions are service:name globs without regard to case, Resources ARN globs with it.
	Actions, NotActions, Resources, NotResources []string
	// Conditions must all hold.
	Conditions []Condition
	// Line is where the statement starts in the text it was parsed from, from 1; 0 in a document
	// built in code.
	Line int
}

// PrincipalKind says what the identifier of a [Principal] identifies.
type PrincipalKind string

// The kinds of principal. Only the first three can match a [Caller].
const (
	AnyPrincipal           PrincipalKind = "*" // everyone, anonymous requests too; the ID is empty
	AWSPrincipal           PrincipalKind = "AWS"
	ServicePrincipal       PrincipalKind = "Service"
	FederatedPrincipal     PrincipalKind = "Federated"
	CanonicalUserPrincipal PrincipalKind = "CanonicalUser"
)

// Principal names who a statement of a resource policy is about. An AWS principal's ID is an
// account id, an ARN in full, or "*".
type Principal struct {
	Kind PrincipalKind
	ID   string
}

// Condition is one test on one context key: the request's value against any of Values, by Operator
// ("StringEquals", "ForAnyValue:StringLikeIfExists").
type Condition struct {
	Operator, Key string
	Values        []string
}
