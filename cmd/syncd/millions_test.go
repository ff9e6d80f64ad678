//go:build linux

package main

import (
	"cmp"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"sort"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/demo"
	"syncd/internal/syncer/provenance"
	"syncd/internal/transfer"
)

// The size of the source of TestMillions; make millions sets larger sizes. With a former binary, the
// test compares the times of both.
var (
	millionKeys    = flag.Int("million-keys", 40_000, "how many keys the source of TestMillions has")
	millionProgram = flag.String("program", "", "the binary of syncd that TestMillions measures, by default the binary of the test")
	formerBinary   = flag.String("former", "", "a binary of syncd with which TestMillions compares the time")
)

// millions is a source of many synthetic objects, listed with a latency of 20 ms by a server that
// needs little CPU. It forwards all other requests to the site.
type millions struct {
	keys  int
	other http.Handler
	pages atomic.Int64
}

const millionsModified = "2026-03-01T12:00:00.000Z"

func millionKey(i int) string {
	return fmt.Sprintf("exports/2026/%06d/part-%04d.parquet", i/100, i%100)
}

func millionETag(i int) string { return fmt.Sprintf("%032x", uint64(i)*0x9e3779b97f4a7c15) } //nolint:gosec // not negative

func (m *millions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if r.Method != http.MethodGet || query.Get("list-type") != "2" || !strings.HasPrefix(r.URL.Path, "/"+demo.Source) {
		m.other.ServeHTTP(w, r)
		return
	}
	time.Sleep(20 * time.Millisecond) // the latency of the service
	after, prefix := query.Get("start-after"), query.Get("prefix")
	first := sort.Search(m.keys, func(i int) bool { return millionKey(i) > after && millionKey(i) >= prefix })
	most := 1000
	_, _ = fmt.Sscan(query.Get("max-keys"), &most)
	end := min(first+most, m.keys)
	page := make([]byte, 0, 300*most)
	page = fmt.Appendf(page, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>%s</Name><Prefix>%s</Prefix><StartAfter>%s</StartAfter><KeyCount>%d</KeyCount><MaxKeys>%d</MaxKeys><EncodingType>url</EncodingType><IsTruncated>%t</IsTruncated>`,
		demo.Source, prefix, url.QueryEscape(after), end-first, most, end < m.keys)
	if end < m.keys {
		page = append(page, "<NextContinuationToken>more</NextContinuationToken>"...)
	}
	for i := first; i < end; i++ {
		page = append(page, "<Contents><Key>"...)
		page = append(page, millionKey(i)...)
		page = append(page, "</Key><LastModified>"+millionsModified+"</LastModified><ETag>&quot;"...)
		page = append(page, millionETag(i)...)
		page = append(page, "&quot;</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents>"...)
	}
	page = append(page, "</ListBucketResult>"...)
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("x-amz-request-id", fmt.Sprintf("PAGE%012d", m.pages.Add(1)))
	_, _ = w.Write(page)
}

// newMillions returns a site whose source has many keys.
func newMillions(t *testing.T, keys int, onS3 bool) *site {
	t.Helper()
	m := &millions{keys: keys}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	s := newSite(t, nil)
	target, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	m.other = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}}
	data, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(data), s.Endpoint, server.URL)
	if onS3 {
		s.Cloud.Account(demo.Consumer).CreateBucket("consumer-state", demo.Region, awsfake.BucketOptions{})
		_, rest, _ := strings.Cut(text, "\naws:")
		text = "state: s3://consumer-state/syncd/\naws:" + rest
	}
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Endpoint = server.URL
	return s
}

// fill writes a ledger in which every object of the source has a copy.
func (s *site) fillMillions(t *testing.T, keys int) {
	t.Helper()
	modified, err := time.Parse(time.RFC3339, millionsModified)
	if err != nil {
		t.Fatal(err)
	}
	made := provenance.Texts(provenance.Fingerprint{Settings: provenance.Settings{
		Source:      transfer.Place{Bucket: demo.Source}.At(s.Endpoint),
		Destination: transfer.Place{Bucket: demo.Copy}.At(s.Endpoint),
		KeyARN:      s.ConsumerKey.ARN(), StorageClass: "STANDARD",
	}}, provenance.Memo{})
	ledger, err := checkpoint.Open(t.Context(), s.ledgers(t), checkpoint.Options{Mapping: demo.Mapping, Fingerprint: made.Fingerprint})
	if err != nil {
		t.Fatal(err)
	}
	pass, err := ledger.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	walk := pass.Walk("")
	for i := range keys {
		slot, err := walk.Reserve(t.Context(), millionKey(i), record.Rows{})
		if err != nil {
			t.Fatal(err)
		}
		slot.Record(record.Entry{
			Key: millionKey(i), Source: transfer.Version{ETag: `"` + millionETag(i) + `"`, Size: 1, LastModified: modified},
			DestinationETag: `"` + millionETag(i+1) + `"`, KeyARN: s.ConsumerKey.ARN(), BucketKey: true, Checksum: "CRC64NVME:" + millionETag(i)[:12], CopiedAt: modified,
		})
	}
	walk.End("")
	if _, err := pass.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
}

// timed runs a program against the site. It returns how long the program took, the peak of its
// memory in MiB, and its output.
func (s *site) timed(t *testing.T, program string, args ...string) (took time.Duration, most int64, output string) {
	t.Helper()
	var stdout, stderr lockedBuffer
	cmd := exec.CommandContext(t.Context(), program, append(args, "--config", s.config)...)
	cmd.Env = append(os.Environ(), beSyncd+"=1", "AWS_PROFILE=consumer", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+s.dir+"/credentials")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	peak := watch(t, cmd.Process.Pid, "RssAnon:") // without the pages of the binary
	if code := exitStatus(t, cmd); code != 0 {
		t.Fatalf("%s %v: got exit %d; stderr:\n%s", program, args, code, stderr.String())
	}
	return time.Since(start), peak() >> 20, stdout.String()
}

// TestMillions measures the real program with a source of many keys at 20 ms a page: the time of a
// plan without a ledger, and the time and memory of a pass in which nothing has changed, with the
// ledger in a folder and on S3. It checks the memory.
func TestMillions(t *testing.T) {
	skipIfShort(t)
	t.Setenv("GOGC", "100") // as in production
	program := cmp.Or(*millionProgram, os.Args[0])
	limit := int64(64)
	if *millionKeys > 1_000_000 {
		limit = limit * 12 / 10
	}
	s := newMillions(t, *millionKeys, false)
	took, most, output := s.timed(t, program, "plan", "--json")
	t.Logf("plan of %d keys: %.1f s, %d MiB", *millionKeys, took.Seconds(), most)
	if want := fmt.Sprintf(`"listed":%d,`, *millionKeys); !strings.Contains(output, want) {
		t.Errorf("got %s, want %s", output, want)
	}
	if *formerBinary != "" {
		former, formerMost, _ := s.timed(t, *formerBinary, "plan", "--json")
		t.Logf("the former binary: %.1f s, %d MiB; ratio %.1f", former.Seconds(), formerMost, float64(former)/float64(took))
	}
	for _, onS3 := range []bool{false, true} {
		if onS3 {
			s = newMillions(t, *millionKeys, true)
		}
		s.fillMillions(t, *millionKeys)
		took, most, output := s.timed(t, program, "backfill", "--json")
		t.Logf("unchanged pass of %d keys, state on S3 %t: %.1f s, %d MiB", *millionKeys, onS3, took.Seconds(), most)
		if got := lastLine(t, output); got.Unchanged != int64(*millionKeys) {
			t.Errorf("got %+v, want all unchanged", got)
		}
		if most == 0 || most > limit {
			t.Errorf("got a peak of %d MiB, want at most %d", most, limit)
		}
	}
}
