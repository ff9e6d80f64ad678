package awsfake

import (
	"fmt"
	"net/http"

	"syncd/internal/iam"
)

const iamNamespace = "https://iam.amazonaws.com/doc/2010-05-08/"

// iamOperation is an operation of IAM: what the action is on, and what it does once that is allowed, for which it holds the directory's lock.
type iamOperation struct {
	on    func(*iamRequest) string // the ARN
	serve func(*iamRequest, *xmlWriter) error
}

// iamOperations are the operations on users, roles and policies that setting up two accounts takes. A service that asks for an account
// asks for the caller's: no request crosses accounts.
func iamOperations() map[string]iamOperation {
	role, user, policy := (*iamRequest).roleARN, (*iamRequest).userARN, (*iamRequest).policyARN
	all := func(*iamRequest) string { return "*" }
	ops := map[string]iamOperation{
		"CreateRole":                  {role, (*iamRequest).createRole},
		"GetRole":                     {role, (*iamRequest).getRole},
		"ListRoles":                   {all, (*iamRequest).listRoles},
		"UpdateRole":                  {role, (*iamRequest).updateRole},
		"UpdateAssumeRolePolicy":      {role, (*iamRequest).updateTrust},
		"DeleteRole":                  {role, (*iamRequest).deleteRole},
		"TagRole":                     {role, (*iamRequest).tagRole},
		"UntagRole":                   {role, (*iamRequest).untagRole},
		"ListRoleTags":                {role, (*iamRequest).listRoleTags},
		"ListInstanceProfilesForRole": {role, (*iamRequest).listInstanceProfiles},
		"CreateUser":                  {user, (*iamRequest).createUser},
		"GetUser":                     {user, (*iamRequest).getUser},
		"ListUsers":                   {all, (*iamRequest).listUsers},
		"DeleteUser":                  {user, (*iamRequest).deleteUser},
		"CreateAccessKey":             {user, (*iamRequest).createAccessKey},
		"ListAccessKeys":              {user, (*iamRequest).listAccessKeys},
		"DeleteAccessKey":             {user, (*iamRequest).deleteAccessKey},
		"CreatePolicy":                {policy, (*iamRequest).createPolicy},
		"GetPolicy":                   {policy, (*iamRequest).getPolicy},
		"ListPolicies":                {all, (*iamRequest).listPolicies},
		"DeletePolicy":                {policy, (*iamRequest).deletePolicy},
		"CreatePolicyVersion":         {policy, (*iamRequest).createPolicyVersion},
		"GetPolicyVersion":            {policy, (*iamRequest).getPolicyVersion},
		"ListPolicyVersions":          {policy, (*iamRequest).listPolicyVersions},
		"SetDefaultPolicyVersion":     {policy, (*iamRequest).setDefaultPolicyVersion},
		"DeletePolicyVersion":         {policy, (*iamRequest).deletePolicyVersion},
	}
	for kind, on := range map[string]func(*iamRequest) string{"Role": role, "User": user} {
		ops["Put"+kind+"Policy"] = iamOperation{on, (*iamRequest).putInlinePolicy}
		ops["Get"+kind+"Policy"] = iamOperation{on, (*iamRequest).getInlinePolicy}
		ops["Delete"+kind+"Policy"] = iamOperation{on, (*iamRequest).deleteInlinePolicy}
		ops["List"+kind+"Policies"] = iamOperation{on, (*iamRequest).listInlinePolicies}
		ops["Attach"+kind+"Policy"] = iamOperation{on, (*iamRequest).attachPolicy}
		ops["Detach"+kind+"Policy"] = iamOperation{on, (*iamRequest).detachPolicy}
		ops["ListAttached"+kind+"Policies"] = iamOperation{on, (*iamRequest).listAttachedPolicies}
		ops["Put"+kind+"PermissionsBoundary"] = iamOperation{on, (*iamRequest).putBoundary}
		ops["Delete"+kind+"PermissionsBoundary"] = iamOperation{on, (*iamRequest).deleteBoundary}
	}
	return ops
}

func (q *iamRequest) serve() (*response, error) {
	op, known := q.operations[q.operation]
	if !known {
		return nil, errNotImplemented("iam " + q.operation)
	}
	resource := op.on(q)
	if err := q.allowIAM(resource); err != nil {
		return nil, err
	}
	result := &xmlWriter{}
	var err error
	if q.cloud.directory.update(func() { err = op.serve(q, result) }); err != nil {
		return nil, err
	}
	return queryAnswer(q.operation, q.id, iamNamespace, result.bytes()), nil
}

// allowIAM authorises the operation: the caller's own policies decide, and nothing else can.
func (q *iamRequest) allowIAM(resource string) error {
	facts := map[string][]string{}
	for name, parameter := range map[string]string{"iam:PolicyARN": "PolicyArn", "iam:PermissionsBoundary": "PermissionsBoundary"} {
		if v := q.form.Get(parameter); v != "" {
			facts[name] = []string{v}
		}
	}
	if keys, tags, err := formTags(q.form); err == nil && len(keys) > 0 {
		facts["aws:TagKeys"] = keys
		for k, v := range tags {
			facts["aws:RequestTag/"+k] = []string{v}
		}
	}
	x := question{action: "iam:" + q.operation, resource: resource, account: q.caller.account.ID(), kind: iam.Bucket, context: facts}
	if d := q.decide(x); !d.Allowed {
		return refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s %s",
			q.caller.caller.ARN, x.action, q.shown(resource), d.Reason())
	}
	return nil
}

// shown is the resource as the message has it: of a listing IAM shows where in the account it looks.
func (q *iamRequest) shown(resource string) string {
	if resource != "*" {
		return resource
	}
	kind := map[string]string{"ListRoles": "role/", "ListUsers": "user/", "ListPolicies": "policy path /"}[q.operation]
	return fmt.Sprintf("arn:aws:iam::%s:%s", q.caller.account.ID(), kind)
}

// serveIAM adds IAM to the cloud.
func serveIAM(c *hub) {
	operations := iamOperations()
	c.serve(service{name: "iam", protocol: queryForm, namespace: iamNamespace, serve: func(q *request) (*response, error) {
		return (&iamRequest{q, operations}).serve()
	}})
}
