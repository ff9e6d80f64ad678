package iam_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"syncd/internal/iam"
)

// FuzzParse checks that Parse never panics, that errors have a position in the text, and that
// accepted documents survive formatting and parsing.
func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(`{"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "*", "Condition": {"Null": {"a:b": true}}}}`))
	f.Add([]byte("{\"Statement\": [\n{\"Effect\": \"Deny\", \"Resource\": \"arn:${\"}]} x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := iam.Parse(data)
		if err != nil {
			fault, ok := errors.AsType[*iam.SyntaxError](err)
			if !ok || fault.Line < 1 || fault.Line > 1+strings.Count(string(data), "\n") || fault.Column < 1 || fault.Column > 1+len(data) {
				t.Fatalf("got %v, want a *SyntaxError within the text", err)
			}
			return
		}
		again, err := iam.Parse([]byte(d.String()))
		if err != nil {
			t.Fatalf("parse what was written: %v\n%s", err, d)
		}
		if diff := cmp.Diff(d, again, cmpopts.IgnoreFields(iam.Statement{}, "Line")); diff != "" {
			t.Fatalf("written and read again (-want +got):\n%s", diff)
		}
	})
}

// FuzzEvaluate checks that Evaluate never panics, and that a resource policy alone never allows a
// role of another account.
func FuzzEvaluate(f *testing.F) {
	f.Add(full, "s3:GetObject", object, "aws:PrincipalTag/team", "red")
	f.Add(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s?:*t*", "Resource": "arn:*:${a:b}*?"}}`, "s3:x", "arn:", "a:b", "*\x00?")
	f.Fuzz(func(t *testing.T, text, action, resource, key, value string) {
		d, err := iam.Parse([]byte(text))
		if err != nil {
			return
		}
		for _, kind := range []iam.ResourceKind{iam.Bucket, iam.Key, iam.Trust, iam.Queue} {
			for _, c := range []iam.Caller{user(owner), session(consumer), rootUser(owner), {}} {
				req := iam.Request{Caller: c, Action: action, Resource: resource, Account: owner, Context: values{key: {value}}}
				if got := iam.Evaluate(req, iam.Policies{Identity: docs(d), Boundary: d, Session: docs(d), Resource: d, Kind: kind}); got.Allowed && got.Reason() != "" {
					t.Errorf("got allowed %s, want no reason", got.Reason())
				}
				if c.Account != consumer {
					continue
				}
				if iam.Evaluate(req, iam.Policies{Resource: d, Kind: kind}).Allowed {
					t.Error("got allowed to a foreign role without an identity policy, want not")
				}
			}
		}
	})
}
