package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"syncd/internal/awsfake"
	"syncd/internal/demo"
	"syncd/internal/exit"
	"syncd/internal/report"
	"syncd/internal/status"
	"syncd/internal/syncer"
)

var copiedTree = flag.String("tree", "crypto", "the folder of Go's source that TestBackfillOfATree copies, all of it for .")

// lastLine decodes the JSON object on the last line of stdout.
func lastLine(t *testing.T, stdout string) (s syncer.Summary) {
	t.Helper()
	lines := strings.Split(strings.TrimRight(stdout, "\n"), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &s); err != nil {
		t.Fatalf("decode the last line of %q: %v", stdout, err)
	}
	return s
}

// sdk returns a client with the consumer's credentials, as any program in that account would use
// it.
func (s *site) sdk() *s3.Client {
	return s3.New(s3.Options{Region: demo.Region, BaseEndpoint: &s.Endpoint, UsePathStyle: true, Credentials: s.SignIn()})
}

// TestBackfillOfATree checks the copies of a real folder tree, which it reads with the consumer's
// credentials.
func TestBackfillOfATree(t *testing.T) {
	if testing.Short() {
		t.Skip("copies a source tree; make test runs it")
	}
	s, dir := newSite(t, nil), filepath.Join(runtime.GOROOT(), "src", *copiedTree) //nolint:staticcheck // any large tree of real files will do
	if err := s.Fill(dir); err != nil {
		t.Fatal(err)
	}
	keys := s.Source.Keys()
	if len(keys) < 1000 {
		t.Fatalf("got %d files, want more than one page of a listing", len(keys))
	}

	first := s.run(t.Context(), "backfill", "--json")
	got := lastLine(t, first.stdout)
	if n := int64(len(keys)); first.code != 0 || got.Listed != n || got.Copied != n || got.Exit != 0 {
		t.Fatalf("first pass: got %+v, exit %d, want %d listed and copied; stderr:\n%s", got, first.code, n, first.stderr)
	}
	pages := int64(len(keys)+999) / 1000
	// The additional request lists the destination, to find objects to adopt.
	want := map[string]int64{"AssumeRole": 1, "CopyObject": int64(len(keys)), "ListObjectsV2": listings(t, got, pages+1)}
	if diff := cmp.Diff(want, got.Requests); diff != "" {
		t.Errorf("requests of the first pass (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, map[string]int64(s.Cloud.Requests())); diff != "" {
		t.Errorf("requests that the accounts saw (-want +got):\n%s", diff)
	}

	s.Cloud.ResetRequests()
	got = lastLine(t, s.run(t.Context(), "backfill", "--json").stdout)
	if n := int64(len(keys)); got.Unchanged != n || got.Copied != 0 {
		t.Errorf("second pass: got %d unchanged and %d copied, want %d and 0", got.Unchanged, got.Copied, n)
	}
	if diff := cmp.Diff(map[string]int64{"AssumeRole": 1, "ListObjectsV2": listings(t, got, pages)}, got.Requests); diff != "" {
		t.Errorf("requests of the second pass (-want +got):\n%s", diff)
	}
	if got := s.Cloud.BucketRequests(demo.Copy); len(got) != 0 {
		t.Errorf("second pass: got requests to the destination %v, want none", got)
	}
	s.compareWithFiles(t, dir, keys)
}

// listings returns how many listing requests a pass has sent. It checks that ranges that were split off
// have cost few requests in addition to the pages.
func listings(t *testing.T, got syncer.Summary, pages int64) int64 {
	t.Helper()
	n := got.Requests["ListObjectsV2"]
	if most := pages + int64(6+1.5*math.Log2(float64(pages))); n < pages || n > most {
		t.Errorf("got %d listing requests, want %d to %d", n, pages, most)
	}
	return n
}

func (s *site) compareWithFiles(t *testing.T, dir string, keys []string) {
	t.Helper()
	client := s.sdk()
	readers, ctx := errgroup.WithContext(t.Context())
	readers.SetLimit(8)
	for _, key := range keys {
		readers.Go(func() error {
			out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(demo.Copy), Key: &key})
			if err != nil {
				return err
			}
			body, err := io.ReadAll(out.Body)
			if err != nil {
				return err
			}
			file, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(key)))
			if err != nil {
				return err
			}
			if !bytes.Equal(body, file) {
				return fmt.Errorf("%s: the copy differs from its file", key)
			}
			if got, want := aws.ToString(out.SSEKMSKeyId), s.ConsumerKey.ARN(); got != want || !aws.ToBool(out.BucketKeyEnabled) {
				return fmt.Errorf("%s: got key %s, bucket key %v, want %s with a bucket key", key, got, aws.ToBool(out.BucketKeyEnabled), want)
			}
			return nil
		})
	}
	if err := readers.Wait(); err != nil {
		t.Error(err)
	}
}

