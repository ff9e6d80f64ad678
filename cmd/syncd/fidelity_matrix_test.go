package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	filestore "syncd/internal/checkpoint/store/file"
	"syncd/internal/report"
	"syncd/internal/status"
	"syncd/internal/syncer"
)

// matrix copies all objects of the table. For each setting it copies from one bucket to another,
// within one service or from one service to another.
type matrix struct {
	owner, consumer *s3.Client
	// ownersKey is the KMS key of the source. keyARN is the key that copies must be encrypted
	// under, as the service reports it.
	ownersKey, keyARN string
	tellsBucketKey    bool
	relay             bool
	// server is the real server that has the source bucket, or onFake. laterKey is a KMS key of the
	// fake that is disabled after all objects are put.
	server   server
	laterKey *awsfake.Key
	// create creates the two buckets of a setting and returns the source bucket, or nil on a real
	// server. run runs the program. state is the folder of the ledgers.
	create func(t *testing.T, s setting) *awsfake.Bucket
	run    func(t *testing.T, args ...string) outcome
	state  string

	kinds map[string][]kind // the kinds that were put, by setting
}

// server is the service that a matrix reads from.
type server string

const (
	onFake    server = ""
	onMinIO   server = "MinIO"
	onVersity server = "versitygw"
)

func (s setting) sourceBucket() string      { return "owner-" + s.name }
func (s setting) destinationBucket() string { return "consumer-" + s.name }

// mappings returns the YAML of the mappings of all settings. source and destination are YAML that
// is added to the source and the destination of every mapping.
func (m *matrix) mappings(source, destination string) string {
	var b strings.Builder
	b.WriteString("mappings:\n")
	for _, s := range m.settings() {
		fmt.Fprintf(&b, "  - name: %s\n", s.name)
		fmt.Fprintf(&b, "    source: {bucket: %s, prefix: %q, region: us-east-1, %s}\n", s.sourceBucket(), s.prefix, join(source, s.source))
		fmt.Fprintf(&b, "    destination: {bucket: %s, prefix: %q, region: us-east-1, %s}\n", s.destinationBucket(), s.toPrefix, join(destination, s.destination))
		if s.more != "" {
			fmt.Fprintf(&b, "    %s\n", s.more)
		}
	}
	return b.String()
}

func join(common, own string) string {
	if own == "" {
		return common
	}
	return common + ", " + own
}

// settings returns the settings that the service supports.
func (m *matrix) settings() []setting {
	var all []setting
	for _, s := range settings() {
		if m.leavesOut(s) == "" {
			all = append(all, s)
		}
	}
	return all
}

// leftOut returns why this matrix leaves out a kind, or "".
func (m *matrix) leftOut(k kind) string {
	switch {
	case m.relay && k.serverSide != "":
		return k.serverSide
	case m.server == onMinIO && !m.relay && k.minioCopy != "":
		return k.minioCopy
	case m.server == onMinIO:
		return k.minio
	case m.server == onVersity:
		return k.leftOutOfVersity()
	default:
		return ""
	}
}

// leavesOut returns why this matrix leaves out a setting, or "".
func (m *matrix) leavesOut(s setting) string {
	switch m.server {
	case onMinIO:
		return s.minio
	case onVersity:
		return cmp.Or(s.versity, s.minio)
	case onFake:
		return ""
	default:
		panic("BUG: a server of no name")
	}
}

// test puts every kind, copies all of them in one run of the program, and checks every copy.
func (m *matrix) test(t *testing.T) {
	t.Helper()
	m.kinds = map[string][]kind{}
	for _, s := range m.settings() {
		m.put(t, s, m.create(t, s))
	}
	if m.laterKey != nil {
		m.laterKey.SetEnabled(false)
	}
	first := m.pass(t)
	for _, s := range m.settings() {
		t.Run(s.name, func(t *testing.T) {
			m.checkSummary(t, s, first[s.name])
			m.checkStatus(t, s)
			m.checkObjects(t, s)
		})
	}
	second := m.pass(t)
	for _, s := range m.settings() {
		if got := second[s.name]; got.Copied != 0 || got.Unchanged != first[s.name].Copied {
			t.Errorf("%s, second pass: got %d copied and %d unchanged, want 0 and %d", s.name, got.Copied, got.Unchanged, first[s.name].Copied)
		}
	}
}

