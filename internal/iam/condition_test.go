package iam_test

import (
	"strings"
	"testing"

	"syncd/internal/iam"
)

type values map[string][]string

// passes reports whether a request with the context meets the condition. It tests the condition in
// an Allow and in a Deny statement, and both must give the same result.
func passes(t *testing.T, version string, c iam.Condition, context values) bool {
	t.Helper()
	req := get(session(owner))
	req.Context = context
	var passed [2]bool
	for i, effect := range []iam.Effect{iam.Allow, iam.Deny} {
		d := everything(effect)
		d.Version = version
		d.Statements[0].Conditions = []iam.Condition{c}
		got := iam.Evaluate(req, iam.Policies{Identity: docs(d)})
		passed[i] = got.Statement != nil
	}
	if passed[0] != passed[1] {
		t.Errorf("%+v: got %t under Allow, %t under Deny, want the same", c, passed[0], passed[1])
	}
	return passed[0]
}

func TestConditionOperators(t *testing.T) {
	tests := []struct {
		operator, wants, gots string // values separated by spaces; gots "" for a key that is absent
		want                  bool
	}{
		{"StringEquals", "a b", "b", true},
		{"StringEquals", "a b", "B", false},
		{"StringEquals", "a*", "ab", false},
		{"StringNotEquals", "a b", "b", false},
		{"StringNotEquals", "a b", "c", true},
		{"StringEqualsIgnoreCase", "PROD", "prod", true},
		{"StringEqualsIgnoreCase", "PROD", "test", false},
		{"StringNotEqualsIgnoreCase", "PROD", "prod", false},
		{"StringNotEqualsIgnoreCase", "PROD", "test", true},
		{"StringLike", "exports/*", "exports/a/b", true},
		{"StringLike", "exports/?", "exports/ab", false},
		{"StringLike", "exports", "exports", true},
		{"StringNotLike", "exports/*", "exports/a", false},
		{"StringNotLike", "exports/*", "other", true},
		{"ArnLike", "arn:aws:iam::*:role/sync-*", "arn:aws:iam::111111111111:role/sync-a", true},
		{"ArnLike", "arn:aws:iam:*:role/sync-a", "arn:aws:iam::111111111111:role/sync-a", false},
		{"ArnLike", "*", "arn:aws:iam::111111111111:role/sync-a", true},
		{"ArnEquals", "arn:aws:iam::*:role/sync-?", "arn:aws:iam::111111111111:role/sync-a", true},
		{"ArnEquals", "arn:aws:iam::*:role/sync-?", "arn:aws:iam::111111111111:role/SYNC-a", false},
		{"ArnNotLike", "arn:aws:iam::*:role/sync-*", "arn:aws:iam::111111111111:role/sync-a", false},
		{"ArnNotEquals", "arn:aws:iam::*:role/sync-*", "arn:aws:iam::111111111111:role/other", true},
		{"Bool", "false", "false", true},
		{"Bool", "True", "true", true},
		{"Bool", "false", "true", false},
		{"BinaryEquals", "QmluYXJ5", "QmluYXJ5", true},
		{"BinaryEquals", "QmluYXJ5", "qmluyxj5", false},
		{"Null", "true", "", true},
		{"Null", "true", "x", false},
		{"Null", "false", "x", true},
		{"Null", "false", "", false},
		{"NumericEquals", "10", "10.0", true},
		{"NumericEquals", "10", "11", false},
		{"NumericNotEquals", "10", "11", true},
		{"NumericNotEquals", "10 11", "11", false},
		{"NumericLessThan", "10", "9", true},
		{"NumericLessThan", "10", "10", false},
		{"NumericLessThanEquals", "10", "10", true},
		{"NumericLessThanEquals", "10", "11", false},
		{"NumericGreaterThan", "1.2", "1.3", true},
		{"NumericGreaterThan", "10", "10", false},
		{"NumericGreaterThanEquals", "10", "10", true},
		{"NumericGreaterThanEquals", "10", "9", false},
		{"NumericEquals", "10", "ten", false},
		{"NumericNotEquals", "10", "ten", true},
		{"NumericLessThan", "10", "-Inf", false},
		{"DateEquals", "2026-01-02T00:00:00Z", "2026-01-02", true},
		{"DateNotEquals", "2026-01-02T00:00:00Z", "2026-01-02", false},
		{"DateLessThan", "2026-01-02T00:00:00Z", "2026-01-01T23:59:59Z", true},
		{"DateLessThan", "2026-01-02T00:00Z", "2026-01-02T02:00:00+01:00", false},
		{"DateLessThanEquals", "2026-02", "2026-02-01", true},
		{"DateGreaterThan", "2026-01-02T00:00:00Z", "2026-01-02T00:00:00.5Z", true},
		{"DateGreaterThanEquals", "1767312000", "2026-01-02", true},
		{"DateGreaterThanEquals", "1767312001", "2026-01-02", false},
		{"DateGreaterThan", "2026-01-02", "tomorrow", false},
		{"IpAddress", "203.0.113.0/24", "203.0.113.9", true},
		{"IpAddress", "203.0.113.0/24 2001:db8::/32", "2001:db8::1", true},
		{"IpAddress", "203.0.113.0/24", "198.51.100.1", false},
		{"IpAddress", "203.0.113.9", "203.0.113.9", true},
		{"IpAddress", "203.0.113.9", "203.0.113.8", false},
		{"IpAddress", "203.0.113.0/24", "::ffff:203.0.113.9", true},
		{"IpAddress", "203.0.113.0/24", "nowhere", false},
		{"NotIpAddress", "203.0.113.0/24", "198.51.100.1", true},
		{"NotIpAddress", "203.0.113.0/24", "203.0.113.9", false},

		// The key is not in the request: operators fail unless they are negated or have IfExists.
		{"StringEquals", "a", "", false},
		{"StringLike", "*", "", false},
		{"ArnLike", "*", "", false},
		{"Bool", "false", "", false},
		{"NumericLessThan", "10", "", false},
		{"DateLessThan", "2026-01-02", "", false},
		{"IpAddress", "0.0.0.0/0", "", false},
		{"StringNotEquals", "a", "", true},
		{"StringNotLike", "*", "", true},
		{"ArnNotLike", "*", "", true},
		{"NumericNotEquals", "1", "", true},
		{"DateNotEquals", "2026-01-02", "", true},
		{"NotIpAddress", "0.0.0.0/0", "", true},
		{"StringEqualsIfExists", "a", "", true},
		{"StringEqualsIfExists", "a", "b", false},
		{"BoolIfExists", "false", "", true},
		{"StringNotEqualsIfExists", "a", "", true},
		{"StringNotEqualsIfExists", "a", "a", false},

		// The request has several values for the key.
		{"ForAllValues:StringEquals", "a b", "a b", true},
		{"ForAllValues:StringEquals", "a b", "a c", false},
		{"ForAllValues:StringEquals", "a b", "", true},
		{"ForAnyValue:StringEquals", "a b", "b c", true},
		{"ForAnyValue:StringEquals", "a b", "c d", false},
		{"ForAnyValue:StringEquals", "a b", "", false},
		{"ForAnyValue:StringEqualsIfExists", "a b", "", false},
		{"ForAnyValue:StringEqualsIfExists", "a b", "b", true},
		{"ForAnyValue:StringNotEqualsIfExists", "a b", "", false},
		{"ForAnyValue:StringLikeIfExists", "*", "", false},
		{"ForAnyValue:ArnNotLikeIfExists", "arn:aws:iam::*:role/a", "", false},
		{"ForAnyValue:BoolIfExists", "true", "", false},
		{"ForAnyValue:NumericLessThanIfExists", "10", "", false},
		{"ForAnyValue:DateNotEqualsIfExists", "2026-01-02", "", false},
		{"ForAnyValue:NotIpAddressIfExists", "203.0.113.0/24", "", false},
		{"ForAllValues:StringEqualsIfExists", "a b", "", true},
		{"ForAnyValue:StringNotEquals", "a", "a b", true},
		{"ForAnyValue:StringNotEquals", "a", "a", false},
		{"ForAnyValue:StringNotEquals", "a", "", false},
		{"ForAllValues:StringNotEquals", "a", "b c", true},
		{"ForAllValues:StringNotEquals", "a", "a b", false},
		{"ForAllValues:StringLike", "x-*", "x-1 x-2", true},

		// The request has several values for the key, but the operator is no set operator.
		{"StringEquals", "a", "a b", false},
		{"StringEqualsIfExists", "a", "a a", false},
		{"StringNotEquals", "a", "a b", false},
		{"StringNotEquals", "a", "b c", false},
		{"NumericLessThan", "10", "1 2", false},
		{"Null", "false", "a b", true},
	}
	for _, tt := range tests {
		t.Run(strings.Join([]string{tt.operator, tt.wants, "of", tt.gots}, " "), func(t *testing.T) {
			context := values{}
			if tt.gots != "" {
				context["aws:TagKeys"] = strings.Fields(tt.gots)
			}
			c := iam.Condition{Operator: tt.operator, Key: "aws:TagKeys", Values: strings.Fields(tt.wants)}
			if got := passes(t, iam.Version2012, c, context); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}

// TestEmptyValue checks that an empty string is a value in comparisons, but counts as missing for
// Null and set operators.
func TestEmptyValue(t *testing.T) {
	empty := values{"s3:prefix": {""}}
	for operator, want := range map[string]bool{
		"StringEquals": true, "StringNotEquals": false, "ForAllValues:StringNotEquals": true, "ForAnyValue:StringEquals": false,
	} {
		if got := passes(t, iam.Version2012, iam.Condition{Operator: operator, Key: "s3:prefix", Values: []string{""}}, empty); got != want {
			t.Errorf("%s: got %t, want %t", operator, got, want)
		}
	}
	if !passes(t, iam.Version2012, iam.Condition{Operator: "Null", Key: "s3:prefix", Values: []string{"true"}}, empty) {
		t.Error("Null: got false, want an empty value to be null")
	}
}

func TestUnknownOperatorLetsNothingThrough(t *testing.T) {
	for _, effect := range []iam.Effect{iam.Allow, iam.Deny} {
		d := everything(effect)
		d.Statements[0].Conditions = []iam.Condition{{Operator: "StringMatches", Key: "s3:prefix", Values: []string{"a"}}}
		if iam.Evaluate(get(user(owner)), iam.Policies{Identity: docs(d), Resource: nil}).Allowed {
			t.Errorf("%s: got allowed, want not", effect)
		}
		if got, want := iam.Evaluate(get(user(owner)), iam.Policies{Identity: docs(allowAll(), d)}).Allowed, effect == iam.Allow; got != want {
			t.Errorf("%s next to an allow: got allowed %t, want %t", effect, got, want)
		}
	}
}

// TestConditionsAreAnded checks that a statement applies only if the conditions for all its
// operators and keys hold.
func TestConditionsAreAnded(t *testing.T) {
	policy := iam.MustParse(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {
		"StringEquals": {"aws:PrincipalTag/team": ["a", "b"], "s3:prefix": "exports/"},
		"Bool": {"aws:SecureTransport": true},
		"NumericLessThanEquals": {"s3:max-keys": 100}
	}}}`)
	good := values{"aws:PrincipalTag/team": {"b"}, "s3:prefix": {"exports/"}, "aws:SecureTransport": {"true"}, "s3:max-keys": {"50"}}
	req := get(user(owner))
	req.Context = good
	if d := iam.Evaluate(req, iam.Policies{Identity: docs(policy)}); !d.Allowed {
		t.Fatalf("all hold: got %q, want allowed", d.Reason())
	}
	for key := range good {
		req.Context = values{}
		for k, v := range good {
			if k != key {
				req.Context[k] = v
			}
		}
		if iam.Evaluate(req, iam.Policies{Identity: docs(policy)}).Allowed {
			t.Errorf("without %s: got allowed, want not", key)
		}
	}
}

func TestConditionKeys(t *testing.T) {
	logging := iam.Caller{Service: "logging.s3.amazonaws.com"}
	tests := []struct {
		name    string
		caller  iam.Caller
		context values
		key     string
		want    string // "" for absent
	}{
		{"key in another case", user(owner), values{"aws:PrincipalTag/Team": {"a"}}, "AWS:principaltag/team", "a"},
		{"PrincipalArn of a session is the role", session(owner), nil, "aws:PrincipalArn", session(owner).RoleARN},
		{"PrincipalArn of a user", user(owner), nil, "aws:principalarn", user(owner).ARN},
		{"PrincipalArn of a root user", rootUser(owner), nil, "aws:PrincipalArn", root(owner)},
		{"PrincipalArn given", user(owner), values{"aws:PrincipalArn": {"arn:x"}}, "aws:PrincipalArn", "arn:x"},
		{"PrincipalAccount", session(consumer), nil, "aws:PrincipalAccount", consumer},
		{"PrincipalAccount of a service", logging, nil, "aws:PrincipalAccount", ""},
		{"PrincipalAccount of an anonymous caller", iam.Caller{}, nil, "aws:PrincipalAccount", "anonymous"},
		{"PrincipalArn of an anonymous caller", iam.Caller{}, nil, "aws:PrincipalArn", ""},
		{"userid of an anonymous caller", iam.Caller{}, nil, "aws:userid", "anonymous"},
		{"userid of a root user", rootUser(owner), nil, "aws:userid", owner},
		{"userid of a user, which cannot be derived", user(owner), nil, "aws:userid", ""},
		{"PrincipalType of a session", session(owner), nil, "aws:PrincipalType", "AssumedRole"},
		{"PrincipalType of a user", user(owner), nil, "aws:PrincipalType", "User"},
		{"PrincipalType of a root user", rootUser(owner), nil, "aws:PrincipalType", "Account"},
		{"PrincipalType of an anonymous caller", iam.Caller{}, nil, "aws:PrincipalType", "Anonymous"},
		{"PrincipalType of a service", logging, nil, "aws:PrincipalType", ""},
		{"PrincipalIsAWSService", logging, nil, "aws:PrincipalIsAWSService", "true"},
		{"PrincipalIsAWSService of a user", user(owner), nil, "aws:PrincipalIsAWSService", "false"},
		{"PrincipalIsAWSService of an anonymous caller", iam.Caller{}, nil, "aws:PrincipalIsAWSService", ""},
		{"PrincipalServiceName", logging, nil, "aws:PrincipalServiceName", logging.Service},
		{"username without its path", user(owner), nil, "aws:username", "alice"},
		{"username of a session", session(owner), nil, "aws:username", ""},
		{"username of a root user", rootUser(owner), nil, "aws:username", ""},
		{"ResourceAccount", user(consumer), nil, "aws:ResourceAccount", owner},
		{"unknown", user(owner), nil, "aws:PrincipalOrgID", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := iam.Condition{Operator: "StringEquals", Key: tt.key, Values: []string{tt.want}}
			if tt.want == "" {
				c = iam.Condition{Operator: "Null", Key: tt.key, Values: []string{"true"}}
			}
			policy := grantTo("*")
			policy.Statements[0].Conditions = []iam.Condition{c}
			req := get(tt.caller)
			req.Context = tt.context
			d := iam.Evaluate(req, iam.Policies{Identity: docs(allowAll()), Resource: policy})
			if !d.Allowed || d.Source != iam.SourceResource {
				t.Errorf("got %s with another value, want %q", tt.key, tt.want)
			}
		})
	}
}
