package s3_test

import (
	"iter"
	"testing"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/transfer"
)

const mapping = "alice-to-bob"

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

// The tests that measure memory write ledgers. The functions below are the steps of a pass.

func options() checkpoint.Options {
	return checkpoint.Options{Mapping: mapping, Holder: "test/1", Now: func() time.Time { return epoch }}
}

func begin(t *testing.T, ledger *checkpoint.Ledger) *checkpoint.Pass {
	t.Helper()
	pass, err := ledger.Begin(t.Context())
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	return pass
}

// recordAll commits a pass that records entries with ascending keys.
func recordAll(t *testing.T, pass *checkpoint.Pass, entries iter.Seq[record.Entry]) {
	t.Helper()
	walk := pass.Walk("")
	for e := range entries {
		slot, err := walk.Reserve(t.Context(), e.Key, record.Rows{})
		if err != nil {
			t.Fatalf("reserve: %v", err)
		}
		slot.Record(e)
	}
	walk.End("")
	if _, err := pass.Commit(t.Context()); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

// entry returns an entry with every column set, for a source version named etag.
func entry(key, etag string) record.Entry {
	return record.Entry{
		Key: key, Source: transfer.Version{ETag: etag, Size: int64(len(key)), LastModified: epoch.Add(-time.Hour)},
		DestinationETag: "d-" + etag, DestinationVersionID: "v-" + etag,
		KeyARN:    "arn:aws:kms:us-west-2:222222222222:key/11111111-2222-3333-4444-555555555555",
		BucketKey: true, Checksum: "crc64nvme:" + etag, CopiedAt: epoch,
	}
}
