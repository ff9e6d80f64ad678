package iam_test

import (
	"testing"

	"syncd/internal/iam"
)

func TestVariablesInConditions(t *testing.T) {
	context := values{
		"aws:PrincipalTag/team": {"red"},
		"aws:PrincipalTag/star": {"*"},
		"aws:PrincipalTag/void": {""},
		"aws:TagKeys":           {"a", "b"},
		"aws:CalledVia":         {"athena.amazonaws.com"},
	}
	tests := []struct {
		name, operator, want, got string
		passes                    bool
	}{
		{"replaced", "StringEquals", "${aws:PrincipalTag/team}", "red", true},
		{"replaced, key in another case", "StringEquals", "x-${AWS:principaltag/Team}-y", "x-red-y", true},
		{"several", "StringLike", "${aws:PrincipalTag/team}/${aws:PrincipalTag/team}/*", "red/red/a", true},
		{"in an ARN", "ArnLike", "arn:aws:iam::*:role/${aws:PrincipalTag/team}-*", "arn:aws:iam::111111111111:role/red-a", true},
		{"default unused", "StringEquals", "${aws:PrincipalTag/team, 'blue'}", "red", true},
		{"default used", "StringEquals", "${aws:PrincipalTag/none, 'a } b'}", "a } b", true},
		{"default empty", "StringEquals", "x${aws:PrincipalTag/none, ''}", "x", true},
		{"unresolved, positive", "StringLike", "*${aws:PrincipalTag/none}", "red", false},
		{"unresolved, negated", "StringNotLike", "*${aws:PrincipalTag/none}", "red", true},
		{"without a value, positive", "StringEquals", "x${aws:PrincipalTag/void}", "x", false},
		{"without a value, negated", "StringNotEquals", "x${aws:PrincipalTag/void}", "x", true},
		{"without a value, default", "StringEquals", "${aws:PrincipalTag/void, 'blue'}", "blue", true},
		{"of several values is unresolved", "StringEquals", "${aws:TagKeys}", "a", false},
		{"of a key that may have several is unresolved", "StringEquals", "${AWS:CalledVia}", "athena.amazonaws.com", false},
		{"escaped star", "StringLike", "a${*}", "a*", true},
		{"escaped star is no wildcard", "StringLike", "a${*}", "ab", false},
		{"escaped question mark", "StringLike", "a${?}c*", "a?cd", true},
		{"escaped question mark is no wildcard", "StringLike", "a${?}c*", "abcd", false},
		{"escaped dollar", "StringEquals", "${$}{aws:username}", "${aws:username}", true},
		{"star in a value is no wildcard", "StringLike", "${aws:PrincipalTag/star}", "anything", false},
		{"star in a value is itself", "StringLike", "${aws:PrincipalTag/star}", "*", true},
		{"not in a number", "NumericEquals", "${aws:PrincipalTag/team}", "red", false},
		{"malformed is unresolved", "StringEquals", "${aws:PrincipalTag/team", "${aws:PrincipalTag/team", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			context["s3:prefix"] = []string{tt.got}
			c := iam.Condition{Operator: tt.operator, Key: "s3:prefix", Values: []string{tt.want}}
			if got := passes(t, iam.Version2012, c, context); got != tt.passes {
				t.Errorf("got %t, want %t", got, tt.passes)
			}
		})
	}
}

// TestVariablesNeedTheVersion checks that ${ is plain text with 2008-10-17 or without a Version.
func TestVariablesNeedTheVersion(t *testing.T) {
	for _, version := range []string{iam.Version2008, ""} {
		context := values{"aws:PrincipalTag/team": {"red"}, "s3:prefix": {"red"}}
		c := iam.Condition{Operator: "StringEquals", Key: "s3:prefix", Values: []string{"${aws:PrincipalTag/team}"}}
		if passes(t, version, c, context) {
			t.Errorf("version %q: got the variable replaced, want it left", version)
		}
		context["s3:prefix"] = []string{"${aws:PrincipalTag/team}"}
		if !passes(t, version, c, context) {
			t.Errorf("version %q: got the text not matching itself, want it to", version)
		}
	}
}

func TestVariablesInResources(t *testing.T) {
	tests := []struct {
		name, pattern, resource string
		not                     bool
		want                    bool
	}{
		{"replaced", "arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/alice/a", false, true},
		{"without a value", "arn:aws:s3:::home/${aws:PrincipalTag/void}*", "arn:aws:s3:::home/a", false, false},
		{"without a value in NotResource", "arn:aws:s3:::home/${aws:PrincipalTag/void}*", "arn:aws:s3:::home/a", true, true},
		{"replaced, another user", "arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/bob/a", false, false},
		{"unresolved", "arn:aws:s3:::home/${aws:PrincipalTag/none}*", "arn:aws:s3:::home/a", false, false},
		{"unresolved in NotResource", "arn:aws:s3:::home/${aws:PrincipalTag/none}*", "arn:aws:s3:::home/a", true, true},
		{"before the sixth component is text", "arn:aws:s3:${aws:username}::home/*", "arn:aws:s3:alice::home/a", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := allowAll()
			d.Statements[0].Resources = []string{tt.pattern}
			if tt.not {
				d.Statements[0].Resources, d.Statements[0].NotResources = nil, []string{tt.pattern}
			}
			req := get(user(owner))
			req.Resource = tt.resource
			req.Context = values{"aws:PrincipalTag/void": {""}}
			if got := iam.Evaluate(req, iam.Policies{Identity: docs(d)}).Allowed; got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}
