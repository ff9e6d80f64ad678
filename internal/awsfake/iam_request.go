package awsfake

import (
	"cmp"
	"fmt"
	"strings"
)

// entityName reads the name of a user, a role or a policy.
func (q *iamRequest) entityName(parameter string, most int) (string, error) {
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
func (q *iamRequest) entityPath() (string, error) {
	path := cmp.Or(q.form.Get("Path"), "/")
	if !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/") || strings.Contains(path, "//") || len(path) > 512 {
		return "", errValidation("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return path, nil
}

// entityARN is the ARN of a user or a role of the caller's account by its name, or the one that it would get.
func (q *iamRequest) entityARN(kind, parameter string) string {
	prefix, name := fmt.Sprintf("arn:aws:iam::%s:%s", q.caller.account.ID(), kind), q.form.Get(parameter)
	arn := prefix + cmp.Or(q.form.Get("Path"), "/") + name
	d := q.cloud.directory
	d.view(func() {
		if kind == "role" {
			if r := d.roleNamed(q.caller.account, name); r != nil {
				arn = r.ARN
			}
		} else if u := d.userNamed(q.caller.account, name); u != nil {
			arn = u.ARN
		}
	})
	return arn
}

// iamRequest is a request to IAM. What serves it runs under the directory's lock.
type iamRequest struct {
	*request
	operations map[string]iamOperation
}
