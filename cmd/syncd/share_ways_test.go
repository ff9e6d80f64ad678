package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/config"
	"syncd/internal/access/doctor"
	"syncd/internal/awsfake"
	"syncd/internal/report"
	"syncd/internal/syncer"
)

// TestShare checks that every way of sharing works with only the documents that the program writes.
func TestShare(t *testing.T) {
	const size, parts = 11 << 20, 3
	for _, way := range []string{"owner-role", "account", "role", "org", "abac"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			x := newSharing(t, way)
			if got := x.run(t, "policy", "check", x.policiesFile()); got.code != 0 {
				t.Errorf("policy check: got exit %d, want 0; stdout:\n%s", got.code, got.stdout)
			}
			x.put("", size)
			for _, p := range x.diagnose(t, 0).Probes {
				if p.Bad() {
					t.Errorf("doctor before the first pass: %s", describe(p))
				}
			}
			x.cloud.ResetRequests()
			x.checkPasses(t, syncer.Summary{Listed: 4, Copied: 4})
			x.checkRoute(t, parts)
			x.checkCopies(t)
			x.checkPasses(t, syncer.Summary{Listed: 4, Unchanged: 4})
			for _, p := range x.diagnose(t, 0).Probes {
				if p.Outcome != doctor.OutcomeOK {
					t.Errorf("doctor: %s, want ok", describe(p))
				}
			}
			x.checkCopies(t)
		})
	}
}

func describe(p doctor.Probe) string {
	return p.Mapping + ": " + p.Action + " on " + p.Resource + " is " + string(p.Outcome) + ": " + p.Error
}

// put puts objects under the prefix of every mapping: an empty object, a small object under the KMS
// key itself, a small object under a bucket key, and an object of the given size.
func (x *sharing) put(name string, size int64) {
	source := x.buckets[shareSource]
	o := awsfake.PutOptions{ContentType: "text/csv", Metadata: map[string]string{"origin": "test"}, Tags: map[string]string{"team": "lake", "class": "a b+c"}}
	for _, m := range x.mappings {
		at := m.Source.Prefix + name
		source.SetEncryption(x.ownerKey.ARN(), false)
		source.Put(at+"empty", awsfake.BytesBody(nil), o)
		source.Put(at+"plain", awsfake.BytesBody([]byte("plain "+at)), o)
		source.SetEncryption(x.ownerKey.ARN(), true)
		source.Put(at+"bucket key", awsfake.BytesBody([]byte("bucket key "+at)), o)
		source.Put(at+"large", awsfake.SyntheticBody(size, uint64(len(at))), o)
	}
}

// pass runs a backfill and returns the summary of each mapping.
func (x *sharing) pass(t *testing.T) (outcome, []syncer.Summary) {
	t.Helper()
	got := x.run(t, "backfill", "--json")
	if len(x.mappings) == 1 {
		return got, []syncer.Summary{lastLine(t, got.stdout)}
	}
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	var all report.Passes
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &all); err != nil {
		t.Fatalf("got exit %d, stdout %q, %v; want a summary of each mapping; stderr:\n%s", got.code, got.stdout, err, got.stderr)
	}
	return got, all.Passes
}

// checkPasses checks that a pass of each mapping settled every object, with the given numbers of
// copied and unchanged objects.
func (x *sharing) checkPasses(t *testing.T, want syncer.Summary) {
	t.Helper()
	got, all := x.pass(t)
	if got.code != 0 || len(all) != len(x.mappings) {
		t.Fatalf("got exit %d with %d summaries, want 0 with %d; stderr:\n%s", got.code, len(all), len(x.mappings), got.stderr)
	}
	for _, s := range all {
		if s.Listed != want.Listed || s.Copied != want.Copied || s.Unchanged != want.Unchanged {
			t.Errorf("%s: got %d listed, %d copied and %d unchanged, want %d, %d and %d",
				s.Mapping, s.Listed, s.Copied, s.Unchanged, want.Listed, want.Copied, want.Unchanged)
		}
	}
}

