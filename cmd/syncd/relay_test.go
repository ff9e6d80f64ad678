package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"syncd/internal/awsfake"
	"syncd/internal/demo"
)

// newRelaySite returns a site where a role in the owner's account reads and a role in the
// consumer's account writes.
func newRelaySite(t *testing.T) *site {
	t.Helper()
	s := newSite(t, twoRoles)
	s.addReader()
	return s
}

// twoRoles edits a configuration to use different roles for reading and writing.
func twoRoles(text string) string {
	text = strings.Replace(text, "role: consumer}", "role: reader}", 1)
	return strings.Replace(text, "roles:\n", "roles:\n  reader:\n    arn: arn:aws:iam::"+demo.Owner+":role/syncd-reader\n    external_id: "+demo.ExternalID+"\n", 1)
}

// addReader creates the role that reads the source, and removes the consumer from the owner's key
// policy.
func (s *site) addReader() {
	reader := s.Cloud.Account(demo.Owner).CreateRole("syncd-reader", demo.Document(demo.TrustPolicy, s.World), awsfake.RoleOptions{})
	reader.SetPolicies(demo.Document(`{"Version": "2012-10-17", "Statement": [
	  {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{source}"},
	  {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectTagging"], "Resource": "arn:aws:s3:::{source}/*"},
	  {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "{owner-key}"}]}`, s.World))
	s.Revoke()
}

// TestBackfillByRelay checks that small, large and empty objects and objects with awkward keys are
// copied correctly if one role reads and another role writes.
func TestBackfillByRelay(t *testing.T) {
	s := newRelaySite(t)
	const part = 8 << 20
	for i, size := range []int64{0, 1, part - 1, part, part + 1, 3*part + 12345} {
		s.Source.Put(fmt.Sprintf("size/%d", size), awsfake.SyntheticBody(size, uint64(i)), awsfake.PutOptions{ //nolint:gosec // small
			ContentType: "text/csv", Metadata: map[string]string{"origin": "test"}, Tags: map[string]string{"class": "a b+c", "empty": ""},
			Headers: map[string]string{"Cache-Control": "no-cache", "Content-Language": "de"},
		})
	}
	for _, key := range []string{"a//b", "./x", "../y", "/lead", "sp ace+plus", "%41?q#f", "grüße", "ctl\x01", "dir/"} {
		s.Source.Put(key, awsfake.BytesBody([]byte(key)), awsfake.PutOptions{})
	}
	got := s.run(t.Context(), "backfill", "--json")
	if got.code != 0 {
		t.Fatalf("got exit %d, want 0; stderr:\n%s", got.code, got.stderr)
	}
	if n := s.Cloud.Requests()["CopyObject"] + s.Cloud.Requests()["UploadPartCopy"]; n != 0 {
		t.Errorf("got %d server-side copies, want none", n)
	}
	if diff := cmp.Diff(s.Source.Keys(), s.Destination.Keys()); diff != "" {
		t.Fatalf("keys (-source +copy):\n%s", diff)
	}
	for _, key := range s.Source.Keys() {
		original, _ := s.Source.Object(key)
		copied, _ := s.Destination.Object(key)
		original.ETag, original.VersionID, original.LastModified = copied.ETag, copied.VersionID, copied.LastModified
		original.KeyARN, original.BucketKey = s.ConsumerKey.ARN(), true
		if diff := cmp.Diff(original, copied, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q (-source +copy):\n%s", key, diff)
		}
	}
	if n := s.Destination.Uploads(); n != 0 {
		t.Errorf("got %d unfinished uploads, want none", n)
	}
	again := lastLine(t, s.run(t.Context(), "backfill", "--json").stdout)
	if again.Unchanged != int64(len(s.Source.Keys())) {
		t.Errorf("got %+v, want all unchanged", again)
	}
}

// TestRelayResumesCutBodies checks that a relay resumes if the body of every first response is
// truncated.
func TestRelayResumesCutBodies(t *testing.T) {
	s := newRelaySite(t)
	for i := range 20 {
		s.Source.Put(fmt.Sprintf("k%02d", i), awsfake.SyntheticBody(int64(i)*300_000, uint64(i)), awsfake.PutOptions{}) //nolint:gosec // small
	}
	defer s.Cloud.Inject(awsfake.Fault{Operation: "GetObject", Probability: 0.5, Kind: awsfake.CutBody})()
	got := s.run(t.Context(), "backfill", "--json")
	if got.code != 0 {
		t.Fatalf("got exit %d, want 0; stderr:\n%s", got.code, got.stderr)
	}
	for _, key := range s.Source.Keys() {
		original, _ := s.Source.Object(key)
		if copied, _ := s.Destination.Object(key); copied.Checksum != original.Checksum {
			t.Errorf("%s: got checksum %s, want %s", key, copied.Checksum, original.Checksum)
		}
	}
}