// TestBackfillOfEveryKindOfKey checks the copies of the generated objects of the demo: awkward
// keys, empty objects, and one of 6 GiB in parts.
func TestBackfillOfEveryKindOfKey(t *testing.T) {
	s := newSite(t, nil)
	s.FillVaried()
	if got := s.run(t.Context(), "backfill"); got.code != 0 {
		t.Fatalf("got exit %d, want 0; stderr:\n%s", got.code, got.stderr)
	}
	if diff := cmp.Diff(s.Source.Keys(), s.Destination.Keys()); diff != "" {
		t.Errorf("keys (-source +copy):\n%s", diff)
	}
	for _, key := range s.Source.Keys() {
		original, _ := s.Source.Object(key)
		copied, _ := s.Destination.Object(key)
		if copied.KeyARN != s.ConsumerKey.ARN() || !copied.BucketKey {
			t.Errorf("%q: got key %s, bucket key %v, want the consumer's with a bucket key", key, copied.KeyARN, copied.BucketKey)
		}
		type proof struct {
			Size                  int64
			Checksum, ContentType string
			Metadata, Tags        map[string]string
		}
		of := func(o awsfake.ObjectInfo) proof {
			return proof{o.Size, o.Checksum, o.ContentType, o.Metadata, o.Tags}
		}
		if diff := cmp.Diff(of(original), of(copied)); diff != "" {
			t.Errorf("%q (-source +copy):\n%s", key, diff)
		}
	}
	if n := s.Destination.Uploads(); n != 0 {
		t.Errorf("got %d unfinished uploads, want none", n)
	}
}

// TestBackfillWithAWrongExternalID checks that the message about the refusal names the role, the
// action and what to do, but does not show the ExternalId.
func TestBackfillWithAWrongExternalID(t *testing.T) {
	const wrong = "not-the-external-id-9x"
	s := newSite(t, func(text string) string { return strings.ReplaceAll(text, demo.ExternalID, wrong) })
	s.Source.Put("a", awsfake.BytesBody([]byte("a")), awsfake.PutOptions{})
	got := s.run(t.Context(), "backfill", "--log-level", "debug")
	if got.code != 1 {
		t.Errorf("got exit %d, want 1", got.code)
	}
	lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
	last := lines[len(lines)-1]
	for _, want := range []string{"syncd: ", s.Role.ARN, "sts:AssumeRole refused", "hint: ", "external_id"} {
		if !strings.Contains(last, want) {
			t.Errorf("got %q, want it to contain %q", last, want)
		}
	}
	for _, secret := range []string{wrong, demo.ExternalID} {
		if strings.Contains(got.stdout+got.stderr, secret) {
			t.Errorf("the output holds the ExternalId %q:\n%s%s", secret, got.stdout, got.stderr)
		}
	}
	if n := s.Cloud.Requests()["AssumeRole"]; n != 1 {
		t.Errorf("got %d attempts to assume the role, want 1: a refusal does not change", n)
	}
}