// relays reports whether the example copies by relay, because none of its roles both reads and
// writes.
func (x *sharing) relays() bool { return x.mappings[0].Source.Role != x.mappings[0].Destination.Role }

// checkRoute checks that the bytes went through the program if the example copies by relay, and
// that S3 copied the bytes otherwise. It also checks the number of parts of large objects.
func (x *sharing) checkRoute(t *testing.T, parts int64) {
	t.Helper()
	read, written := x.cloud.BucketRequests(shareSource)["GetObject"], x.cloud.BucketRequests(shareCopy)
	whole, part, others := "CopyObject", "UploadPartCopy", written["PutObject"]+written["UploadPart"]
	if x.relays() {
		whole, part, others = "PutObject", "UploadPart", written["CopyObject"]+written["UploadPartCopy"]
	}
	if (read > 0) != x.relays() || others > 0 || written[whole] == 0 || written[part] != parts*int64(len(x.mappings)) {
		t.Errorf("got %d GetObject of the source, and of the copy %v, want %s and %d %s for each mapping", read, written, whole, parts, part)
	}
}

// checkCopies compares every object with its copy byte by byte, and checks the key that the copy is
// encrypted under.
func (x *sharing) checkCopies(t *testing.T) {
	t.Helper()
	var copies []string
	for _, m := range x.mappings {
		for _, key := range x.buckets[shareSource].Keys() {
			if name, ok := strings.CutPrefix(key, m.Source.Prefix); ok {
				copies = append(copies, m.Destination.Prefix+name)
				x.checkCopy(t, m, name)
			}
		}
	}
	slices.Sort(copies)
	if diff := cmp.Diff(copies, x.buckets[shareCopy].Keys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if n := x.buckets[shareCopy].Uploads(); n != 0 {
		t.Errorf("got %d unfinished uploads, want none", n)
	}
}

func (x *sharing) checkCopy(t *testing.T, m config.Mapping, name string) {
	t.Helper()
	source, target := x.buckets[shareSource], x.buckets[shareCopy]
	versions := target.Versions(m.Destination.Prefix + name)
	if len(versions) != 1 {
		t.Errorf("%q: got %d versions of the copy, want it written once", name, len(versions))
		return
	}
	want, _ := source.Object(m.Source.Prefix + name)
	if m.Copy.Tags.Carry == config.CarryOmit {
		want.Tags = nil
	}
	type look struct {
		Metadata, Tags map[string]string
		ContentType    string
		KeyARN         string
		BucketKey      bool
	}
	got := look{versions[0].Metadata, versions[0].Tags, versions[0].ContentType, versions[0].KeyARN, versions[0].BucketKey}
	if diff := cmp.Diff(look{want.Metadata, want.Tags, want.ContentType, x.copyKey.ARN(), true}, got); diff != "" {
		t.Errorf("%q (-want +got):\n%s", name, diff)
	}
	original, err := source.Read(m.Source.Prefix + name)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := target.Read(m.Destination.Prefix + name)
	if err != nil || !bytes.Equal(original, copied) {
		t.Errorf("%q: got %d bytes and %v, want the %d bytes of the source", name, len(copied), err, len(original))
	}
}

// diagnose runs the doctor, and checks its exit code and that it left no uploads.
func (x *sharing) diagnose(t *testing.T, code int) doctor.Diagnosis {
	t.Helper()
	got, d := x.doctor(t)
	if got.code != code || len(d.Leftovers) > 0 {
		t.Fatalf("doctor: got exit %d and %q left behind, want %d and nothing; stdout:\n%s\nstderr:\n%s", got.code, d.Leftovers, code, got.stdout, got.stderr)
	}
	return d
}

func (x *sharing) doctor(t *testing.T) (outcome, doctor.Diagnosis) {
	t.Helper()
	got := x.run(t, "doctor", "--json")
	var d doctor.Diagnosis
	if err := json.Unmarshal([]byte(got.stdout), &d); err != nil {
		t.Fatalf("doctor: got exit %d and %v, want a diagnosis; stdout:\n%s\nstderr:\n%s", got.code, err, got.stdout, got.stderr)
	}
	return got, d
}
