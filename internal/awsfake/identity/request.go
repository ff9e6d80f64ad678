package identity

import (
	"cmp"
	"strings"

	"syncd/internal/ascii"
	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/form"
	"syncd/internal/awsname"
)

// entityName returns a parameter that is the name of a user, role or policy. It rejects a name that
// is missing, invalid or longer than most characters.
func (q *request) entityName(parameter string, most int) (string, error) {
	name := q.Form.Get(parameter)
	switch {
	case name == "":
		return "", errMissing(parameter)
	case len(name) > most:
		return "", form.ErrValidation("1 validation error detected: Value at '%s' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", lowerFirst(parameter), most)
	case !ascii.Word(name, awsname.IdentityCharacters):
		return "", form.ErrValidation("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
			lowerFirst(parameter))
	}
	return name, nil
}

// entityPath returns the path of a new user, role or policy.
func (q *request) entityPath() (string, error) {
	path := cmp.Or(q.Form.Get("Path"), "/")
	if !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/") || strings.Contains(path, "//") || len(path) > 512 {
		return "", form.ErrValidation("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return path, nil
}

// entityARN returns the ARN of an existing or future user or role of the caller's account, by name.
func (q *request) entityARN(kind, parameter string) string {
	name := q.Form.Get(parameter)
	arn := q.Caller.Account.ARN("iam", "", kind+cmp.Or(q.Form.Get("Path"), "/")+name)
	d := q.Cloud.Directory
	d.View(func() {
		if kind == "role" {
			if r := d.RoleNamed(q.Caller.Account, name); r != nil {
				arn = r.ARN
			}
		} else if u := d.UserNamed(q.Caller.Account, name); u != nil {
			arn = u.ARN
		}
	})
	return arn
}

// request is a request to IAM. Its handlers run under the directory's lock.
type request struct {
	*core.Request
}