// TestBackfillQuarantinesOneObject checks that a bad object causes exit code 3, does not affect
// other objects, and is tried again.
func TestBackfillQuarantinesOneObject(t *testing.T) {
	s := newSite(t, nil)
	for i := range 20 {
		s.Source.Put(fmt.Sprintf("k%02d", i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	}
	repair := s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "k07", Kind: awsfake.AccessDenied})
	got := s.run(t.Context(), "backfill", "--json")
	summary := lastLine(t, got.stdout)
	if got.code != 3 || summary.Exit != 3 || summary.Copied != 19 || summary.Quarantined["denied"] != 1 {
		t.Errorf("got exit %d, %+v, want exit 3 with 19 copied and 1 denied", got.code, summary)
	}
	if !strings.Contains(got.stderr, "syncd: mapping owner-to-consumer: 1 object quarantined; hint: ") {
		t.Errorf("got stderr %q, want a message that 1 object was quarantined", got.stderr)
	}
	listed := s.run(t.Context(), "status", "--quarantine", "--json")
	var aside status.AsideObject
	if err := json.Unmarshal([]byte(listed.stdout), &aside); err != nil || listed.code != 0 {
		t.Fatalf("got exit %d, %q, %v, want one object", listed.code, listed.stdout, err)
	}
	if aside.Key != "k07" || aside.Reason != "denied" || aside.Attempts != 1 || aside.RetryAt.Sub(aside.LastAt) != 5*time.Minute {
		t.Errorf("got %+v, want k07, denied once and tried again in five minutes", aside)
	}
	repair()
	got = s.run(t.Context(), "backfill", "--json")
	if summary = lastLine(t, got.stdout); got.code != 3 || summary.Held != 1 || summary.Unchanged != 19 {
		t.Errorf("got exit %d, %+v, want exit 3 with the object held until it is due", got.code, summary)
	}
	s.replays(t, summary.Generation)
	got = s.run(t.Context(), "backfill", "--json")
	if summary = lastLine(t, got.stdout); got.code != 0 || summary.Unchanged != 20 {
		t.Errorf("got exit %d, %+v, want exit 0 with all unchanged", got.code, summary)
	}
}

// replays runs `syncd replay` with selections that match objects in quarantine and with selections
// that match none. Copies of k07 are denied.
func (s *site) replays(t *testing.T, generation int64) {
	t.Helper()
	for _, tt := range []struct {
		flags  []string
		copied int64
		said   string
	}{
		{[]string{"--reason", "archived"}, 0, "nothing is in quarantine for archived: nothing was tried, and the ledger is unchanged; hint: `syncd status --quarantine`"},
		{[]string{"--reason", "archived", "--key", "k07"}, 0, "nothing is in quarantine for archived with the given keys: nothing was tried"},
		{[]string{"--key", "k08", "--key", "k08", "--key", "k09"}, 0, `not in quarantine: "k08", "k09": nothing was tried, and the ledger is unchanged; hint: `},
		{[]string{"--reason", "denied", "--key", "k07", "--key", "k08"}, 1, `not in quarantine, and not tried: "k08"; hint: `},
		{nil, 0, "the quarantine is empty: nothing was tried, and the ledger is unchanged"},
	} {
		said := "syncd: mapping owner-to-consumer: " + tt.said
		if tt.copied == 0 {
			if got := s.run(t.Context(), append([]string{"replay"}, tt.flags...)...); got.code != 0 || got.stdout != "" || !strings.Contains(got.stderr, said) {
				t.Errorf("%q: got exit %d, %q and %q, want exit 0 and %q", tt.flags, got.code, got.stdout, got.stderr, said)
			}
		}
		generation += tt.copied
		got := s.run(t.Context(), append([]string{"replay", "--json"}, tt.flags...)...)
		summary := lastLine(t, got.stdout)
		if got.code != 0 || summary.Copied != tt.copied || summary.Listed != tt.copied || summary.Generation != generation || !strings.Contains(got.stderr, said) {
			t.Errorf("%q: got exit %d, %+v and %q, want exit 0 with %d copied, generation %d and %q", tt.flags, got.code, summary, got.stderr, tt.copied, generation, said)
		}
	}
	got := s.run(t.Context(), "replay", "--reason", "deneid", "--reason", "denied", "--reason", "")
	if got.code != exit.CodeUsage || got.stdout != "" || strings.Count(got.stderr, "\n") != 2 ||
		!strings.Contains(got.stderr, `syncd: replay: there is no reason "deneid"; hint: did you mean denied? The reasons are archived, `) {
		t.Errorf("unknown reasons: got exit %d and %q, want exit 2 and the list of reasons", got.code, got.stderr)
	}
}

