package arn_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/arn"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]arn.ARN{
		"arn:aws:iam::111111111111:role/a/b":            {Partition: "aws", Service: "iam", Account: "111111111111", Resource: "role/a/b"},
		"arn:aws-cn:sqs:cn-north-1:111111111111:q":      {Partition: "aws-cn", Service: "sqs", Region: "cn-north-1", Account: "111111111111", Resource: "q"},
		"arn:aws:s3:::bucket/key:with:colons":           {Partition: "aws", Service: "s3", Resource: "bucket/key:with:colons"},
		"arn:aws:sns:us-east-1:111111111111:topic:x-y-": {Partition: "aws", Service: "sns", Region: "us-east-1", Account: "111111111111", Resource: "topic:x-y-"},
	} {
		got, err := arn.Parse(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v, (-want +got):\n%s", text, err, diff)
		}
		if again := got.String(); again != text {
			t.Errorf("got %q, want %q", again, text)
		}
		if got := arn.Account(text); got != want.Account {
			t.Errorf("%s: got account %q, want %q", text, got, want.Account)
		}
	}
	for _, text := range []string{"", "arn", "arn:aws:s3::", "urn:aws:s3:::b", "arn:azure:s3:::b", "arn:aws-*:s3:::b", "arn:awsx:s3:::b", " arn:aws:s3:::b"} {
		if got, err := arn.Parse(text); err == nil || !strings.Contains(err.Error(), "is not an ARN; use arn:") || arn.Account(text) != "" {
			t.Errorf("%q: got %v, %v, want an error", text, got, err)
		}
	}
}

// TestSplit checks that Split accepts ARNs from policies, whose parts can be any text.
func TestSplit(t *testing.T) {
	if got, ok := arn.Split("arn:*:s3:::bucket*/${aws:username}"); !ok || got.Partition != "*" || got.Resource != "bucket*/${aws:username}" {
		t.Errorf("got %+v, %v", got, ok)
	}
	for _, text := range []string{"*", "arn:aws:sqs", "aws:s3::::b"} {
		if got, ok := arn.Split(text); ok {
			t.Errorf("%q: got %+v, want none", text, got)
		}
	}
}

func TestParseRole(t *testing.T) {
	for _, text := range []string{"arn:aws:iam::111111111111:role/syncd", "arn:aws-us-gov:iam::111111111111:role/a/path/s_y+n=c,d.@-"} {
		if a, err := arn.ParseRole(text); err != nil || a.Account != "111111111111" || a.String() != text {
			t.Errorf("%s: got %v, %v", text, a, err)
		}
	}
	for _, text := range []string{
		"arn:aws:iam::111111111111:user/syncd", "arn:aws:iam:us-east-1:111111111111:role/syncd", "arn:aws:iam::11111:role/syncd", "arn:aws:iam::111111111111:role/",
		"arn:aws:sts::111111111111:assumed-role/syncd/x", "arn:aws:iam::111111111111:role/a*/b", "arn:aws:iam::111111111111:role/" + strings.Repeat("a", 65), "syncd",
	} {
		if a, err := arn.ParseRole(text); err == nil || !strings.Contains(err.Error(), "is not the ARN of a role; use arn:aws:iam::ACCOUNT:role/NAME") {
			t.Errorf("%q: got %v, %v, want an error", text, a, err)
		}
	}
}

func TestParseKey(t *testing.T) {
	const id = "1234abcd-12ab-34cd-56ef-1234567890ab"
	if a, err := arn.ParseKey("arn:aws:kms:us-east-1:111111111111:key/" + id); err != nil || a.Region != "us-east-1" {
		t.Errorf("got %v, %v", a, err)
	}
	for text, want := range map[string]string{
		"alias/syncd": "is an alias",
		"arn:aws:kms:us-east-1:111111111111:alias/syncd": "is an alias",
		id:                                      "is a bare key id",
		"arn:aws:kms::111111111111:key/" + id:   "is not a key ARN",
		"arn:aws:kms:us-east-1:1111:key/" + id:  "is not a key ARN",
		"arn:aws:s3:us-east-1:111111111111:key": "is not a key ARN",
		"a key":                                 "is not a key ARN",
	} {
		if a, err := arn.ParseKey(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v, want an error with %q", text, a, err, want)
		}
	}
}

