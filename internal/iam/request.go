package iam

// Caller is the principal that makes a request: a user, a role session, a root user, or an AWS
// service. The zero Caller is anonymous.
type Caller struct {
	ARN     string // ARN of the user, or arn:aws:sts::A:assumed-role/ROLE/SESSION, or arn:aws:iam::A:root
	RoleARN string // for a session, the role's IAM ARN including its path; otherwise ""
	Account string // 12 digits; "" for a service and an anonymous caller
	Root    bool   // the account's root user
	Service string // the principal of an AWS service, such as "logging.s3.amazonaws.com"; otherwise ""
}

// Request is one request to AWS: the action that the caller wants to perform on a resource.
type Request struct {
	Caller   Caller
	Action   string // "s3:GetObject"
	Resource string // ARN
	Account  string // the account that owns the resource; "" for the caller's account
	// Context contains the condition keys and their values. Lookups are case-insensitive, and keys
	// must not differ only in case. Keys that follow from the other fields are added if absent:
	// aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalType, aws:PrincipalIsAWSService,
	// aws:PrincipalServiceName, aws:username, aws:ResourceAccount, and aws:userid for root users
	// and anonymous callers.
	Context map[string][]string
}

// ResourceKind is the kind of a policy, which determines its rules.
type ResourceKind int

// The kinds of policies. Identity is only for [Document.CheckKind].
const (
	Bucket ResourceKind = iota
	Key                 // the key policy must allow a request, or delegate it to the owner's identity policies
	Trust               // the trust policy must allow or delegate as for Key; its statements have no Resource element, because the resource is the role itself
	Queue
	Identity
)

// Policies contains all policies that apply to a request.
type Policies struct {
	Identity []*Document // the caller's identity policies; nil for none
	Boundary *Document   // the caller's permissions boundary; nil for none
	Session  []*Document // the session's policies; nil for none
	Resource *Document   // the bucket, key or queue policy, or the role's trust policy; nil for none
	Kind     ResourceKind
	// ServiceControl contains the policies for the caller's account, and ResourceControl those for
	// the resource's account. Nil means that no such policies are in force. Otherwise at least one
	// policy of the list must allow the request. Each list represents one level of the
	// organization: if several levels have their own allow lists, pass the most restrictive list.
	ServiceControl, ResourceControl []*Document
}
