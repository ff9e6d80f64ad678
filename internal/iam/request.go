package iam

// Caller is who makes a request: a user, a role session, a root user, an AWS service, or with the
// zero value somebody anonymous.
type Caller struct {
	ARN     string // of the user, or arn:aws:sts::A:assumed-role/ROLE/SESSION, or arn:aws:iam::A:root
	RoleARN string // the role's IAM ARN, path included, of a session; else ""
	Account string // 12 digits; "" of a service and of somebody anonymous
	Root    bool   // the account's root user
	Service string // the principal of an AWS service, like "logging.s3.amazonaws.com"; else ""
}

// Request is what the caller wants to do.
type Request struct {
	Caller   Caller
	Action   string // "s3:GetObject"
	Resource string // ARN
	Account  string // the account that owns the resource; "" for the caller's own
	// Context holds the condition keys. They are looked up without regard to case, and none may be
	// there twice in different case. What follows from the rest of the request is added where
	// absent: aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalType, aws:PrincipalIsAWSService,
	// aws:PrincipalServiceName, aws:username, aws:ResourceAccount; aws:userid of a root user and of
	// nobody.
	Context map[string][]string
}

// ResourceKind says which rules a resource policy follows.
type ResourceKind int

// The kinds of policy. Identity is a kind for [Document.CheckKind] only.
const (
	Bucket ResourceKind = iota
	Key                 // nothing is allowed that the key policy does not allow, or hand over to the owner's identity policies
	Trust               // likewise; and the statements have no Resource, it is the role itself
	Queue
	Identity
)

// Policies is everything that has a say about a request.
type Policies struct {
	Identity []*Document // the caller's identity policies; nil for none
	Boundary *Document   // the caller's permissions boundary; nil for none
	Session  []*Document // the session's policies; nil for none
	Resource *Document   // the bucket, key or queue policy, or the role's trust policy; nil for none
	Kind     ResourceKind
	// ServiceControl is of the caller's account, ResourceControl of the resource's. One of each
	// must allow; nil when not in force. They are those of one level of the organization: of
	// several levels, each with its own allow list, give the tightest.
	ServiceControl, ResourceControl []*Document
}