func TestParseAccessPoint(t *testing.T) {
	const text = "arn:aws:s3:us-west-2:111111111111:accesspoint/exports"
	want := arn.AccessPoint{ARN: text, Region: "us-west-2", Account: "111111111111", Name: "exports"}
	got, err := arn.ParseAccessPoint(text)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, (-want +got):\n%s", err, diff)
	}
	for text, want := range map[string]string{
		"exports": "is not an ARN; use arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME",
		"arn:aws:s3-object-lambda:us-west-2:111111111111:accesspoint/exports": "is an Object Lambda access point",
		"arn:aws:s3-outposts:us-west-2:111111111111:outpost/x":                "is an access point of S3 on Outposts",
		"arn:aws:s3express:us-west-2:111111111111:accesspoint/exports":        "is an access point of a directory bucket",
		"arn:aws:s3tables:us-west-2:111111111111:bucket/exports":              "is a table bucket",
		"arn:aws:sqs:us-west-2:111111111111:exports":                          "is not the ARN of an access point",
		"arn:aws:s3:::exports":                                   `is the ARN of a bucket; use its name, "exports"`,
		"arn:aws:s3::111111111111:accesspoint/m.mrap":            "is a Multi-Region Access Point",
		"arn:aws:s3:us-west-2:111111111111:accesspoint/Exports":  "is not the ARN of an access point",
		"arn:aws:s3:us-west-2:111111111111:job/1":                "is not the ARN of an access point",
		"arn:aws:s3:cn-north-1:111111111111:accesspoint/exports": "does not name a region of partition aws",
		"arn:aws:s3:us-west-2:1:accesspoint/exports":             "does not name an account",
	} {
		if got, err := arn.ParseAccessPoint(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v, want an error with %q", text, got, err, want)
		}
	}
}

// TestWrite checks that formatted ARNs can be parsed again.
func TestWrite(t *testing.T) {
	const account = "111111111111"
	for got, want := range map[string]string{
		arn.Root("aws-cn", account):                                                "arn:aws-cn:iam::111111111111:root",
		arn.Role("aws", account, "syncd"):                                          "arn:aws:iam::111111111111:role/syncd",
		arn.Session("arn:aws:iam::111111111111:role/a/b/syncd", "run"):             "arn:aws:sts::111111111111:assumed-role/syncd/run",
		arn.Bucket("aws-us-gov", "owner-data"):                                     "arn:aws-us-gov:s3:::owner-data",
		arn.Point("aws", "us-west-2", account, "exports"):                          "arn:aws:s3:us-west-2:111111111111:accesspoint/exports",
		arn.Object("arn:aws:s3:::accesspoint", "a/b"):                              "arn:aws:s3:::accesspoint/a/b",
		arn.Object("arn:aws:s3:us-west-2:111111111111:accesspoint/exports", "a/b"): "arn:aws:s3:us-west-2:111111111111:accesspoint/exports/object/a/b",
		arn.Key("aws", "us-west-2", account, "1234abcd"):                           "arn:aws:kms:us-west-2:111111111111:key/1234abcd",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if _, err := arn.ParseRole(arn.Role("aws", account, "syncd")); err != nil {
		t.Error(err)
	}
	if _, err := arn.ParseKey(arn.Key("aws", "us-west-2", account, "1234abcd")); err != nil {
		t.Error(err)
	}
	if _, err := arn.ParseAccessPoint(arn.Point("aws", "us-west-2", account, "exports")); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"arn:aws:iam::111111111111:user/a", "arn:aws:iam::111111111111:role/", "arn:aws:iam::111111111111:role/a/", "role/a"} {
		if got := arn.Session(text, "run"); got != "" {
			t.Errorf("session of %q: got %q, want none", text, got)
		}
	}
}

func TestRoleOf(t *testing.T) {
	role, ok := arn.RoleOf("arn:aws-cn:sts::111111111111:assumed-role/syncd/run")
	if want := "arn:aws-cn:iam::111111111111:role/syncd"; !ok || role != want {
		t.Errorf("got %q, %v, want %q", role, ok, want)
	}
	for _, text := range []string{"", "arn:aws:iam::111111111111:assumed-role/syncd/run", "arn:aws:sts::111111111111:federated-user/run", "assumed-role/syncd/run"} {
		if role, ok := arn.RoleOf(text); ok {
			t.Errorf("%q: got %q, want none", text, role)
		}
	}
}

// TestParts checks that the functions that return one part of an ARN also accept text that is not a
// valid ARN.
func TestParts(t *testing.T) {
	for text, want := range map[string][4]string{ // account, kind, name, bucket
		"arn:aws:iam::111111111111:role/a/syncd":    {"111111111111", "role", "syncd", "role"},
		"arn:*:iam::111111111111:root":              {"111111111111", "", "root", "root"},
		"arn:aws:s3:::owner-data":                   {"", "", "owner-data", "owner-data"},
		"arn:aws:s3:::owner-data/exports/a":         {"", "owner-data", "a", "owner-data"},
		"arn:aws:sqs:us-west-2:111111111111:events": {"111111111111", "", "events", "events"},
		"owner-data": {"", "", "owner-data", ""},
	} {
		if got := [4]string{arn.Account(text), arn.Kind(text), arn.Name(text), arn.BucketOf(text)}; got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]bool{"arn:aws:iam::111111111111:root": true, "arn:aws:iam::111111111111:user/root": false, "arn:aws:sts::111111111111:root": false} {
		if a, _ := arn.Split(text); a.IsRoot() != want {
			t.Errorf("%s: got root %v, want %v", text, !want, want)
		}
	}
}
