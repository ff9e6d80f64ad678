package access_test

import (
	"errors"
	"strings"
	"testing"

	"syncd/internal/access"
	"syncd/internal/access/accesstest"
	"syncd/internal/iam"
)

// TestSessionPolicy checks that a scoped session has every permission that its mapping needs, and
// none that only another mapping of the same role needs.
func TestSessionPolicy(t *testing.T) {
	c := accesstest.Load(t, "share-role")
	exports, _ := c.Mapping("exports")
	policy, err := access.SessionPolicy(c, exports, "consumer")
	if err != nil {
		t.Fatal(err)
	}
	everything := iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	open := iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"*","Resource":"*"}]}`)
	for _, m := range c.Mappings {
		for _, n := range access.Needs(c, m) {
			if n.Role != "consumer" {
				continue
			}
			d := iam.Evaluate(iam.Request{
				Caller: iam.Caller{ARN: "arn:aws:sts::222222222222:assumed-role/syncd-consumer/syncd", RoleARN: n.Principal, Account: accesstest.Consumer},
				Action: n.Action, Resource: n.Sample, Account: n.Owner, Context: n.Context,
			}, iam.Policies{Identity: []*iam.Document{everything}, Session: []*iam.Document{policy}, Resource: open, Kind: iam.Bucket})
			// Copies and the state use an S3 Bucket Key, with the bucket as the encryption context.
			// Both mappings use the same destination bucket and state, and the same permission to
			// list uploads.
			shared := n.On == access.DestinationKey || strings.HasPrefix(string(n.On), "state") || n.Action == "s3:ListBucketMultipartUploads"
			if want := m.Name == "exports" || shared; d.Allowed != want {
				t.Errorf("%s on %s of mapping %s: got allowed %t, want %t", n.Action, n.Sample, m.Name, d.Allowed, want)
			}
		}
	}
}

func TestSessionPolicyOfAHop(t *testing.T) {
	c := accesstest.Load(t, "share-abac")
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

func TestSessionPolicyErrors(t *testing.T) {
	long := accesstest.ManyMappings(t, 1, strings.Repeat("a", 700)+"-%d/")
	_, err := access.SessionPolicy(long, long.Mappings[0], "r")
	if tooLarge, ok := errors.AsType[*access.SizeError](err); !ok || tooLarge.Limit != 2048 {
		t.Errorf("long prefix: got %v, want a *SizeError of 2048", err)
	}
	if _, err := access.SessionPolicy(long, long.Mappings[0], "other"); err == nil {
		t.Error("role that the mapping does not use: got no error, want one")
	}
}

// TestSessionPolicyKeepsWhatFits checks that a session policy contains as many of its optional
// conditions as fit. It leaves out the account of a bucket first, then the encryption context of a
// key, then the service that uses the key.
func TestSessionPolicyKeepsWhatFits(t *testing.T) {
	const kmsContext, account, via = "kms:EncryptionContext:aws:s3:arn", "aws:ResourceAccount", "kms:ViaService"
	order := []string{account, kmsContext, via}
	var most int
	for length := range 200 {
		c := accesstest.ManyMappings(t, 1, strings.Repeat("a", length)+"-%d/")
		text, err := access.SessionPolicyText(c, c.Mappings[0], "r")
		if err != nil || len(text) > 2048 {
			t.Fatalf("prefix of %d: got %d characters and %v, want at most 2048", length, len(text), err)
		}
		left, err := access.SessionLeftOut(c, c.Mappings[0], "r")
		if err != nil || len(left) < most {
			t.Fatalf("prefix of %d: got %q left out and %v, want at least as many as for a shorter prefix", length, left, err)
		}
		most = len(left)
		for i, key := range order {
			if got, want := strings.Contains(text, `"`+key+`"`), i >= len(left); got != want {
				t.Errorf("prefix of %d, %q left out: got %s in the policy %t, want %t", length, left, key, got, want)
			}
		}
	}
	if most == 0 || most == len(order)+1 {
		t.Errorf("got at most %d conditions left out, want prefixes that leave some out", most)
	}
}