// put puts the kinds of a setting. A kind that cannot be put fails the test and is not counted.
func (m *matrix) put(t *testing.T, s setting, bucket *awsfake.Bucket) {
	t.Helper()
	o := &owner{t: t, client: m.owner, name: s.sourceBucket(), keyARN: m.ownersKey, bucket: bucket, later: m.laterKey}
	for _, k := range kinds() {
		if k.in != s.name || m.leftOut(k) != "" {
			continue
		}
		if err := o.add(k); err != nil {
			t.Errorf("%s, %s: put: %v", s.name, k.name, err)
			continue
		}
		m.kinds[s.name] = append(m.kinds[s.name], k)
	}
}

// pass runs a backfill of all mappings and returns their summaries by name.
func (m *matrix) pass(t *testing.T) map[string]syncer.Summary {
	t.Helper()
	got := m.run(t, "backfill", "--json")
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	var all report.Passes
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &all); err != nil || len(all.Passes) != len(m.settings()) {
		t.Fatalf("got exit %d, stdout %q, %v; want a summary of each mapping; stderr:\n%s", got.code, got.stdout, err, got.stderr)
	}
	byName := map[string]syncer.Summary{}
	for _, s := range all.Passes {
		byName[s.Mapping] = s
	}
	return byName
}

// tally returns the expected summary of a setting: its kinds, counted by expected result.
func (m *matrix) tally(s setting) (want syncer.Summary) {
	want.Quarantined, want.Skipped = map[string]int64{}, map[string]int64{}
	for _, k := range m.kinds[s.name] {
		fate, reason, _ := strings.Cut(k.fate(m.relay), ": ")
		switch fate {
		case copied:
			want.Copied++
		case "quarantined":
			want.Quarantined[reason]++
			want.Exit = 3
		case "skipped":
			want.Skipped[reason]++
		}
		if fate != notListed {
			want.Listed++
		}
	}
	return want
}

