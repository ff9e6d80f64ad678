package element

import (
	"slices"
	"strings"

	"syncd/internal/access/lint/document"
)

// checkVariables checks policy variables in resources and in condition values that are strings or
// ARNs, where AWS replaces them.
func (c *checker) checkVariables(s *document.Statement) {
	values := slices.Concat(s.Resources, s.NotResources)
	for _, cl := range s.Clauses {
		if cl.Family == "String" || cl.Family == "ARN" {
			values = append(values, cl.Values...)
		}
	}
	for _, v := range values {
		if strings.Contains(v.Text, "${") {
			c.checkVariable(v)
		}
	}
}

func (c *checker) checkVariable(v *document.Node) {
	if c.d.Policy.Version != "2012-10-17" {
		c.report(oldVersion, v, "the variable in "+v.Text+" is plain text without \"Version\": \"2012-10-17\"", `add "Version": "2012-10-17" to the policy`)
		return
	}
	for rest := v.Text; ; {
		_, after, ok := strings.Cut(rest, "${")
		if !ok {
			return
		}
		body, next, closed := strings.Cut(after, "}")
		name, _, _ := strings.Cut(body, ",")
		switch {
		case !closed:
			c.report(badVariable, v, "a variable in "+v.Text+" is not closed", "write } at its end")
			return
		case body != "*" && body != "?" && body != "$" && !strings.Contains(name, ":"):
			c.report(badVariable, v, "${"+body+"} is not a condition key", "write a key with its service, such as ${aws:PrincipalTag/team}; "+
				"if it is a template variable, render the template first")
			return
		}
		rest = next
	}
}
