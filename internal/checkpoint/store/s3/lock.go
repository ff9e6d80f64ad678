package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// lockRecord is the content of the lock object. The nonce and the renewal number make every write
// unique, so that an ETag never recurs.
type lockRecord struct {
	Version      int       `json:"version"`
	Number       int64     `json:"number"` // number of the lease; increases by one with every holder
	Nonce        string    `json:"nonce"`  // identifies the holder
	Renewal      int64     `json:"renewal"`
	Holder       string    `json:"holder"`
	Since        time.Time `json:"since"`         // by the holder's clock, informational
	Until        time.Time `json:"until"`         // by the holder's clock, informational
	LeaseSeconds float64   `json:"lease_seconds"` // how long the lease is held after the last write
	TakenOver    bool      `json:"taken_over"`    // whether the previous holder did not release the lease and is not fenced off yet
	Released     bool      `json:"released"`
}

// clockGrain is added to the duration of a lease before the lease counts as expired. HTTP dates
// have whole seconds (RFC 9110, 5.6.7), so both dates in the comparison are truncated.
const clockGrain = 2 * time.Second

// acquireTries limits how often Acquire reads and writes a lock. Acquire tries again if another
// process wrote the lock in between. That process then holds the lease.
const acquireTries = 4

// seenLock is a lock object as it was read. The etag is nil if there is no lock object.
type seenLock struct {
	record lockRecord
	etag   *string
	isNote bool      // the object is the lock file of a folder whose ledger was moved here; no process holds the lease
	until  time.Time // when the lease expires unless renewed, by S3's clock
	now    time.Time // when the lock was read, by S3's clock
}

func (l *seenLock) free() bool {
	return l.etag == nil || l.isNote || l.record.Released || !l.now.Before(l.until)
}

// readLock reads a lock object. The age of the object is measured by S3's clock only: it is the
// difference between Date and Last-Modified of the same response.
func (s *Store) readLock(ctx context.Context, key string) (seenLock, error) {
	data, out, err := s.readObject(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return seenLock{}, nil
	}
	if err != nil {
		return seenLock{}, err
	}
	lock := seenLock{etag: out.ETag, isNote: store.IsHolderNote(data)}
	if lock.isNote {
		return lock, nil
	}
	if err := store.Unseal(key, data, &lock.record); err != nil {
		return seenLock{}, err
	}
	now, ok := awsmiddleware.GetServerTime(out.ResultMetadata)
	if !ok || out.LastModified == nil {
		return seenLock{}, fmt.Errorf("read %s: response has no Date or no Last-Modified", s.uri(key))
	}
	lease := time.Duration(lock.record.LeaseSeconds * float64(time.Second))
	lock.now, lock.until = now, out.LastModified.Add(lease+clockGrain)
	return lock, nil
}

// putLock overwrites the lock object if its ETag still equals the parameter seen. If seen is nil,
// putLock creates the lock object, unless one exists.
func (s *Store) putLock(ctx context.Context, key string, record lockRecord, seen *string) (etag *string, err error) {
	data, err := store.Seal(record)
	if err != nil {
		return nil, err
	}
	in := &s3.PutObjectInput{
		Bucket: &s.options.Place.Bucket, Key: &key, ExpectedBucketOwner: s.options.Place.ExpectedOwner(), Body: bytes.NewReader(data),
		IfMatch: seen, ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	}
	if seen == nil {
		in.IfNoneMatch = aws.String("*")
	}
	if kms := s.options.KMSKey; kms != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled = types.ServerSideEncryptionAwsKms, &kms, aws.Bool(true)
	}
	out, err := s.client.PutObject(ctx, in)
	if err != nil {
		return nil, s.unwritten("write lease", key, err)
	}
	return out.ETag, nil
}

// wasChanged reports whether err means that a conditional write was refused because the object has
// changed.
func wasChanged(err error) bool {
	switch awserr.Classify(err) { //nolint:exhaustive // the three possible responses to a write whose condition is false
	case awserr.Precondition, awserr.Conflict, awserr.Gone:
		return true
	default:
		return false
	}
}

