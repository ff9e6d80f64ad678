// Package copier copies one object at a time, as planned, and returns a result that the destination
// has confirmed.
//
// It guarantees that every object reported as copied is one complete version of the source,
// encrypted with the configured KMS key. Every request names the listed ETag as a condition. If an
// object is overwritten during the copy, its newest version is copied from the beginning, so a copy
// never mixes two versions. The key ARN in the response is compared with the configured ARN, and
// the expected owner is sent for both buckets. A server-side copy of an object up to 5 GiB usually
// takes one request. Larger objects, and objects that need two roles, are copied in parts in
// parallel, or from one stream if the source does not support ranges. A multipart upload
// interrupted by a drain, an expired session, a killed process or an outage resumes from its last
// record. After any other failure the upload is aborted. SweepUploads aborts uploads that no record
// names.
//
// It also guarantees that it replaces only objects that syncd wrote or adopted, unless
// [Options].OverwriteAny is set. Every write has a condition that follows from what the caller
// knows about the destination's key (a [Target]), unless the service or the role does not allow
// conditions. Writes are sent only while the pass has the right to write. If a write is refused,
// both sides are checked, because the refusal does not show which side caused it.
//
// Other packages decide which objects to copy, in what order and how many at once (the syncer), and
// what to record (the ledger, through [Record]). The copier writes no logs and has no counters.
//
// Terms: server-side means that S3 moves the bytes and no bytes pass through this process. A slot
// is the right to have one request in flight. To take over an upload is to resume an upload that
// another process began. An object at the destination is foreign if syncd neither wrote nor adopted
// it.
package copier

import (
	"context"
	"fmt"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/annotation"
	"syncd/internal/copier/content"
	"syncd/internal/copier/deleting"
	"syncd/internal/copier/doubt"
	"syncd/internal/copier/precondition"
	"syncd/internal/copier/request"
	"syncd/internal/copier/upload"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// Record records a copy's upload and grants the right to write. A *checkpoint.Slot is a Record.
type Record interface {
	request.Permit
	upload.Record
}

// Copier copies objects from one bucket to another.
type Copier struct {
	*shared
	*deleting.Deleter
}

// New returns a Copier.
func New(o Options) *Copier {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &shared{
		requests: &request.Sender{Slots: o.Slots, Bytes: o.Bytes}, conditions: precondition.New(o.ToS3), crc: content.NewChecksummer(),
		content: content.Source{API: o.Source, Place: o.SourcePlace}, annotating: annotation.NewMemory(),
	}
	if o.Relay {
		s.memory, o.RelayMemory = o.Buffers.Member(), o.Buffers.Size()
	}
	s.o = o
	s.source = &source{api: o.Source, place: o.SourcePlace, settings: o.Settings, requests: s.requests}
	s.destination = &destination{api: o.Destination, place: o.DestinationPlace, requests: s.requests, peer: o.Peer}
	s.doubts = doubt.New(o.SourcePlace.Bucket, s.source.answers, s.destination.answers)
	s.uploads = upload.New(upload.Options{
		API: o.Destination, Source: o.SourcePlace, Destination: o.DestinationPlace, Relay: o.Relay, Content: s.content, Memory: s.memory,
		Requests: s.requests, Initiator: o.Initiator, Session: o.Session, Now: o.Now,
	})
	return &Copier{s, deleting.New(deleting.Options{
		Source: o.Source, Destination: o.Destination, SourcePlace: o.SourcePlace, DestinationPlace: o.DestinationPlace, Requests: s.requests, ToS3: o.ToS3,
	})}
}

// Copy copies one object and returns the confirmed result. An error is an *ObjectError. After an
// error, ours describes what syncd may own at the destination's key.
//
// If the source is overwritten during the copy, Copy copies the newest version instead. It tries at
// most 3 versions, and then returns ErrUnsteady. If the source no longer exists, the error has
// class gone. An object that already exists at the destination is adopted if it is a copy of the
// source object. Otherwise it is replaced if target shows that syncd wrote it, or if
// Options.OverwriteAny is set; if neither applies, Copy returns ErrForeign.
//
// A multipart upload is recorded in record; a nil record records nothing. An upload that
// record.Upload returns is taken over if it belongs to this copy, and aborted otherwise. After a
// failure the upload is left for another attempt if ctx or the right to write has ended, or if
// awserr.Fatal reports that the error ends the mapping. It is also left if three conditions are
// met: the error is throttling or a transient fault, record.UploadKept returns true, and either
// this attempt made a part or the upload was begun by an earlier attempt less than a week ago.
// After any other failure the upload is aborted.
//
// A panic is returned as a *PanicError. An error that would end the mapping, but that does not
// affect other requests, is returned as an *awserr.AloneError.
func (c *Copier) Copy(ctx context.Context, object listing.Object, target Target, record Record) (result Result, ours Ours, err error) {
	key, err := c.DestinationKey(object.Key)
	if err != nil {
		return Result{}, Ours{ETag: target.Known, Since: target.OursSince}, err
	}
	j := &job{
		shared: c.shared, object: object, key: key, target: target, standing: newStanding(&c.o, c.destination, key, target),
		writer: request.Writer{Sender: c.requests, Permit: record},
	}
	number := c.doubts.Begin()
	j.upload = c.uploads.Track(record, j.writer)
	err = c.guard(object.Key, func() (err error) {
		result, err = j.run(ctx)
		return err
	})
	if err != nil {
		return Result{}, j.standing.ours(), err
	}
	c.doubts.Succeeded(number)
	result.Unconditional = j.unconditional
	return result, Ours{}, nil
}

// DestinationKey returns the key of the copy of a source key. It returns an *ObjectError if S3 does
// not allow that key.
func (c *Copier) DestinationKey(key string) (string, error) {
	destination := c.o.SourcePlace.KeyTo(c.o.DestinationPlace, key)
	if n := len(destination); n == 0 || n > transfer.MaxKeyBytes {
		err := fmt.Errorf("%w: with the new prefix it has %d bytes, S3 allows 1 to %d", ErrKeyUnrepresentable, n, transfer.MaxKeyBytes)
		return "", &request.ObjectError{Op: "copy", Bucket: c.o.SourcePlace.Bucket, Key: key, Err: err}
	}
	return destination, nil
}

// AbortUpload aborts an unfinished upload. It returns nil if the upload no longer exists. It needs
// no slot and takes at most ten seconds.
func (c *Copier) AbortUpload(ctx context.Context, u record.Upload) error {
	return c.uploads.Abort(ctx, u)
}

// LostUploads reports whether the response to the creation of an upload was lost since the last
// call of LostUploads. Such an upload may have begun, but its ID is unknown, so only SweepUploads
// finds it.
func (c *Copier) LostUploads() bool { return c.uploads.Lost() }

// SweepUploads aborts the uploads that no record names. See [upload.Uploads.Sweep].
func (c *Copier) SweepUploads(ctx context.Context, before time.Time, kept []record.Upload) (aborted int, err error) {
	return c.uploads.Sweep(ctx, before, kept)
}
