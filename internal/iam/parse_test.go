package iam_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/iam"
)

const full = `{
  "Version": "2012-10-17",
  "Id": "share",
  "Statement": [
    {
      "Sid": "Read it all",
      "Effect": "Allow",
      "Principal": {
        "AWS": [
          "222222222222",
          "arn:aws:iam::333333333333:role/governance"
        ],
        "Service": "logging.s3.amazonaws.com"
      },
      "Action": [
        "s3:GetObject",
        "s3:ListBucket"
      ],
      "Resource": "arn:aws:s3:::owner-data/${aws:PrincipalTag/team, 'none'}/*",
      "Condition": {
        "StringLike": {
          "s3:prefix": [
            "a&b/*",
            "<c>"
          ],
          "aws:PrincipalTag/team": "red"
        },
        "Bool": {
          "aws:SecureTransport": "true"
        }
      }
    },
    {
      "Effect": "Deny",
      "NotPrincipal": {
        "AWS": "111111111111"
      },
      "NotAction": "s3:GetObject",
      "NotResource": "arn:aws:s3:::owner-data"
    },
    {
      "Effect": "Deny",
      "Principal": "*",
      "Action": "*",
      "Resource": "*"
    }
  ]
}`

func TestParse(t *testing.T) {
	want := &iam.Document{Version: iam.Version2012, ID: "share", Statements: []iam.Statement{
		{
			SID: "Read it all", Effect: iam.Allow, Line: 5,
			Principals: []iam.Principal{
				{Kind: iam.AWSPrincipal, ID: consumer},
				{Kind: iam.AWSPrincipal, ID: "arn:aws:iam::333333333333:role/governance"},
				{Kind: iam.ServicePrincipal, ID: "logging.s3.amazonaws.com"},
			},
			Actions:   []string{"s3:GetObject", "s3:ListBucket"},
			Resources: []string{"arn:aws:s3:::owner-data/${aws:PrincipalTag/team, 'none'}/*"},
			Conditions: []iam.Condition{
				{Operator: "StringLike", Key: "s3:prefix", Values: []string{"a&b/*", "<c>"}},
				{Operator: "StringLike", Key: "aws:PrincipalTag/team", Values: []string{"red"}},
				{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"true"}},
			},
		},
		{
			Effect: iam.Deny, Line: 33,
			NotPrincipals: awsPrincipals([]string{owner}), NotActions: []string{"s3:GetObject"}, NotResources: []string{"arn:aws:s3:::owner-data"},
		},
		{
			Effect: iam.Deny, Line: 41,
			Principals: []iam.Principal{{Kind: iam.AnyPrincipal}}, Actions: []string{"*"}, Resources: []string{"*"},
		},
	}}
	got, err := iam.Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(full, got.String()); diff != "" {
		t.Errorf("String (-want +got):\n%s", diff)
	}
}