// Acquire acquires the lease if there is no lock object, if the lease was released, or if its
// holder has not renewed it in time. The lease is renewed in the background until it is released.
func (s *Store) Acquire(ctx context.Context, name, holder string) (store.Lease, error) {
	if !store.IsSegment(name) {
		return nil, fmt.Errorf("lease name %q: %w", name, fs.ErrInvalid)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, fmt.Errorf("acquire lease on %q: %w", name, err)
	}
	lease, err := s.acquire(ctx, name, holder)
	if err != nil {
		return nil, fmt.Errorf("acquire lease on %q: %w", name, err)
	}
	return lease, nil
}

func (s *Store) acquire(ctx context.Context, name, holder string) (*renewedLease, error) {
	key := s.options.Place.Prefix + name + "/" + store.LockName
	seen, err := s.readLock(ctx, key)
	if err != nil {
		return nil, err
	}
	var writeErr error
	for range acquireTries {
		if !seen.free() {
			return nil, &store.LeaseHeldError{Name: name, Holder: seen.record.Holder, Since: seen.record.Since, Until: seen.until}
		}
		record, err := s.nextLock(ctx, name, holder, &seen)
		if err != nil {
			return nil, err
		}
		begun := s.options.Now()
		etag, err := s.putLock(ctx, key, record, seen.etag)
		if err == nil {
			return s.hold(ctx, key, record, etag, begun), nil
		}
		writeErr = err
		if seen, err = s.readLock(ctx, key); err != nil {
			return nil, errors.Join(writeErr, err)
		}
		if seen.record.Nonce == record.Nonce { // the write succeeded, but its response was lost
			return s.hold(ctx, key, record, seen.etag, begun), nil
		}
		if !wasChanged(writeErr) {
			return nil, writeErr
		}
	}
	return nil, writeErr
}

// nextLock returns the record that the next holder writes over the lock that was seen.
func (s *Store) nextLock(ctx context.Context, name, holder string, seen *seenLock) (lockRecord, error) {
	now := s.options.Now()
	record := lockRecord{
		Version: store.FormatVersion, Number: seen.record.Number + 1, Nonce: mark(), Holder: holder,
		Since: now.UTC(), Until: now.Add(s.options.LeaseFor).UTC(), LeaseSeconds: s.options.LeaseFor.Seconds(),
		TakenOver: seen.record.TakenOver || !seen.record.Released,
	}
	if seen.etag == nil || seen.isNote {
		// There is no lock object: the mapping is new, the lock object was deleted, or the ledger
		// was moved here from a folder.
		names, err := s.List(ctx, name+"/")
		if err != nil {
			return record, err
		}
		if record.TakenOver = len(names) > 0; record.TakenOver {
			return s.aboveAll(ctx, name, record)
		}
	}
	return record, nil
}

// silentLeases is larger than any plausible number of consecutive leases without a commit.
const silentLeases = 1 << 20

// aboveAll returns rec with a lease number above the numbers of all earlier leases. It is used if
// the lock object was deleted.
func (s *Store) aboveAll(ctx context.Context, name string, rec lockRecord) (lockRecord, error) {
	m, err := record.Newest(ctx, s, name)
	if err != nil && !errors.Is(err, record.ErrNoCheckpoint) && !errors.Is(err, record.ErrNothingWhole) {
		return rec, err
	}
	rec.Number = m.Lease + silentLeases
	return rec, nil
}

// LeaseOf reads the lock object.
func (s *Store) LeaseOf(ctx context.Context, name string) (info store.LeaseInfo, ok bool, err error) {
	if !store.IsSegment(name) {
		return store.LeaseInfo{}, false, fmt.Errorf("lease name %q: %w", name, fs.ErrInvalid)
	}
	seen, err := s.readLock(ctx, s.options.Place.Prefix+name+"/"+store.LockName)
	if err != nil || seen.etag == nil || seen.record.Released {
		return store.LeaseInfo{}, false, err
	}
	return store.LeaseInfo{Holder: seen.record.Holder, Since: seen.record.Since, Until: seen.until}, true, nil
}
