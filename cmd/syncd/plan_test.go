package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"syncd/internal/assembly"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/demo"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/plan"
	"syncd/internal/report"
	"syncd/internal/syncer"
	"syncd/internal/syncer/preview"
)

// plan runs the command and decodes its last line.
func (s *site) plan(t *testing.T, args ...string) (planned preview.Pass, got outcome) {
	t.Helper()
	got = s.run(t.Context(), append([]string{"plan", "--json"}, args...)...)
	lines := strings.Split(strings.TrimRight(got.stdout, "\n"), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &planned); err != nil {
		t.Fatalf("decode the last line of %q: %v; stderr:\n%s", got.stdout, err, got.stderr)
	}
	return planned, got
}

// tree returns every file of a directory with its content. A missing directory is empty.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// pass runs one pass of the site's mapping. It returns the summary, and the cost from the metrics.
func (s *site) pass(t *testing.T) (summary syncer.Summary, dollars float64) {
	t.Helper()
	built, err := assembly.New(t.Context(), invocation.Process{
		Stdout: t.Output(), Stderr: t.Output(), LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: s.now, Ambient: s.SignIn(),
	}, invocation.Flags{Config: s.config})
	if err != nil {
		t.Fatal(err)
	}
	summary, err = built.Mappings[0].Syncer.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := built.Mappings[0].Syncer.Close(); err != nil {
		t.Fatal(err)
	}
	return summary, testutil.ToFloat64(built.Metrics.Cost.WithLabelValues(demo.Mapping))
}

// sizes puts an object of each size.
func (s *site) sizes(o awsfake.PutOptions, sizes ...int64) {
	for i, size := range sizes {
		s.Source.Put(fmt.Sprintf("size/%02d", i), awsfake.SyntheticBody(size, uint64(i)), o) //nolint:gosec // small
	}
}

// TestPlanMatchesPass checks that every plan equals the pass that follows it, in the objects, the
// number of requests per operation, and the dollars in the metric. It also checks that the plan
// sends only list requests and writes nothing.
func TestPlanMatchesPass(t *testing.T) {
	const mib = 1 << 20
	set := func(section string) func(string) string { return func(text string) string { return text + section } }
	tests := []struct {
		name string
		edit func(string) string
		fill func(s *site)
	}{
		{"small objects", nil, func(s *site) { s.sizes(awsfake.PutOptions{}, make([]int64, 2345)...) }},
		{"an empty bucket", nil, func(*site) {}},
		{"objects in parts", set("    copy: {part_size: 7MiB, multipart_above: 5MiB}\n"), func(s *site) {
			s.sizes(awsfake.PutOptions{}, 0, 5*mib, 5*mib+1, 7*mib, 14*mib, 100*mib+1)
		}},
		{"parts of the copier's own size", nil, func(s *site) { s.sizes(awsfake.PutOptions{}, 5<<30, 5<<30+1, 20<<30) }},
		{"parts without tags and metadata", set("    copy: {multipart_above: 5MiB, tags: omit, metadata: omit}\n"), func(s *site) {
			s.sizes(awsfake.PutOptions{}, 1, 6*mib)
		}},
		{"relay", twoRoles, func(s *site) { s.sizes(awsfake.PutOptions{}, 0, 1, 8*mib, 8*mib+1, 3*8*mib+12345) }},
		{"relay without tags", func(text string) string { return twoRoles(text) + "    copy: {tags: omit, part_size: 5MiB}\n" }, func(s *site) {
			s.sizes(awsfake.PutOptions{}, 1, 12*mib)
		}},
		{"classes", func(text string) string {
			return strings.Replace(text, `kms_key: "`, `storage_class: GLACIER_IR, bucket_key: false, kms_key: "`, 1)
		}, func(s *site) {
			for _, class := range []string{"STANDARD", "STANDARD_IA", "ONEZONE_IA", "GLACIER_IR", "INTELLIGENT_TIERING"} {
				s.Source.Put(class, awsfake.SyntheticBody(1<<30, 1), awsfake.PutOptions{StorageClass: class})
			}
		}},
		{"classes that are kept", func(text string) string {
			return strings.Replace(text, `kms_key: "`, `storage_class: keep, kms_key: "`, 1)
		}, func(s *site) {
			s.sizes(awsfake.PutOptions{StorageClass: "STANDARD_IA"}, 1, 6<<30)
			s.Source.Put("none", awsfake.BytesBody(nil), awsfake.PutOptions{})
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, tt.edit)
			if strings.HasPrefix(tt.name, "relay") {
				s.addReader()
			}
			tt.fill(s)
			before := tree(t, s.dir)
			s.Cloud.ResetRequests()
			planned, got := s.plan(t)
			if got.code != 0 {
				t.Fatalf("got exit %d, want 0; stderr:\n%s", got.code, got.stderr)
			}
			if diff := cmp.Diff(before, tree(t, s.dir)); diff != "" {
				t.Errorf("files that a plan changed (-before +after):\n%s", diff)
			}
			for operation, n := range s.Cloud.Requests() {
				if operation != "AssumeRole" && operation != "ListObjectsV2" {
					t.Errorf("got %d %s from a plan, want none", n, operation)
				}
			}
			summary, dollars := s.pass(t)
			delete(summary.Requests, "AssumeRole") // depends on the sessions
			if diff := cmp.Diff(summary.Requests, planned.Requests); diff != "" {
				t.Errorf("requests (-pass +plan):\n%s", diff)
			}
			if summary.Copied != planned.Copy.Objects || summary.CopiedBytes != planned.Copy.Bytes || summary.Listed != planned.Listed {
				t.Errorf("got %d copied (%d bytes) of %d, want the planned %+v of %d", summary.Copied, summary.CopiedBytes, summary.Listed, planned.Copy, planned.Listed)
			}
			const tolerance = 1e-6 // in dollars, for rounding errors of sums
			if math.Abs(dollars-planned.Dollars.Total) > tolerance {
				t.Errorf("got a cost of $%.9f in the metric, want the planned $%.9f", dollars, planned.Dollars.Total)
			}
			again, _ := s.plan(t)
			if again.Work() != 0 || again.Unchanged != summary.Listed || again.Generation != 1 || again.Pass != 2 {
				t.Errorf("got the plan %+v after the pass, want all unchanged", again)
			}
		})
	}
}