// TestParseShorthand checks that a single statement needs no array, and that numbers and booleans
// are accepted as condition values.
func TestParseShorthand(t *testing.T) {
	got := iam.MustParse(`{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*",
		"Condition": {"NumericLessThan": {"s3:max-keys": 1e2}, "Bool": {"aws:SecureTransport": [true]}}}}`)
	want := &iam.Document{Statements: []iam.Statement{{
		Effect: iam.Allow, Actions: []string{"s3:*"}, Resources: []string{"*"}, Line: 1,
		Conditions: []iam.Condition{
			{Operator: "NumericLessThan", Key: "s3:max-keys", Values: []string{"1e2"}},
			{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"true"}},
		},
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseFaults(t *testing.T) {
	// The ▶ in each text, which is removed before parsing, marks where the fault must be reported.
	// The function marked puts the ▶ before the statement, for faults that are reported at the
	// statement.
	statement := func(members string) string {
		return `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", ` + members + `}]}`
	}
	marked := func(members string) string {
		return `{"Version": "2012-10-17", "Statement": [▶{"Effect": "Allow", ` + members + `}]}`
	}
	tests := []struct{ name, text, want string }{
		{"nothing", `▶`, "is not JSON: unexpected end of JSON input"},
		{"broken JSON", "{\n  \"Version\": ▶]", "is not JSON: invalid character ']' looking for beginning of value"},
		{"text after the document", `{} ▶{}`, "is not JSON: invalid character '{' after top-level value"},
		{"not UTF-8", "{\"Id\": \"▶\xff\"}", "is not UTF-8"},
		{"not an object", `▶[]`, "is not an object"},
		{"unknown element", "{\n  ▶\"Versions\": \"\"}", "Versions: is not an element of a policy"},
		{"case of an element", `{▶"version": "2012-10-17"}`, "version: is not an element of a policy"},
		{"version unknown", `{"Version": ▶"2012-10-18"}`, "Version: is neither 2012-10-17 nor 2008-10-17"},
		{"version not a string", `{"Version": ▶2012}`, "Version: is not a string"},
		{"element twice", `{"Id": "a", ▶"Id": "b"}`, "Id: appears twice"},
		{"no statement", `▶{"Version": "2012-10-17"}`, "Statement: is missing"},
		{"no statement in the array", `{"Statement": ▶[]}`, "Statement: is empty"},
		{"statement of the wrong type", `{"Statement": ▶"x"}`, "Statement: is neither an array nor an object"},
		{"statement in the array likewise", `{"Statement": [{"Effect": "Deny"}, ▶1]}`, "Statement[1]: is not an object"},
		{"unknown element of a statement", statement(`▶"Actions": "s3:*"`), "Statement[0].Actions: is not an element of a statement"},
		{"effect missing", `{"Statement": ▶{"Action": "*"}}`, "Statement[0].Effect: is missing"},
		{"effect in the wrong case", "{\"Statement\": {\n  \"Effect\": ▶\"allow\"}}", "Statement[0].Effect: is neither Allow nor Deny"},
		{"Sid twice", `{"Statement": [{"Sid": "A", "Effect": "Deny"}, ▶{"Sid": "A", "Effect": "Deny"}]}`, "Statement[1].Sid: is already used by another statement: A"},
		{"Action with NotAction", marked(`"Action": "*", "NotAction": "s3:*"`), "Statement[0].NotAction: cannot be combined with Action"},
		{"Resource with NotResource", marked(`"Resource": "*", "NotResource": "*"`), "Statement[0].NotResource: cannot be combined with Resource"},
		{"Principal with NotPrincipal", marked(`"Principal": "*", "NotPrincipal": "*"`), "Statement[0].NotPrincipal: cannot be combined with Principal"},
		{"action without a service", statement(`"Action": ["s3:*", ▶"GetObject"]`), "Statement[0].Action[1]: is not * or service:action"},
		{"action not a string", statement(`"Action": ▶true`), "Statement[0].Action: is not a string"},
		{"actions empty", statement(`"Action": ▶[]`), "Statement[0].Action: is empty"},
		{"action in an array in an array", statement(`"Action": [▶["s3:*"]]`), "Statement[0].Action[0]: is not a string"},
		{"action with a wildcard for its service", statement(`"NotAction": ▶"*:GetObject"`), "Statement[0].NotAction: has a wildcard for its service"},
		{"action with half a service", statement(`"Action": ▶"s?:GetObject"`), "Statement[0].Action: has a wildcard for its service"},
		{"action with two colons", statement(`"Action": ▶"s3:s3:GetObject"`), "Statement[0].Action: has more than one colon"},
		{"resource with a wildcard for its service", statement(`"Resource": ["arn:aws:s3", ▶"arn:aws:*"]`), "Statement[0].Resource[1]: has a wildcard for its service"},
		{"resource with half a service", statement(`"NotResource": ▶"arn:aws:s?:::b/*"`), "Statement[0].NotResource: has a wildcard for its service"},
		{"resource without a service", statement(`"Resource": ▶"arn:aws"`), "Statement[0].Resource: does not name a service"},
		{"resource of a wildcard before the service", statement(`"Resource": ▶"arn:*"`), "Statement[0].Resource: does not name a service"},
		{"resource of an empty service", statement(`"Resource": ▶"arn:aws::::b"`), "Statement[0].Resource: does not name a service"},
		{"resource not an ARN", statement(`"Resource": ▶"owner-data/*"`), "Statement[0].Resource: is not * or an ARN"},
		{"NUL", statement(`"Sid": ▶"\u0000"`), "Statement[0].Sid: contains a NUL character"},
		{"principal a name", statement(`"Principal": ▶"alice"`), "Statement[0].Principal: is neither * nor an object"},
		{"principal of no kind", statement(`"Principal": {▶"User": "alice"}`), "Statement[0].Principal.User: is not a kind of principal"},
		{"principal empty", statement(`"Principal": ▶{}`), "Statement[0].Principal: is empty"},
		{"principal without a name", statement(`"Principal": {"AWS": ▶""}`), "Statement[0].Principal.AWS: is empty"},
		{"principal with a wildcard", statement(`"Principal": {"AWS": ▶"arn:aws:iam::222222222222:role/*"}`), "Statement[0].Principal.AWS: has a wildcard, which a principal cannot have: use a condition on aws:PrincipalArn"},
		{"every service", statement(`"Principal": {"Service": ▶"*"}`), "Statement[0].Principal.Service: has a wildcard, which a principal cannot have: use a condition on aws:PrincipalArn"},
		{"operator unknown", statement(`"Condition": {▶"StringMatches": {"s3:prefix": "a"}}`), "Statement[0].Condition.StringMatches: is not a condition operator"},
		{"operator's case", statement(`"Condition": {▶"stringequals": {"s3:prefix": "a"}}`), "Statement[0].Condition.stringequals: is not a condition operator"},
		{"NullIfExists", statement(`"Condition": {▶"NullIfExists": {"s3:prefix": "true"}}`), "Statement[0].Condition.NullIfExists: is not a condition operator"},
		{"a set of Null", statement(`"Condition": {▶"ForAllValues:Null": {"aws:TagKeys": "true"}}`), "Statement[0].Condition.ForAllValues:Null: is not a condition operator"},
		{"condition key without a prefix", statement(`"Condition": {"StringLike": {▶"prefix": "a"}}`), "Statement[0].Condition.StringLike.prefix: is not a condition key"},
		{"condition without values", statement(`"Condition": {"StringLike": {"s3:prefix": ▶[]}}`), "Statement[0].Condition.StringLike.s3:prefix: is empty"},
		{"null as a value", statement(`"Condition": {"StringLike": {"s3:prefix": ▶null}}`), "Statement[0].Condition.StringLike.s3:prefix: is not a string"},
		{"number", statement(`"Condition": {"NumericEquals": {"s3:max-keys": ["1", ▶"0x10"]}}`), `Statement[0].Condition.NumericEquals.s3:max-keys[1]: is not a value for NumericEquals: "0x10"`},
		{"date", statement(`"Condition": {"DateLessThan": {"aws:CurrentTime": ▶"soon"}}`), `Statement[0].Condition.DateLessThan.aws:CurrentTime: is not a value for DateLessThan: "soon"`},
		{"address", statement(`"Condition": {"IpAddress": {"aws:SourceIp": ▶"203.0.113.0/33"}}`), `Statement[0].Condition.IpAddress.aws:SourceIp: is not a value for IpAddress: "203.0.113.0/33"`},
		{"address with a zone", statement(`"Condition": {"IpAddress": {"aws:SourceIp": ▶"fe80::1%eth0"}}`), `Statement[0].Condition.IpAddress.aws:SourceIp: is not a value for IpAddress: "fe80::1%eth0"`},
		{"Bool", statement(`"Condition": {"Bool": {"aws:SecureTransport": ▶"yes"}}`), `Statement[0].Condition.Bool.aws:SecureTransport: is not a value for Bool: "yes"`},
		{"Null", statement(`"Condition": {"Null": {"s3:prefix": ▶"1"}}`), `Statement[0].Condition.Null.s3:prefix: is not a value for Null: "1"`},
		{"variable without its brace", marked(`"Resource": "arn:aws:s3:::b/${aws:username"`), `Statement[0].Resource: has a variable without its closing brace: "b/${aws:username"`},
		{"variable without a key", marked(`"NotResource": "arn:aws:s3:::b/${}"`), `Statement[0].NotResource: has a variable that names no condition key: "b/${}"`},
		{"variable in a variable", marked(`"Condition": {"StringLike": {"s3:prefix": "${a:${b:c}}"}}`), `Statement[0].Condition.StringLike.s3:prefix: has a variable that names no condition key: "${a:${b:c}}"`},
		{"variable's default without quotes", marked(`"Resource": "arn:aws:s3:::b/${aws:username, x}"`), `Statement[0].Resource: has a variable whose default is not in single quotes: "b/${aws:username, x}"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, after, ok := strings.Cut(tt.text, "▶")
			if !ok {
				t.Fatal("the text has no ▶")
			}
			d, err := iam.Parse([]byte(before + after))
			if err == nil {
				t.Fatalf("got %+v, want an error", d)
			}
			line, column := 1+strings.Count(before, "\n"), len(before)-strings.LastIndex(before, "\n")
			if got, want := err.Error(), fmt.Sprintf("line %d, column %d: %s", line, column, tt.want); got != want {
				t.Errorf("\ngot  %s\nwant %s", got, want)
			}
			if _, ok := errors.AsType[*iam.SyntaxError](err); !ok {
				t.Errorf("got a %T, want a *SyntaxError", err)
			}
		})
	}
}

// TestParseTextThatLooksLikeVariables checks that text is not parsed as a variable where the
// version or the element does not support variables.
func TestParseTextThatLooksLikeVariables(t *testing.T) {
	for _, text := range []string{
		`{"Version": "2008-10-17", "Statement": {"Effect": "Deny", "Resource": "arn:aws:s3:::b/${"}}`,
		`{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Sid": "${"}}`,
		`{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Resource": "arn:aws:s3:::b/${*}$"}}`,
	} {
		if _, err := iam.Parse([]byte(text)); err != nil {
			t.Errorf("%s: got %v, want no error", text, err)
		}
	}
}

func TestMustParsePanics(t *testing.T) {
	defer func() {
		got, _ := recover().(string)
		if want := "BUG: parse policy literal: line 1, column 1: Statement: is missing"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}()
	iam.MustParse(`{}`)
}

func TestJSON(t *testing.T) {
	type holder struct{ Policy *iam.Document }
	first := holder{iam.MustParse(full)}
	data, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	var second holder
	if err := json.Unmarshal(data, &second); err != nil {
		t.Fatal(err)
	}
	if got, want := second.Policy.String(), first.Policy.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := json.Unmarshal([]byte(`{"Policy": {"Statements": []}}`), &second); err == nil {
		t.Error("got no error for an unknown element, want one")
	}
	direct, err := first.Policy.MarshalJSON()
	if err != nil || strings.ContainsAny(string(direct), "\n") {
		t.Errorf("got %q, %v, want compact JSON", direct, err)
	}
}

// TestWhatJSONCannotSay checks that a document built in code that JSON cannot express results in an
// error. A JSON text with only a part of the document would have another meaning.
func TestWhatJSONCannotSay(t *testing.T) {
	tests := []struct {
		name      string
		statement iam.Statement
		want      string
	}{
		{"two conditions in one place", iam.Statement{Conditions: []iam.Condition{
			{Operator: "StringLike", Key: "s3:prefix", Values: []string{"a*"}},
			{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"true"}},
			{Operator: "StringLike", Key: "s3:prefix", Values: []string{"*b"}},
		}}, "write Statement[0]: two StringLike conditions are on s3:prefix"},
		{"condition without values", iam.Statement{Conditions: []iam.Condition{{Operator: "StringLike", Key: "s3:prefix"}}}, "write Statement[0]: condition StringLike on s3:prefix has no values"},
		{"everyone and somebody", iam.Statement{Principals: []iam.Principal{{Kind: iam.AWSPrincipal, ID: owner}, {Kind: iam.AnyPrincipal}}}, "write Statement[0]: Principal lists everyone together with other principals"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &iam.Document{Statements: []iam.Statement{tt.statement}}
			if _, err := d.MarshalJSON(); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if got, want := d.String(), "invalid policy: "+tt.want; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestCheckKind(t *testing.T) {
	statement := func(members string) *iam.Document {
		return iam.MustParse("{\"Statement\": [\n{\"Effect\": \"Allow\"" + members + "}]}")
	}
	const (
		principal = `, "Principal": "*"`
		action    = `, "Action": "*"`
		resource  = `, "Resource": "*"`
	)
	tests := []struct {
		name     string
		kind     iam.ResourceKind
		document *iam.Document
		want     string // "" for none
	}{
		{"identity", iam.Identity, statement(action + resource), ""},
		{"identity with Principal", iam.Identity, statement(principal + action + resource), "line 2: Statement[0].Principal: must not appear in an identity policy"},
		{"identity without Action and Resource", iam.Identity, statement(``), "line 2: Statement[0].Action: is missing\nline 2: Statement[0].Resource: is missing"},
		{"identity with a space in its Sid", iam.Identity, statement(action + resource + `, "Sid": "Read it"`), "line 2: Statement[0].Sid: has characters other than letters and digits: Read it"},
		{"bucket", iam.Bucket, statement(principal + resource + `, "Sid": "Read it", "Action": ["s3:Get*", "S3:PutObject"]`), ""},
		{"bucket without Principal", iam.Bucket, statement(action + resource), "line 2: Statement[0].Principal: is missing"},
		{"bucket with another service's action", iam.Bucket, statement(principal + resource + `, "Action": ["s3:*", "kms:Decrypt"]`), "line 2: Statement[0].Action: is not an action of s3: kms:Decrypt"},
		{"bucket with NotPrincipal under Allow", iam.Bucket, statement(`, "NotPrincipal": "*"` + action + resource), "line 2: Statement[0].NotPrincipal: must not be used with Allow: it would allow everyone who is not listed"},
		{"key", iam.Key, statement(principal + resource + `, "Action": ["kms:*", "s3:GetObject"]`), ""},
		{"key without Principal", iam.Key, statement(action + resource), "line 2: Statement[0].Principal: is missing"},
		{"key without Action and Resource", iam.Key, statement(principal), ""},
		{"trust", iam.Trust, statement(principal + `, "Action": ["sts:AssumeRole", "sts:TagSession"]`), ""},
		{"trust with Resource", iam.Trust, statement(principal + resource + `, "Action": "sts:AssumeRole"`), "line 2: Statement[0].Resource: must not appear in a trust policy: the resource is the role itself"},
		{"trust with NotPrincipal", iam.Trust, iam.MustParse("{\"Statement\": [\n" + `{"Effect": "Deny", "NotPrincipal": "*", "Action": "*"}]}`), "line 2: Statement[0].NotPrincipal: must not appear in a trust policy"},
		{"trust with another service's action", iam.Trust, statement(principal + `, "NotAction": "s3:*"`), "line 2: Statement[0].Action: is not an action of sts: s3:*"},
		{"queue", iam.Queue, statement(principal + resource + `, "Action": "sqs:SendMessage"`), ""},
		{"queue without Resource", iam.Queue, statement(principal + action), "line 2: Statement[0].Resource: is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			if err := tt.document.CheckKind(tt.kind); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("\ngot  %s\nwant %s", got, tt.want)
			}
		})
	}
	built := &iam.Document{Statements: []iam.Statement{{Effect: iam.Allow, Actions: []string{"*"}}}}
	if got, want := built.CheckKind(iam.Identity).Error(), "Statement[0].Resource: is missing"; got != want {
		t.Errorf("without a line: got %s, want %s", got, want)
	}
}
