// Package identity implements IAM's operations on users, roles and managed policies.
//
// It implements the operations that are needed to set up the account of an owner and of a consumer,
// with IAM's limits and errors. Changes apply to the next authorisation at once. The state is in
// package directory, and each call runs under the directory's lock. Groups, instance profiles and
// the other operations of IAM are not implemented; the error names the operation.
//
// Terms: a holder is a user or role with policies. A managed policy exists on its own and can be
// attached to holders; an inline policy belongs to one holder.
package identity

import (
	"net/http"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/form"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

const namespace = "https://iam.amazonaws.com/doc/2010-05-08/"

// operation is an IAM operation: the resource of its action, and its handler, which runs under the
// directory's lock.
type operation struct {
	on    func(*request) string // the ARN
	serve func(*request, *wire.XML) error
}

// operations returns the operations on users, roles and policies that are needed to set up the
// account of an owner and of a consumer. Every operation works on the caller's account, because IAM
// requests never cross accounts.
func operations() map[string]operation {
	role, user, policy := (*request).roleARN, (*request).userARN, (*request).policyARN
	all := func(*request) string { return "*" }
	ops := map[string]operation{
		"CreateRole":                  {role, (*request).createRole},
		"GetRole":                     {role, (*request).getRole},
		"ListRoles":                   {all, (*request).listRoles},
		"UpdateRole":                  {role, (*request).updateRole},
		"UpdateAssumeRolePolicy":      {role, (*request).updateTrust},
		"DeleteRole":                  {role, (*request).deleteRole},
		"TagRole":                     {role, (*request).tagRole},
		"UntagRole":                   {role, (*request).untagRole},
		"ListRoleTags":                {role, (*request).listRoleTags},
		"ListInstanceProfilesForRole": {role, (*request).listInstanceProfiles},
		"CreateUser":                  {user, (*request).createUser},
		"GetUser":                     {user, (*request).getUser},
		"ListUsers":                   {all, (*request).listUsers},
		"DeleteUser":                  {user, (*request).deleteUser},
		"CreateAccessKey":             {user, (*request).createAccessKey},
		"ListAccessKeys":              {user, (*request).listAccessKeys},
		"DeleteAccessKey":             {user, (*request).deleteAccessKey},
		"CreatePolicy":                {policy, (*request).createPolicy},
		"GetPolicy":                   {policy, (*request).getPolicy},
		"ListPolicies":                {all, (*request).listPolicies},
		"DeletePolicy":                {policy, (*request).deletePolicy},
		"CreatePolicyVersion":         {policy, (*request).createPolicyVersion},
		"GetPolicyVersion":            {policy, (*request).getPolicyVersion},
		"ListPolicyVersions":          {policy, (*request).listPolicyVersions},
		"SetDefaultPolicyVersion":     {policy, (*request).setDefaultPolicyVersion},
		"DeletePolicyVersion":         {policy, (*request).deletePolicyVersion},
	}
	for kind, on := range map[string]func(*request) string{"Role": role, "User": user} {
		ops["Put"+kind+"Policy"] = operation{on, (*request).putInlinePolicy}
		ops["Get"+kind+"Policy"] = operation{on, (*request).getInlinePolicy}
		ops["Delete"+kind+"Policy"] = operation{on, (*request).deleteInlinePolicy}
		ops["List"+kind+"Policies"] = operation{on, (*request).listInlinePolicies}
		ops["Attach"+kind+"Policy"] = operation{on, (*request).attachPolicy}
		ops["Detach"+kind+"Policy"] = operation{on, (*request).detachPolicy}
		ops["ListAttached"+kind+"Policies"] = operation{on, (*request).listAttachedPolicies}
		ops["Put"+kind+"PermissionsBoundary"] = operation{on, (*request).putBoundary}
		ops["Delete"+kind+"PermissionsBoundary"] = operation{on, (*request).deleteBoundary}
	}
	return ops
}

func (q *request) serve(operations map[string]operation) (*wire.Response, error) {
	op, known := operations[q.Operation]
	if !known {
		return nil, wire.ErrNotImplemented("iam " + q.Operation)
	}
	resource := op.on(q)
	if err := q.allowIAM(resource); err != nil {
		return nil, err
	}
	result := &wire.XML{}
	var err error
	if q.Cloud.Directory.Update(func() { err = op.serve(q, result) }); err != nil {
		return nil, err
	}
	return form.Answer(q.Operation, q.ID, namespace, result.Bytes()), nil
}

// allowIAM authorises the operation. Only the caller's own policies decide.
func (q *request) allowIAM(resource string) error {
	facts := map[string][]string{}
	for name, parameter := range map[string]string{"iam:PolicyARN": "PolicyArn", "iam:PermissionsBoundary": "PermissionsBoundary"} {
		if v := q.Form.Get(parameter); v != "" {
			facts[name] = []string{v}
		}
	}
	if keys, tags, err := form.Tags(q.Form); err == nil && len(keys) > 0 {
		facts["aws:TagKeys"] = keys
		for k, v := range tags {
			facts["aws:RequestTag/"+k] = []string{v}
		}
	}
	x := core.Question{Action: "iam:" + q.Operation, Resource: resource, Account: q.Caller.Account.ID(), Kind: iam.Bucket, Context: facts}
	if d := q.Decide(x); !d.Allowed {
		return wire.Refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s %s",
			q.Caller.Caller.ARN, x.Action, q.shown(resource), d.Reason())
	}
	return nil
}

// shown returns the resource as IAM's error messages show it. For a listing, the resource is the
// listed path in the account.
func (q *request) shown(resource string) string {
	if resource != "*" {
		return resource
	}
	kind := map[string]string{"ListRoles": "role/", "ListUsers": "user/", "ListPolicies": "policy path /"}[q.Operation]
	return q.Caller.Account.ARN("iam", "", kind)
}

// Serve adds IAM to the cloud.
func Serve(c *core.Cloud) {
	operations := operations()
	c.Serve(core.Service{Name: "iam", Protocol: wire.Form, Namespace: namespace, Serve: func(q *core.Request) (*wire.Response, error) {
		return (&request{q}).serve(operations)
	}})
}