// TestPlanWhileLeaseHeld checks that plan works while another process holds the lease.
func TestPlanWhileLeaseHeld(t *testing.T) {
	s := newSite(t, nil)
	s.sizes(awsfake.PutOptions{}, 1, 2, 3)
	store := s.ledgers(t)
	daemon, err := checkpoint.Open(t.Context(), store, checkpoint.Options{Mapping: demo.Mapping, Holder: "daemon/1"})
	if err != nil {
		t.Fatal(err)
	}
	planned, got := s.plan(t)
	if got.code != 0 || planned.Copy != (preview.Tally{Objects: 3, Bytes: 6}) {
		t.Errorf("got exit %d, %+v, want 3 objects planned; stderr:\n%s", got.code, planned, got.stderr)
	}
	if got := s.run(t.Context(), "backfill"); got.code != syncer.ExitLeaseHeld {
		t.Errorf("got exit %d of a backfill, want %d: the lease is held", got.code, syncer.ExitLeaseHeld)
	}
	if err := daemon.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestPlanExitCodes checks the exit codes of plan with and without --detailed-exitcode.
func TestPlanExitCodes(t *testing.T) {
	s := newSite(t, nil)
	s.sizes(awsfake.PutOptions{}, 1)
	for _, want := range []int{exit.CodeFindings, 0} {
		if got := s.run(t.Context(), "plan"); got.code != 0 {
			t.Errorf("got exit %d, want 0 without --detailed-exitcode; stderr:\n%s", got.code, got.stderr)
		}
		if got := s.run(t.Context(), "plan", "--detailed-exitcode"); got.code != want {
			t.Errorf("got exit %d, want %d; stdout:\n%s", got.code, want, got.stdout)
		}
		s.pass(t)
	}
	s.Cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Kind: awsfake.AccessDenied})
	if got := s.run(t.Context(), "plan", "--detailed-exitcode"); got.code != 1 || !strings.Contains(got.stderr, "hint: the role lacks a permission") {
		t.Errorf("got exit %d, want 1 and a hint; stderr:\n%s", got.code, got.stderr)
	}
}