// TestBackfillKilled kills the real process half-way, and checks how many objects the next process
// copies again.
func TestBackfillKilled(t *testing.T) {
	skipIfShort(t)
	const objects, flushEntries, flight = 8000, 4096, 64
	s := newSite(t, func(text string) string { return text + fmt.Sprintf("    copy: {concurrency: %d}\n", flight) })
	for i := range objects {
		s.Source.Put(fmt.Sprintf("data/%05d", i), awsfake.BytesBody(fmt.Append(nil, i)), awsfake.PutOptions{})
	}
	var stdout, stderr lockedBuffer
	killed := s.start(t, &stdout, &stderr, "backfill")
	copies := func() int64 { return s.Cloud.BucketRequests(demo.Copy)["CopyObject"] }
	eventually(t, "most objects are copied", func() bool { return copies() >= objects*3/4 })
	if err := killed.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := exitStatus(t, killed); code != -1 {
		t.Fatalf("got exit %d, want death by signal; stderr:\n%s", code, stderr.String())
	}
	before := copies()

	got := s.run(t.Context(), "backfill", "--json")
	summary := lastLine(t, got.stdout)
	if got.code != 0 || !summary.Resumed || summary.Pass != 1 {
		t.Fatalf("got exit %d, %+v, want pass 1 resumed; stderr:\n%s", got.code, summary, got.stderr)
	}
	twice := copies() - objects
	t.Logf("killed after %d copies; %d copied twice", before, twice)
	if limit := int64(flushEntries + 2*flight); twice < 0 || twice > limit {
		t.Errorf("got %d objects copied twice, want at most %d: the copies of one flush interval and those in flight", twice, limit)
	}
	if diff := cmp.Diff(s.Source.Keys(), s.Destination.Keys()); diff != "" {
		t.Errorf("keys (-source +copy):\n%s", diff)
	}
	for _, key := range s.Source.Keys() {
		original, _ := s.Source.Read(key)
		if copied, err := s.Destination.Read(key); err != nil || !bytes.Equal(original, copied) {
			t.Fatalf("%s: got %q, %v, want %q", key, copied, err, original)
		}
	}
}

// TestBackfillInterrupted checks that an interrupted backfill exits with 130 and saves its
// progress.
func TestBackfillInterrupted(t *testing.T) {
	s := newSite(t, nil)
	for i := range 2000 {
		s.Source.Put(fmt.Sprintf("k%04d", i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "k1000", Times: 1, Do: interrupt})()
	got := s.run(ctx, "backfill", "--json")
	first := lastLine(t, got.stdout)
	if got.code != 130 || first.Exit != 130 || first.Copied < 900 || first.Copied >= 2000 {
		t.Fatalf("got exit %d, %+v, want 130 with about half copied; stderr:\n%s", got.code, first, got.stderr)
	}
	second := lastLine(t, s.run(t.Context(), "backfill", "--json").stdout)
	if !second.Resumed || first.Copied+second.Copied != 2000 {
		t.Errorf("got %d copied before and %d after, resumed %v; want 2000 in all, none twice", first.Copied, second.Copied, second.Resumed)
	}
}

// TestBackfillLeaseHeld checks that a backfill exits with 5 and names the holder of the lease.
func TestBackfillLeaseHeld(t *testing.T) {
	s := newSite(t, nil)
	s.Source.Put("a", awsfake.BytesBody([]byte("a")), awsfake.PutOptions{})
	reached, release := make(chan struct{}), make(chan struct{})
	defer s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Times: 1, Do: func() { close(reached); <-release }})()
	ended := make(chan outcome, 1)
	go func() { ended <- s.run(t.Context(), "backfill") }()
	<-reached
	got := s.run(t.Context(), "backfill")
	close(release)
	if first := <-ended; first.code != 0 {
		t.Errorf("the first: got exit %d, want 0; stderr:\n%s", first.code, first.stderr)
	}
	if host, _ := os.Hostname(); got.code != 5 || !strings.Contains(got.stderr, host) {
		t.Errorf("the second: got exit %d, stderr %q; want 5 and the holder's name", got.code, got.stderr)
	}
}