func (m *matrix) checkSummary(t *testing.T, s setting, got syncer.Summary) {
	t.Helper()
	counts := func(s syncer.Summary) syncer.Summary {
		return syncer.Summary{
			Listed: s.Listed, Copied: s.Copied, Unchanged: s.Unchanged, Adopted: s.Adopted,
			Skipped: s.Skipped, Quarantined: s.Quarantined, Exit: s.Exit, Error: s.Error,
		}
	}
	if diff := gocmp.Diff(counts(m.tally(s)), counts(got), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	want := m.inParts(s)
	if m.server == onMinIO && want > 0 {
		want++ // the first write is a probe, which MinIO refuses if it honors conditional writes
	}
	if got := got.Requests["CompleteMultipartUpload"]; got != want {
		t.Errorf("got %d copies in parts, want %d", got, want)
	}
}

// inParts returns how many copies of a setting must be made in parts.
func (m *matrix) inParts(s setting) (n int64) {
	above := cmp.Or(s.inPartsAbove, 5*gibibyte)
	if m.relay {
		above = relayPart
	}
	for _, k := range m.kinds[s.name] {
		if k.fate(m.relay) == copied && k.length() > above {
			n++
		}
	}
	return n
}

func (m *matrix) checkStatus(t *testing.T, s setting) {
	t.Helper()
	got := m.run(t, "status", "--json", "--mapping", s.name)
	var printed status.Status
	if err := json.Unmarshal([]byte(got.stdout), &printed); err != nil || got.code != 0 {
		t.Fatalf("status: got exit %d, stdout %q, %v; stderr:\n%s", got.code, got.stdout, err, got.stderr)
	}
	want := m.tally(s)
	if diff := gocmp.Diff(want.Quarantined, printed.Quarantined, cmpopts.EquateEmpty()); diff != "" || printed.Entries != want.Copied {
		t.Errorf("status: got %d entries, want %d; quarantined (-want +got):\n%s", printed.Entries, want.Copied, diff)
	}
}

// checkObjects checks the result of each kind, and that the destination has only the expected
// objects.
func (m *matrix) checkObjects(t *testing.T, s setting) {
	t.Helper()
	aside, strangers := m.aside(t, s), keysOf(t, m.consumer, s.destinationBucket())
	for _, k := range m.kinds[s.name] {
		to := s.toPrefix + strings.TrimPrefix(k.path(), s.prefix)
		want := k.fate(m.relay)
		t.Run(k.name, func(t *testing.T) {
			got, detail := notListed, ""
			if q, ok := aside[k.path()]; ok {
				got, detail = quarantined(q.Reason), q.Detail
			} else if strangers[to] {
				got = copied
			} else if strings.HasPrefix(want, "skipped") {
				got = want // checkSummary compares the reasons for skipped objects
			}
			if got != want {
				t.Fatalf("got %s, want %s; %s", got, want, detail)
			}
			if want == copied {
				m.compare(t, s, k.path(), to)
			}
		})
		delete(strangers, to)
	}
	for key := range strangers {
		t.Errorf("got %q at the destination, want no object", key)
	}
	m.checkUploads(t, s)
}

// compare compares the source, read by the owner, with the copy, read by the consumer.
func (m *matrix) compare(t *testing.T, s setting, from, to string) {
	t.Helper()
	source, err := m.look(t, m.owner, s.sourceBucket(), from)
	if err != nil {
		t.Fatalf("source: %v", err)
	}
	got, err := m.look(t, m.consumer, s.destinationBucket(), to)
	if err != nil {
		t.Fatalf("copy: %v", err)
	}
	want, got := matched(m.wanted(s, source), got)
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("copy (-want +got):\n%s", diff)
	}
	if want.SHA256 == "" && want.CRC64NVME == "" {
		t.Error("got no checksum to compare the content")
	}
}

// look reads an object with everything that the service returns about it.
func (m *matrix) look(t *testing.T, client *s3.Client, bucket, key string) (image, error) {
	t.Helper()
	i, err := look(t.Context(), client, bucket, key)
	if err == nil && m.server == onVersity {
		// The gateway stores an RFC 2047 encoded word as sent; S3 stores the decoded text.
		for name, value := range i.Metadata {
			if i.Metadata[name], err = new(mime.WordDecoder).DecodeHeader(value); err != nil {
				return i, err
			}
		}
	}
	if err == nil && m.server == onFake {
		i.Annotations, err = annotationsOf(t.Context(), client, bucket, key)
	}
	return i, err
}

// aside returns the quarantined objects of a setting, by source key.
func (m *matrix) aside(t *testing.T, s setting) map[string]record.Quarantined {
	t.Helper()
	store, err := filestore.Open(m.state)
	if err != nil {
		t.Fatal(err)
	}
	aside := map[string]record.Quarantined{}
	for q, err := range checkpoint.Quarantine(t.Context(), store, s.name) {
		if err != nil {
			t.Fatal(err)
		}
		aside[q.Key] = q
	}
	return aside
}

func keysOf(t *testing.T, client *s3.Client, bucket string) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	// Without EncodingType, a key with a control character would make the page invalid XML.
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket, EncodingType: types.EncodingTypeUrl})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page.Contents {
			key, err := url.QueryUnescape(*object.Key)
			if err != nil {
				t.Fatal(err)
			}
			keys[key] = true
		}
	}
	return keys
}

func (m *matrix) checkUploads(t *testing.T, s setting) {
	t.Helper()
	bucket := s.destinationBucket()
	out, err := m.consumer.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket, EncodingType: types.EncodingTypeUrl})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Uploads) > 0 {
		t.Errorf("got %d unfinished uploads, want none", len(out.Uploads))
	}
}
