package chunk

import (
	"strings"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/transfer"
)

// Row is one row of a chunk. Its columns are listed in docs/checkpoint-format.md. All columns have
// the encoding PLAIN: the other encodings of strings can declare billions of values in a few bytes,
// and with zstd PLAIN is also a quarter smaller.
type Row interface {
	EntryRow | QuarantineRow
	sortKey() string
	isRemoved() bool
	bytes() int
}

// EntryRow is the row of an entry.
type EntryRow struct {
	Key                  string `parquet:"key,plain"`
	SourceETag           string `parquet:"source_etag,plain"`
	SourceSize           int64  `parquet:"source_size"`
	SourceLastModified   int64  `parquet:"source_last_modified,timestamp(microsecond)"`
	SourceVersionID      string `parquet:"source_version_id,plain"`
	DestinationETag      string `parquet:"destination_etag,plain"`
	DestinationVersionID string `parquet:"destination_version_id,plain"`
	KeyARN               string `parquet:"key_arn,plain"`
	BucketKey            bool   `parquet:"bucket_key"`
	Checksum             string `parquet:"checksum,plain"`
	CopiedAt             int64  `parquet:"copied_at,timestamp(microsecond)"`
	Pass                 int64  `parquet:"pass"`
	Missed               int64  `parquet:"missed"`
	MissedIn             int64  `parquet:"missed_in"`
	Removed              bool   `parquet:"removed"`
}

// QuarantineRow is the row of a quarantined object.
type QuarantineRow struct {
	Key                string `parquet:"key,plain"`
	SourceETag         string `parquet:"source_etag,plain"`
	SourceSize         int64  `parquet:"source_size"`
	SourceLastModified int64  `parquet:"source_last_modified,timestamp(microsecond)"`
	SourceVersionID    string `parquet:"source_version_id,plain"`
	Reason             string `parquet:"reason,plain"`
	Detail             string `parquet:"detail,plain"`
	FirstAt            int64  `parquet:"first_at,timestamp(microsecond)"`
	LastAt             int64  `parquet:"last_at,timestamp(microsecond)"`
	Attempts           int64  `parquet:"attempts"`
	Pass               int64  `parquet:"pass"`
	DestinationETag    string `parquet:"destination_etag,plain"`
	WrittenSince       int64  `parquet:"written_since,timestamp(microsecond)"`
	Removed            bool   `parquet:"removed"`
}

func (r EntryRow) sortKey() string      { return r.Key }
func (r QuarantineRow) sortKey() string { return r.Key }

// bytes returns about how many bytes the row needs before compression.
func (r EntryRow) bytes() int {
	return 64 + len(r.Key) + len(r.SourceETag) + len(r.SourceVersionID) + len(r.DestinationETag) + len(r.DestinationVersionID) + len(r.KeyARN) + len(r.Checksum)
}

func (r QuarantineRow) bytes() int {
	return 64 + len(r.Key) + len(r.SourceETag) + len(r.SourceVersionID) + len(r.Reason) + len(r.Detail) + len(r.DestinationETag)
}

// isRemoved reports whether the row states that the key has no row any more.
func (r EntryRow) isRemoved() bool      { return r.Removed }
func (r QuarantineRow) isRemoved() bool { return r.Removed }

// RowOfEntry returns the row of an entry.
func RowOfEntry(e *record.Entry) EntryRow {
	return EntryRow{
		Key: e.Key, SourceETag: e.Source.ETag, SourceSize: e.Source.Size,
		SourceLastModified: e.Source.LastModified.UnixMicro(), SourceVersionID: e.Source.ID,
		DestinationETag: e.DestinationETag, DestinationVersionID: e.DestinationVersionID,
		KeyARN: e.KeyARN, BucketKey: e.BucketKey, Checksum: e.Checksum,
		CopiedAt: e.CopiedAt.UnixMicro(), Pass: e.Pass, Missed: e.Missed, MissedIn: e.MissedIn,
	}
}

// Entry returns the entry of the row.
func (r *EntryRow) Entry() record.Entry {
	return record.Entry{
		Key: r.Key, Source: version(r.SourceETag, r.SourceSize, r.SourceLastModified, r.SourceVersionID),
		DestinationETag: r.DestinationETag, DestinationVersionID: r.DestinationVersionID,
		KeyARN: r.KeyARN, BucketKey: r.BucketKey, Checksum: r.Checksum,
		CopiedAt: time.UnixMicro(r.CopiedAt).UTC(), Pass: r.Pass, Missed: r.Missed, MissedIn: r.MissedIn,
	}
}

// longestDetail bounds the detail of a quarantined object, in bytes. The text of an error can have any
// length, but the pages that readers accept have at most largestPage.
const longestDetail = 16 << 10

// RowOfQuarantined returns the row of a quarantined object. Its detail is cut after 16 KiB.
func RowOfQuarantined(q *record.Quarantined) QuarantineRow {
	return QuarantineRow{
		Key: q.Key, SourceETag: q.Source.ETag, SourceSize: q.Source.Size,
		SourceLastModified: q.Source.LastModified.UnixMicro(), SourceVersionID: q.Source.ID, Reason: q.Reason, Detail: strings.ToValidUTF8(q.Detail[:min(len(q.Detail), longestDetail)], ""),
		FirstAt: q.FirstAt.UnixMicro(), LastAt: q.LastAt.UnixMicro(), Attempts: q.Attempts, Pass: q.Pass,
		DestinationETag: q.DestinationETag, WrittenSince: unixMicro(q.WrittenSince),
	}
}

// Quarantined returns the quarantined object of the row.
func (r *QuarantineRow) Quarantined() record.Quarantined {
	return record.Quarantined{
		Key: r.Key, Source: r.Source(), Reason: r.Reason, Detail: r.Detail,
		FirstAt: time.UnixMicro(r.FirstAt).UTC(), LastAt: time.UnixMicro(r.LastAt).UTC(),
		Attempts: r.Attempts, Pass: r.Pass, DestinationETag: r.DestinationETag, WrittenSince: r.writtenSince(),
	}
}

// writtenSince returns the zero time if the column is 0.
func (r *QuarantineRow) writtenSince() time.Time {
	if r.WrittenSince == 0 {
		return time.Time{}
	}
	return time.UnixMicro(r.WrittenSince).UTC()
}

// Source returns the version that was quarantined.
func (r *QuarantineRow) Source() transfer.Version {
	return version(r.SourceETag, r.SourceSize, r.SourceLastModified, r.SourceVersionID)
}

func version(etag string, size, modified int64, id string) transfer.Version {
	return transfer.Version{ETag: etag, Size: size, LastModified: time.UnixMicro(modified).UTC(), ID: id}
}

// unixMicro returns a time in microseconds since 1970, or 0 for the zero time.
func unixMicro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// RemovedEntry returns the row that states that pass removed the entry of key.
func RemovedEntry(key string, pass int64) EntryRow {
	return EntryRow{Key: key, Pass: pass, Removed: true}
}

// RemovedQuarantined returns the row that states that pass removed key from the quarantine.
func RemovedQuarantined(key string, pass int64) QuarantineRow {
	return QuarantineRow{Key: key, Pass: pass, Removed: true}
}