// TestBackfillOfSeveralMappings checks that a backfill prints a list of summaries for several
// mappings, and a single summary for one mapping.
func TestBackfillOfSeveralMappings(t *testing.T) {
	s := newSite(t, func(text string) string {
		mapping := text[strings.Index(text, "  - name:"):]
		second := strings.NewReplacer("name: "+demo.Mapping, "name: second", "bucket: "+demo.Copy, "bucket: "+demo.Copy+", prefix: second/").Replace(mapping)
		text = strings.Replace(text, "bucket: "+demo.Copy, "bucket: "+demo.Copy+", prefix: first/", 1)
		return text + second
	})
	s.Source.Put("a", awsfake.BytesBody([]byte("a")), awsfake.PutOptions{})
	got := s.run(t.Context(), "backfill", "--json")
	var both report.Passes
	if err := json.Unmarshal([]byte(got.stdout), &both); err != nil || got.code != 0 || len(both.Passes) != 2 {
		t.Fatalf("got exit %d, stdout %q, %v; want two summaries; stderr:\n%s", got.code, got.stdout, err, got.stderr)
	}
	if diff := cmp.Diff([]string{"first/a", "second/a"}, s.Destination.Keys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	one := lastLine(t, s.run(t.Context(), "backfill", "--json", "--mapping", "second").stdout)
	if one.Mapping != "second" || one.Unchanged != 1 {
		t.Errorf("got %+v, want only the second mapping, unchanged", one)
	}
}

// TestSummaryFields checks that docs/cli.md describes the JSON form of the summary.
func TestSummaryFields(t *testing.T) {
	document, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(syncer.Summary{Resumed: true, Ranges: 2, Kept: 1, Error: "x"})
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{}
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if !strings.Contains(string(document), "`"+field+"`") {
			t.Errorf("docs/cli.md does not tell of the field %q", field)
		}
	}
}

// TestBackfillWithScopedSessions checks that sessions scoped to a mapping have all permissions that
// a backfill needs.
func TestBackfillWithScopedSessions(t *testing.T) {
	scoped := func(text string) string {
		return strings.ReplaceAll(text, "    external_id:", "    session_policy: scoped\n    external_id:") +
			"    copy: {multipart_above: 5MiB, part_size: 5MiB}\n"
	}
	for _, tt := range []struct {
		name string
		edit func(string) string
	}{{"server-side", scoped}, {"relay", func(text string) string { return scoped(twoRoles(text)) }}} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, tt.edit)
			if tt.name == "relay" {
				s.addReader()
			}
			s.Source.Put("small", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{Tags: map[string]string{"a": "b"}})
			s.Source.Put("large", awsfake.SyntheticBody(12<<20, 1), awsfake.PutOptions{Tags: map[string]string{"a": "b"}})
			got := s.run(t.Context(), "backfill", "--json")
			if summary := lastLine(t, got.stdout); got.code != 0 || summary.Copied != 2 {
				t.Errorf("got exit %d, %+v, want both copied; stderr:\n%s", got.code, summary, got.stderr)
			}
			if strings.Contains(got.stderr, "not swept") {
				t.Errorf("got %q, want the uploads listed in the scoped session too", got.stderr)
			}
		})
	}
}
