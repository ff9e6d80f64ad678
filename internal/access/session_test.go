package access_test

import (
	"errors"
	"strings"
	"testing"

	"syncd/internal/access"
	"syncd/internal/iam"
)

// A scoped session does its mapping, and nothing of another one that its role may do.
func TestSessionPolicy(t *testing.T) {
	c := load(t, "share-role")
	exports, _ := c.Mapping("exports")
	policy, err := access.SessionPolicy(c, exports, "consumer")
	if err != nil {
		t.Fatal(err)
	}
	everything := iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	for _, m := range c.Mappings {
		for _, n := range access.Needs(c, m) {
			if n.Role != "consumer" {
				continue
			}
			d := iam.Evaluate(iam.Request{
				Caller: iam.Caller{ARN: "arn:aws:sts::222222222222:assumed-role/syncd-consumer/syncd", RoleARN: n.Principal, Account: consumer},
				Action: n.Action, Resource: n.Sample, Account: consumer, Context: n.Context,
			}, iam.Policies{Identity: []*iam.Document{everything}, Session: []*iam.Document{policy}})
			// Keys and the state are shared by both mappings, and so is the right to list uploads of the bucket.
			shared := strings.HasPrefix(n.Action, "kms:") || strings.HasPrefix(string(n.On), "state") || n.Action == "s3:ListBucketMultipartUploads"
			if want := m.Name == "exports" || shared; d.Allowed != want {
				t.Errorf("%s on %s of mapping %s: got allowed %t, want %t", n.Action, n.Sample, m.Name, d.Allowed, want)
			}
		}
	}
}

func TestSessionPolicyOfAHop(t *testing.T) {
	c := load(t, "share-abac")
	policy, err := access.SessionPolicyText(c, c.Mappings[0], "governance")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:SetSourceIdentity","sts:TagSession"],` +
		`"Resource":"arn:aws:iam::222222222222:role/syncd-consumer"}]}`
	if policy != want {
		t.Errorf("got %s, want %s", policy, want)
	}
}

func TestSessionPolicyThatCannotBe(t *testing.T) {
	long := many(t, 1, strings.Repeat("a", 700)+"-%d/")
	_, err := access.SessionPolicy(long, long.Mappings[0], "r")
	if tooLarge, ok := errors.AsType[*access.SizeError](err); !ok || tooLarge.Limit != 2048 {
		t.Errorf("long prefix: got %v, want a *SizeError of 2048", err)
	}
	if _, err := access.SessionPolicy(long, long.Mappings[0], "other"); err == nil {
		t.Error("role that the mapping does not use: got no error, want one")
	}
}