// TestPlanList checks that --list prints a line for each action, in key order.
func TestPlanList(t *testing.T) {
	s := newSite(t, func(text string) string { return text + "    filter: {exclude: [\"tmp/**\"]}\n" })
	s.sizes(awsfake.PutOptions{}, 1, 2)
	s.pass(t)
	s.Source.Delete("size/00")
	s.Source.Put("a<b>\xff", awsfake.BytesBody([]byte("new")), awsfake.PutOptions{})
	s.Source.Put("tmp/x", awsfake.BytesBody(nil), awsfake.PutOptions{})
	_, got := s.plan(t, "--list")
	lines := strings.Split(strings.TrimRight(got.stdout, "\n"), "\n")
	var steps []report.Step
	for _, line := range lines[:len(lines)-1] {
		var one report.Step
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("decode %q: %v", line, err)
		}
		steps = append(steps, one)
	}
	want := []report.Step{
		{Mapping: demo.Mapping, Action: "copy", Reason: "missing", Key: "a<b>\ufffd", KeyBytes: []byte("a<b>\xff"), Bytes: 3},
		{Mapping: demo.Mapping, Action: "keep", Reason: "gone", Key: "size/00", Bytes: 1},
		{Mapping: demo.Mapping, Action: "skip", Reason: "unchanged", Key: "size/01", Bytes: 2},
		{Mapping: demo.Mapping, Action: "skip", Reason: "excluded", Key: "tmp/x", Bytes: 0},
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	text := s.run(t.Context(), "plan", "--list").stdout
	for _, want := range []string{`copy        missing                  3  "a<b>\xff"`, "kept         1 object whose source is gone", "skipped      excluded 1"} {
		if !strings.Contains(text, want) {
			t.Errorf("got %q, want %q in it", text, want)
		}
	}
}

// TestPlanOfAnotherKey checks that the plan shows that the pass would be refused, and what the pass
// would do with --rekey.
func TestPlanOfAnotherKey(t *testing.T) {
	s := newSite(t, nil)
	s.sizes(awsfake.PutOptions{}, 1, 2)
	s.pass(t)
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	key := s.Cloud.Account(demo.Consumer).CreateKey(demo.Region, nil).ARN()
	if err := os.WriteFile(s.config, []byte(strings.ReplaceAll(string(text), s.ConsumerKey.ARN(), key)), 0o600); err != nil {
		t.Fatal(err)
	}
	planned, _ := s.plan(t)
	want := map[string]preview.Tally{"wrong_key": {Objects: 2, Bytes: 3}}
	if diff := cmp.Diff(want, planned.CopyByReason); diff != "" || !strings.Contains(planned.Rekey, key) {
		t.Errorf("got the refusal %q, want %s in it; by reason (-want +got):\n%s", planned.Rekey, key, diff)
	}
	if allowed, _ := s.plan(t, "--rekey"); allowed.Rekey != "" || allowed.Copy.Objects != 2 {
		t.Errorf("got %+v, want no refusal if a rekey is allowed", allowed)
	}
	if text := s.run(t.Context(), "plan").stdout; !strings.Contains(text, "--rekey allows it") {
		t.Errorf("got %q, want a hint about --rekey", text)
	}
}

// TestPlanIsDocumented checks that docs/cli.md describes every field of the JSON.
func TestPlanIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## The plan\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, of := range []reflect.Type{
		reflect.TypeFor[preview.Pass](), reflect.TypeFor[preview.Tally](), reflect.TypeFor[preview.PriceList](),
		reflect.TypeFor[plan.Dollars](), reflect.TypeFor[plan.Estimate](), reflect.TypeFor[report.Step](),
	} {
		for _, field := range reflect.VisibleFields(of) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if name != "" && !strings.Contains(section, "`"+name+"`") {
				t.Errorf("docs/cli.md says nothing of %s of %s", name, of)
			}
		}
	}
}

