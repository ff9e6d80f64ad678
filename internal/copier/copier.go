// Package copier carries out one copy: an action of the plan in, a result with its proof out.
//
// It promises that what it reports as copied is one version of the source, whole, under the
// configured KMS key. Every request is pinned to the ETag that was listed, so that an object
// overwritten during the copy is copied again from its newest version and never mixed from two; the
// key ARN that the service answers is compared with the configured one; the expected owner is sent
// for both buckets. Up to 5 GiB an object costs exactly one request; above, and where two roles are
// needed, content goes in parts side by side, or from one stream where a source answers no ranges.
// An upload of parts that is cut short by a drain, a dead session, a killed process or an outage
// resumes from where it was recorded last; every other failure aborts it, and SweepUploads finds
// uploads that no record names.
//
// It promises as well that it replaces nothing at the destination that syncd neither wrote nor
// adopted: every write is conditional on what the caller knows to be there (a [Target]), as far as
// the service honours conditions, and happens only while the pass may write. A refusal is never
// assumed to come from one side: both are asked.
//
// It leaves to others which objects to copy, in what order and how many at once (the syncer), and
// what to record of it (the ledger, behind [Record]). It never logs and counts nothing.
//
// Four words: server-side means that S3 moves the bytes and none passes through this process; a
// slot is the right to have one request in flight; to take over an upload is to resume one that
// another process began; an object at the destination is foreign when it is not syncd's.
package copier

import (
	"context"
	"fmt"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/content"
	"syncd/internal/copier/precondition"
	"syncd/internal/copier/request"
	"syncd/internal/copier/upload"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// Record is where a copy is recorded and what entitles it to write. A *checkpoint.Slot is one.
type Record interface {
	request.Permit
	upload.Record
}

// Copier copies objects from one bucket to another.
type Copier struct{ *shared }

// New returns a Copier.
func New(o Options) *Copier {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &shared{
		requests: &request.Sender{Slots: o.Slots, Bytes: o.Bytes}, conditions: precondition.New(o.ToS3), crc: content.NewChecksummer(),
		content: content.Source{API: o.Source, Place: o.SourcePlace}, annotating: make(chan struct{}, annotationsAtOnce),
	}
	if o.Relay {
		s.memory, o.RelayMemory = o.Buffers.Member(), o.Buffers.Size()
	}
	s.o = o
	s.source = &source{api: o.Source, place: o.SourcePlace, settings: o.Settings, requests: s.requests}
	s.destination = &destination{api: o.Destination, place: o.DestinationPlace, requests: s.requests, peer: o.Peer}
	s.doubts = newDoubts(s.source, s.destination)
	s.uploads = upload.New(upload.Options{
		API: o.Destination, Source: o.SourcePlace, Destination: o.DestinationPlace, Relay: o.Relay, Content: s.content, Memory: s.memory,
		Requests: s.requests, Initiator: o.Initiator, Session: o.Session, Now: o.Now,
	})
	return &Copier{s}
}

// Copy copies one object and returns what the destination answered. An error is an *ObjectError;
// what of the destination is syncd's own after it, ours says.
//
// A source that is overwritten meanwhile is looked up and copied again in its newest version, a few
// times, before it ends with ErrUnsteady; one that vanished ends with class gone. What is at the
// destination already is adopted if it is the object's copy, replaced if target says that it is
// syncd's own or Options.OverwriteAny is set, and else the copy ends with ErrForeign.
//
// An upload of parts is recorded, and one that record offers is taken over when it is of this very
// copy, or else aborted; a nil record records nothing. An upload whose copy ended because ctx or
// the right to write did, or with an error that awserr.Fatal ends the mapping for, stays as it is
// for another attempt. So does one whose copy was throttled or met a fault of the service or the
// network, where record keeps it and there is something in it to keep: a part that this attempt
// made, or those of an earlier one for up to a week. After any other failure it is aborted.
//
// A panic is a failure like any other, a *PanicError. One that would end the mapping, and is not
// shared by other requests, is an *awserr.AloneError.
func (c *Copier) Copy(ctx context.Context, object listing.Object, target Target, record Record) (result Result, ours Ours, err error) {
	key, err := c.DestinationKey(object.Key)
	if err != nil {
		return Result{}, Ours{ETag: target.Known, Since: target.OursSince}, err
	}
	j := &job{
		shared: c.shared, object: object, key: key, target: target, standing: newStanding(&c.o, c.destination, key, target),
		writer: request.Writer{Sender: c.requests, Permit: record},
	}
	number := c.doubts.begin()
	j.upload = c.uploads.Track(record, j.writer)
	err = c.guard(object.Key, func() (err error) {
		result, err = j.run(ctx)
		return err
	})
	if err != nil {
		return Result{}, j.standing.ours(), err
	}
	c.doubts.succeeded(number)
	result.Unconditional = j.unconditional
	return result, Ours{}, nil
}

// DestinationKey returns the key that the copy of a source key goes to, or an *ObjectError when S3
// has no such key.
func (c *Copier) DestinationKey(key string) (string, error) {
	destination := c.o.SourcePlace.KeyTo(c.o.DestinationPlace, key)
	if n := len(destination); n == 0 || n > transfer.MaxKeyBytes {
		err := fmt.Errorf("%w: the prefix change makes it %d bytes long, S3 takes 1 to %d", ErrKeyUnrepresentable, n, transfer.MaxKeyBytes)
		return "", &request.ObjectError{Op: "copy", Bucket: c.o.SourcePlace.Bucket, Key: key, Err: err}
	}
	return destination, nil
}

// AbortUpload removes an unfinished upload with its parts. One that is gone is removed. It waits
// for no slot, and ten seconds at most.
func (c *Copier) AbortUpload(ctx context.Context, u record.Upload) error {
	return c.uploads.Abort(ctx, u)
}

// LostUploads reports whether an upload may have begun whose id was lost with an answer, since it
// was asked last. Only SweepUploads finds it.
func (c *Copier) LostUploads() bool { return c.uploads.Lost() }

// SweepUploads aborts the uploads that no record names, as [upload.Uploads.Sweep] does.
func (c *Copier) SweepUploads(ctx context.Context, before time.Time, kept []record.Upload) (aborted int, err error) {
	return c.uploads.Sweep(ctx, before, kept)
}
