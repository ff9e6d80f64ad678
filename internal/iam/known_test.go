package iam_test

import (
	"slices"
	"strings"
	"testing"

	"syncd/internal/iam"
)

// TestKnown checks the form of known.txt, and some facts about S3, KMS, STS and SQS.
func TestKnown(t *testing.T) {
	k := iam.ReadKnown()
	count := map[string]int{}
	for _, a := range k.Actions() {
		service, _, _ := strings.Cut(a.Name, ":")
		count[service]++
		if !k.Service(service) || !slices.Contains([]string{"bucket", "object", "key", "role", "queue", "other", "none"}, a.On) {
			t.Errorf("%s: got type of resource %q, want a known one of a known service", a.Name, a.On)
		}
	}
	for service, least := range map[string]int{"s3": 170, "kms": 50, "sts": 15, "sqs": 20} {
		if count[service] < least {
			t.Errorf("got %d actions of %s, want at least %d", count[service], service, least)
		}
	}
	for _, key := range k.Keys() {
		if !slices.Contains([]string{"String", "ARN", "Bool", "Numeric", "Date", "IPAddress"}, key.Type) {
			t.Errorf("%s: got type %q, want a known one", key.Name, key.Type)
		}
	}
	for name, want := range map[string]string{"s3:ListBucket": "bucket", "S3:GETOBJECT": "object", "kms:Decrypt": "key", "sts:AssumeRole": "role"} {
		if got := k.Matching(name); len(got) != 1 || got[0].On != want {
			t.Errorf("%s: got %v, want one on a %s", name, got, want)
		}
	}
	if got := k.Matching("s3:*Torrent"); len(got) != 2 {
		t.Errorf("got %v, want the two actions of torrents", got)
	}
	if got := k.Matching("s3:Read*"); got != nil {
		t.Errorf("got %v, want none", got)
	}
}

func TestKnownKeys(t *testing.T) {
	k := iam.ReadKnown()
	for name, want := range map[string]string{
		"aws:principaltag/Team": "aws:PrincipalTag/", "kms:EncryptionContext:aws:s3:arn": "kms:EncryptionContext:",
		"s3:ExistingObjectTag/class": "s3:ExistingObjectTag/", "AWS:SourceArn": "aws:SourceArn", "aws:PrincipalTag/": "", "s3:frob": "",
	} {
		if got, ok := k.Key(name); got.Name != want || ok != (want != "") {
			t.Errorf("%s: got %q, %v, want %q", name, got.Name, ok, want)
		}
	}
}