// TestPlanOfSeveralMappings checks that the table shows all mappings, including mappings after one
// whose plan fails.
func TestPlanOfSeveralMappings(t *testing.T) {
	s := newSite(t, func(text string) string {
		head, mapping, _ := strings.Cut(text, "mappings:\n")
		named := func(name, source string) string {
			return strings.NewReplacer(demo.Mapping, name, "bucket: "+demo.Source, "bucket: "+source, "bucket: "+demo.Copy, "bucket: "+demo.Copy+", prefix: "+name+"/").Replace(mapping)
		}
		return head + "mappings:\n" + named("first", demo.Source) + named("broken", "not-there") + named("third", demo.Source)
	})
	s.sizes(awsfake.PutOptions{}, 1)
	got := s.run(t.Context(), "plan", "--json", "--detailed-exitcode")
	var all report.Plans
	if err := json.Unmarshal([]byte(got.stdout), &all); err != nil || len(all.Plans) != 3 {
		t.Fatalf("decode %q: %v, %d plans, want 3; stderr:\n%s", got.stdout, err, len(all.Plans), got.stderr)
	}
	for i, want := range []preview.Pass{{Mapping: "first", Listed: 1}, {Mapping: "broken"}, {Mapping: "third", Listed: 1}} {
		failed := all.Plans[i].Error != ""
		if one := all.Plans[i]; one.Mapping != want.Mapping || one.Listed != want.Listed || failed != (want.Mapping == "broken") {
			t.Errorf("got %+v, want %s with %d listed", one, want.Mapping, want.Listed)
		}
	}
	if got.code != 1 || !strings.Contains(got.stderr, "mapping broken: plan: ") {
		t.Errorf("got exit %d, want 1, because a failure takes precedence over work to do; stderr:\n%s", got.code, got.stderr)
	}
}

// TestPlanText checks the printed text of a plan.
func TestPlanText(t *testing.T) {
	s := newSite(t, nil)
	s.sizes(awsfake.PutOptions{}, 1024, 2048)
	got := s.run(t.Context(), "plan")
	want := `pass 1 of owner-to-consumer would list 2 objects
  copy         2 objects, 3.0 KiB: missing 2 (3.0 KiB)
  unchanged    0 objects
  requests     CopyObject 2, ListObjectsV2 2
  to KMS       about Decrypt 2, GenerateDataKey 1
  dollars      $0.000026: requests $0.000020, KMS $0.000006, transfer $0, retrieval $0
  paid by      the source's owner $0.000005, the consumer $0.000021
  time         about 200ms, limited by listing
  prices       list prices of us-east-1, read 2026-11; other regions differ
  not counted  storage, which is billed by the month; retries, and requests to STS; the monthly free tiers and discounts; requests for the ledger, if it is stored on S3
`
	if diff := cmp.Diff(want, got.stdout); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}

// TestPlanCountsTagRequests checks that a plan counts the same requests as the pass, if the pass
// copies only selected tags.
func TestPlanCountsTagRequests(t *testing.T) {
	s := newSite(t, func(text string) string {
		return strings.Replace(text, "    schedule:", "    copy: {tags: {only: [class]}}\n    schedule:", 1)
	})
	for _, key := range []string{"a", "b", "c"} {
		s.Source.Put(key, awsfake.BytesBody([]byte(key)), awsfake.PutOptions{Tags: map[string]string{"class": key, "expire": "now"}})
	}
	var planned preview.Pass
	got := s.run(t.Context(), "plan", "--json")
	if err := json.Unmarshal([]byte(got.stdout), &planned); err != nil {
		t.Fatalf("decode %q: %v; stderr:\n%s", got.stdout, err, got.stderr)
	}
	if planned.Requests["GetObjectTagging"] != 3 || planned.Requests["CopyObject"] != 3 || planned.Dollars.Requests < 3*0.0000054 {
		t.Errorf("got requests %v for %+v, want tags read and copied 3 times", planned.Requests, planned.Dollars)
	}
	s.Cloud.ResetRequests()
	if got := s.run(t.Context(), "backfill"); got.code != 0 {
		t.Fatalf("got exit %d; stderr:\n%s", got.code, got.stderr)
	}
	if sent := s.Cloud.Requests(); sent["GetObjectTagging"] != 3 || sent["CopyObject"] != 3 || sent["HeadObject"] != 0 {
		t.Errorf("got requests %v, want a read of the tags and a copy for each object", sent)
	}
	for _, key := range []string{"a", "b", "c"} {
		copied, _ := s.Destination.Object(key)
		if diff := cmp.Diff(map[string]string{"class": key}, copied.Tags); diff != "" {
			t.Errorf("tags of %s (-want +got):\n%s", key, diff)
		}
	}
}
