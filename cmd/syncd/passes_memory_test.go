//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/demo"
	"syncd/internal/syncer/provenance"
	"syncd/internal/transfer"
)

// The size and the memory limit of TestMemoryOfPasses; make memory sets a larger size.
var (
	memoryMappings = flag.Int("memory-mappings", 10, "how many mappings TestMemoryOfPasses starts at once")
	memoryEntries  = flag.Int("memory-entries", 10_000, "how many entries the ledger of each has, on S3")
	memoryMost     = flag.Int64("memory-most", 320, "how many MiB the process may take")
)

// One of every newOfEvery objects is new since the last pass.
const newOfEvery = 100

// TestMemoryOfPasses checks the peak memory of a daemon whose mappings all begin their passes at
// the same time, each with a ledger on S3.
func TestMemoryOfPasses(t *testing.T) {
	skipIfShort(t)
	t.Setenv("GOGC", "100") // as in production
	s := newSite(t, func(text string) string { return manyMappingsOf(text, *memoryMappings) })
	s.Cloud.Account(demo.Consumer).CreateBucket("consumer-state", demo.Region, awsfake.BucketOptions{})
	s.fillLedgers(t, *memoryMappings, *memoryEntries)

	var stdout, stderr lockedBuffer
	cmd := s.start(t, &stdout, &stderr, "run")
	peak := watchMemory(t, cmd.Process.Pid)
	address := listening(t, &stderr)
	for ended(t, address, "complete") < *memoryMappings {
		wait(t, 200*time.Millisecond)
		if n := ended(t, address, "failed"); n > 0 || t.Context().Err() != nil {
			t.Fatalf("gave up, %d passes failed; stderr:\n%s", n, stderr.String())
		}
	}
	most := peak() >> 20
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := exitStatus(t, cmd); code != 0 {
		t.Fatalf("got exit %d; stderr:\n%s", code, stderr.String())
	}
	t.Logf("%d mappings of %d entries each: %d MiB at most; requests %v", *memoryMappings, *memoryEntries, most, s.Requests())
	if most == 0 || most > *memoryMost {
		t.Errorf("got a peak of %d MiB, want %d", most, *memoryMost)
	}
}

// manyMappingsOf edits a configuration so that it has n mappings of one source, each with its own
// destination, and state on S3.
func manyMappingsOf(text string, n int) string {
	_, rest, _ := strings.Cut(text, "\naws:")
	head, one, _ := strings.Cut("http: {listen: \"127.0.0.1:0\"}\nstate: s3://consumer-state/syncd/\naws:"+rest, "  - name:")
	var mappings strings.Builder
	for i := range n {
		mappings.WriteString("  - name:" + strings.NewReplacer(demo.Mapping, mappingName(i), "bucket: "+demo.Copy, fmt.Sprintf("bucket: %s, prefix: %d/", demo.Copy, i), "@every 5s", "@every 10h").Replace(one))
	}
	return head + mappings.String()
}

func mappingName(i int) string { return fmt.Sprintf("mapping-%d", i) }

// fillLedgers puts objects into the source, and writes a ledger for each mapping as a pass would
// write it. The new objects are not in the ledgers.
func (s *site) fillLedgers(t *testing.T, mappings, entries int) {
	t.Helper()
	var made []record.Entry
	for i := range entries {
		key := fmt.Sprintf("exports/2026/%06d/part-%04d.parquet", i/100, i%100)
		s.Source.Put(key, awsfake.SyntheticBody(1, uint64(i)), awsfake.PutOptions{}) //nolint:gosec // not negative
		if i%newOfEvery == 0 {
			continue
		}
		o, _ := s.Source.Object(key)
		made = append(made, record.Entry{
			Key: key, Source: transfer.Version{ETag: o.ETag, Size: o.Size, LastModified: o.LastModified},
			DestinationETag: o.ETag, KeyARN: s.ConsumerKey.ARN(), BucketKey: true, Checksum: "CRC64NVME:" + o.Checksum, CopiedAt: o.LastModified,
		})
	}
	store := s.ledgers(t)
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(4)
	for i := range mappings {
		group.Go(func() error { return s.fillLedger(ctx, store, i, made) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// fillLedger writes a generation of entries with the settings of the mapping.
func (s *site) fillLedger(ctx context.Context, store store.Store, i int, entries []record.Entry) error {
	made := provenance.Texts(provenance.Fingerprint{Settings: provenance.Settings{
		Source:      transfer.Place{Bucket: demo.Source}.At(s.Endpoint),
		Destination: transfer.Place{Bucket: demo.Copy, Prefix: fmt.Sprintf("%d/", i)}.At(s.Endpoint),
		KeyARN:      s.ConsumerKey.ARN(), StorageClass: "STANDARD",
	}}, provenance.Memo{})
	ledger, err := checkpoint.Open(ctx, store, checkpoint.Options{Mapping: mappingName(i), Fingerprint: made.Fingerprint})
	if err != nil {
		return err
	}
	pass, err := ledger.Begin(ctx)
	if err != nil {
		return errors.Join(err, ledger.Close())
	}
	walk := pass.Walk("")
	for _, e := range entries {
		slot, err := walk.Reserve(ctx, e.Key, record.Rows{})
		if err != nil {
			return errors.Join(err, ledger.Close())
		}
		slot.Record(e)
	}
	walk.End("")
	_, err = pass.Commit(ctx)
	return errors.Join(err, ledger.Close())
}

// ended returns how many mappings have ended a pass with the given result.
func ended(t *testing.T, address, result string) (n int) {
	t.Helper()
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "syncd_passes_total{") && strings.Contains(line, `result="`+result+`"`) && !strings.HasSuffix(strings.TrimSpace(line), " 0") {
			n++
		}
	}
	return n
}
