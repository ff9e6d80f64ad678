package access

import (
	"slices"
	"strings"
)

// checkVariables looks at ${...} where it is one, and where it should be.
func (c *elementChecker) checkVariables(s *statement) {
	values := slices.Concat(s.resources, s.notResources)
	for _, cl := range s.clauses {
		if cl.family == "String" || cl.family == "ARN" {
			values = append(values, cl.values...)
		}
	}
	for _, v := range values {
		if strings.Contains(v.text, "${") {
			c.checkVariable(v)
		}
	}
}

func (c *elementChecker) checkVariable(v *node) {
	if c.d.policy.version != "2012-10-17" {
		c.report(oldVersion, v, "the variable in "+v.text+" is plain text without \"Version\": \"2012-10-17\"", `add "Version": "2012-10-17" to the policy`)
		return
	}
	for rest := v.text; ; {
		_, after, ok := strings.Cut(rest, "${")
		if !ok {
			return
		}
		body, next, closed := strings.Cut(after, "}")
		name, _, _ := strings.Cut(body, ",")
		switch {
		case !closed:
			c.report(badVariable, v, "a variable in "+v.text+" is not closed", "write } at its end")
			return
		case body != "*" && body != "?" && body != "$" && !strings.Contains(name, ":"):
			c.report(badVariable, v, "${"+body+"} names no condition key", "write a key with its service, like ${aws:PrincipalTag/team}; "+
				"if a template should have filled it in, render it first")
			return
		}
		rest = next
	}
}
