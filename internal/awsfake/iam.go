package awsfake

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/internal/iam"
)

const iamNamespace = "https://iam.amazonaws.com/doc/2010-05-08/"

// iamOperation is an operation of IAM: what the action is on, and what it does once that is allowed, for which it holds Cloud.mu.
type iamOperation struct {
	on    func(*request) string // the ARN
	serve func(*request, *xmlWriter) error
}

// iamOperations are the operations on users, roles and policies that setting up two accounts takes. A service that asks for an account
// asks for the caller's: no request crosses accounts.
func iamOperations() map[string]iamOperation {
	role, user, policy := (*request).roleARN, (*request).userARN, (*request).policyARN
	all := func(*request) string { return "*" }
	ops := map[string]iamOperation{
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
		ops["Put"+kind+"Policy"] = iamOperation{on, (*request).putInlinePolicy}
		ops["Get"+kind+"Policy"] = iamOperation{on, (*request).getInlinePolicy}
		ops["Delete"+kind+"Policy"] = iamOperation{on, (*request).deleteInlinePolicy}
		ops["List"+kind+"Policies"] = iamOperation{on, (*request).listInlinePolicies}
		ops["Attach"+kind+"Policy"] = iamOperation{on, (*request).attachPolicy}
		ops["Detach"+kind+"Policy"] = iamOperation{on, (*request).detachPolicy}
		ops["ListAttached"+kind+"Policies"] = iamOperation{on, (*request).listAttachedPolicies}
		ops["Put"+kind+"PermissionsBoundary"] = iamOperation{on, (*request).putBoundary}
		ops["Delete"+kind+"PermissionsBoundary"] = iamOperation{on, (*request).deleteBoundary}
	}
	return ops
}

func (q *request) serveIAM() (*response, error) {
	op, known := q.cloud.iam[q.operation]
	if !known {
		return nil, errNotImplemented("iam " + q.operation)
	}
	resource := op.on(q)
	if err := q.allowIAM(resource); err != nil {
		return nil, err
	}
	q.cloud.mu.Lock()
	defer q.cloud.mu.Unlock()
	result := &xmlWriter{}
	if err := op.serve(q, result); err != nil {
		return nil, err
	}
	return q.queryAnswer(iamNamespace, result.bytes()), nil
}

// allowIAM authorises the operation: the caller's own policies decide, and nothing else can.
func (q *request) allowIAM(resource string) error {
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
	x := question{action: "iam:" + q.operation, resource: resource, account: q.caller.account.id, kind: iam.Bucket, context: facts}
	if d := q.decide(x); !d.Allowed {
		return refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s %s",
			q.caller.caller.ARN, x.action, q.shown(resource), d.Reason())
	}
	return nil
}

// shown is the resource as the message has it: of a listing IAM shows where in the account it looks.
func (q *request) shown(resource string) string {
	if resource != "*" {
		return resource
	}
	kind := map[string]string{"ListRoles": "role/", "ListUsers": "user/", "ListPolicies": "policy path /"}[q.operation]
	return fmt.Sprintf("arn:aws:iam::%s:%s", q.caller.account.id, kind)
}

func errMissing(parameter string) error {
	return errValidation("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", lowerFirst(parameter))
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// entityName reads the name of a user, a role or a policy.
func (q *request) entityName(parameter string, most int) (string, error) {
	name := q.form.Get(parameter)
	switch {
	case name == "":
		return "", errMissing(parameter)
	case len(name) > most:
		return "", errValidation("1 validation error detected: Value at '%s' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", lowerFirst(parameter), most)
	case !inAlphabet(name, "_+=,.@-"):
		return "", errValidation("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
			lowerFirst(parameter))
	}
	return name, nil
}

// entityPath reads where a new user, role or policy stands.
func (q *request) entityPath() (string, error) {
	path := cmp.Or(q.form.Get("Path"), "/")
	if !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/") || strings.Contains(path, "//") || len(path) > 512 {
		return "", errValidation("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return path, nil
}

// entityARN is the ARN of a user or a role of the caller's account by its name, or the one that it would get.
func (q *request) entityARN(kind, parameter string) string {
	prefix, name := fmt.Sprintf("arn:aws:iam::%s:%s", q.caller.account.id, kind), q.form.Get(parameter)
	q.cloud.mu.RLock()
	defer q.cloud.mu.RUnlock()
	if kind == "role" {
		if r := q.cloud.roleNamed(q.caller.account, name); r != nil {
			return r.ARN
		}
	} else if u := q.cloud.userNamed(q.caller.account, name); u != nil {
		return u.ARN
	}
	return prefix + cmp.Or(q.form.Get("Path"), "/") + name
}

// writeList writes one page of a list, each element by a call of write.
func writeList[T any](q *request, x *xmlWriter, name string, all []T, write func(T)) error {
	from, most := 0, 100
	if m := q.form.Get("Marker"); m != "" {
		at, err := strconv.Atoi(m)
		if err != nil || at < 0 || at > len(all) {
			return errValidation("Invalid Marker.")
		}
		from = at
	}
	if m := q.form.Get("MaxItems"); m != "" {
		n, err := strconv.Atoi(m)
		if err != nil || n < 1 || n > 1000 {
			return errValidation("1 validation error detected: Value '%s' at 'maxItems' failed to satisfy constraint: Member must be between 1 and 1000", m)
		}
		most = n
	}
	to := min(from+most, len(all))
	x.open(name)
	for _, one := range all[from:to] {
		x.open("member")
		write(one)
		x.close("member")
	}
	x.close(name)
	x.boolean("IsTruncated", to < len(all))
	if to < len(all) {
		x.element("Marker", strconv.Itoa(to))
	}
	return nil
}

// iamTime writes the instant as IAM prints it.
func (x *xmlWriter) iamTime(name string, t time.Time) { x.element(name, t.UTC().Format(time.RFC3339)) }

func (x *xmlWriter) iamTags(tags map[string]string) {
	x.open("Tags")
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		x.open("member")
		x.element("Key", k)
		x.element("Value", tags[k])
		x.close("member")
	}
	x.close("Tags")
}

func (x *xmlWriter) iamBoundary(i *identity) {
	if i.boundaryARN == "" {
		return
	}
	x.open("PermissionsBoundary")
	x.element("PermissionsBoundaryType", "Policy")
	x.element("PermissionsBoundaryArn", i.boundaryARN)
	x.close("PermissionsBoundary")
}
