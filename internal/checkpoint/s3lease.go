package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
)

// lockRecord is what the lock object says. Every write of it differs from every
// other, by nonce and renewal, so that no ETag comes back.
type lockRecord struct {
	Version      int       `json:"version"`
	Number       int64     `json:"number"` // of the lease; one more with every holder
	Nonce        string    `json:"nonce"`  // of the holder
	Renewal      int64     `json:"renewal"`
	Holder       string    `json:"holder"`
	Since        time.Time `json:"since"`         // by the holder's clock, for people
	Until        time.Time `json:"until"`         // by the holder's clock, for people
	LeaseSeconds float64   `json:"lease_seconds"` // how long after the last write it is held
	TakenOver    bool      `json:"taken_over"`    // from a holder who is not fenced off yet
	Released     bool      `json:"released"`
}

// clockGrain is added to a lease before it counts as expired: HTTP dates have
// whole seconds (RFC 9110, 5.6.7), and the two that are compared are each cut.
const clockGrain = 2 * time.Second

// acquireTries bounds how often a lock is read and written anew because another
// contender wrote it in between; that one then holds it.
const acquireTries = 4

// seenLock is a lock object as it was read. ETag is nil when there is none.
type seenLock struct {
	record lockRecord
	etag   *string
	until  time.Time // when it expires by the clock of the store, unless renewed
	now    time.Time // clock of the store
}

func (l *seenLock) free() bool { return l.etag == nil || l.record.Released || !l.now.Before(l.until) }

// readLock reads a lock. How old it is, is told by the clock of S3 alone: the
// Date and the Last-Modified of one and the same answer.
func (s *S3) readLock(ctx context.Context, key string) (seenLock, error) {
	data, out, err := s.readObject(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return seenLock{}, nil
	}
	if err != nil {
		return seenLock{}, err
	}
	lock := seenLock{etag: out.ETag}
	if err := unseal(key, data, &lock.record); err != nil {
		return seenLock{}, err
	}
	now, ok := awsmiddleware.GetServerTime(out.ResultMetadata)
	if !ok || out.LastModified == nil {
		return seenLock{}, fmt.Errorf("read %s: the answer has no Date or no Last-Modified", s.uri(key))
	}
	lease := time.Duration(lock.record.LeaseSeconds * float64(time.Second))
	lock.now, lock.until = now, out.LastModified.Add(lease+clockGrain)
	return lock, nil
}

// putLock overwrites the lock that was seen, or creates it when none was.
func (s *S3) putLock(ctx context.Context, key string, record lockRecord, seen *string) (etag *string, err error) {
	data, err := seal(record)
	if err != nil {
		return nil, err
	}
	in := &s3.PutObjectInput{
		Bucket: &s.options.Bucket, Key: &key, ExpectedBucketOwner: s.owner(), Body: bytes.NewReader(data),
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

// wasChanged reports whether a conditional write was refused because the object
// is not the one that was seen.
func wasChanged(err error) bool {
	switch awserr.Classify(err) { //nolint:exhaustive // three answers to a write whose condition does not hold
	case awserr.Precondition, awserr.Conflict, awserr.Gone:
		return true
	default:
		return false
	}
}

// Acquire takes the lock object when there is none, when it was released, or
// when it has not been renewed for as long as its holder promised. The lease is
// renewed in the background until it is released.
func (s *S3) Acquire(ctx context.Context, name, holder string) (Lease, error) {
	if isNoSegment(name) {
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

func (s *S3) acquire(ctx context.Context, name, holder string) (*s3Lease, error) {
	key := s.options.Prefix + name + "/" + lockName
	seen, err := s.readLock(ctx, key)
	if err != nil {
		return nil, err
	}
	var writeErr error
	for range acquireTries {
		if !seen.free() {
			return nil, &LeaseHeldError{Name: name, Holder: seen.record.Holder, Since: seen.record.Since, Until: seen.until}
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
		if seen.record.Nonce == record.Nonce { // the answer was lost, not the write
			return s.hold(ctx, key, record, seen.etag, begun), nil
		}
		if !wasChanged(writeErr) {
			return nil, writeErr
		}
	}
	return nil, writeErr
}

// nextLock is what the next holder writes over the lock that was seen.
func (s *S3) nextLock(ctx context.Context, name, holder string, seen *seenLock) (lockRecord, error) {
	now := s.options.Now()
	record := lockRecord{
		Version: formatVersion, Number: seen.record.Number + 1, Nonce: mark(), Holder: holder,
		Since: now.UTC(), Until: now.Add(s.options.LeaseFor).UTC(), LeaseSeconds: s.options.LeaseFor.Seconds(),
		TakenOver: seen.record.TakenOver || !seen.record.Released,
	}
	if seen.etag == nil {
		// Either the mapping is new, or someone took the lock away from a holder.
		names, err := s.List(ctx, name+"/")
		if err != nil {
			return record, err
		}
		if record.TakenOver = len(names) > 0; record.TakenOver {
			return s.behindAll(ctx, name, record)
		}
	}
	return record, nil
}

// silentLeases is more than the leases that were ever taken, one after the other,
// without that their holders committed anything.
const silentLeases = 1 << 20

// behindAll gives a lease whose lock is gone a number above all that went before.
func (s *S3) behindAll(ctx context.Context, name string, record lockRecord) (lockRecord, error) {
	m, err := latest(ctx, s, name)
	if err != nil && !errors.Is(err, ErrNoCheckpoint) && !errors.Is(err, ErrNothingWhole) {
		return record, err
	}
	record.Number = m.Lease + silentLeases
	return record, nil
}

// LeaseOf reads the lock object.
func (s *S3) LeaseOf(ctx context.Context, name string) (info LeaseInfo, ok bool, err error) {
	if isNoSegment(name) {
		return LeaseInfo{}, false, fmt.Errorf("lease name %q: %w", name, fs.ErrInvalid)
	}
	seen, err := s.readLock(ctx, s.options.Prefix+name+"/"+lockName)
	if err != nil || seen.etag == nil || seen.record.Released {
		return LeaseInfo{}, false, err
	}
	return LeaseInfo{Holder: seen.record.Holder, Since: seen.record.Since, Until: seen.until}, true, nil
}

// s3Lease is a lock object that is renewed in the background.
type s3Lease struct {
	tenure
	store  *S3
	key    string
	stop   context.CancelFunc // ends the renewals
	ended  chan struct{}      // closed when they have ended
	finish sync.Once

	writing sync.Mutex // one write of the lock at a time; guards etag
	etag    *string

	mu     sync.Mutex
	record lockRecord
	begun  time.Time   // when the last write that succeeded began, by the own clock
	lapse  *time.Timer // ends the tenure when no write has succeeded in time
	lost   error
}

// hold returns the lease whose record was written, and begins to renew it. What
// it promised to others it holds for itself a tenth shorter.
func (s *S3) hold(ctx context.Context, key string, record lockRecord, etag *string, begun time.Time) *s3Lease {
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := &s3Lease{
		tenure: newTenure(), store: s, key: key, stop: stop, ended: make(chan struct{}), etag: etag, record: record, begun: begun,
	}
	l.lapse = time.AfterFunc(l.left(), l.lapsed)
	go l.renew(renewing)
	l.announce(begun)
	return l
}

// announce tells until when the lease is good that was written at begun.
func (l *s3Lease) announce(begun time.Time) {
	name := strings.TrimPrefix(strings.TrimSuffix(l.key, "/"+lockName), l.store.options.Prefix)
	l.store.options.Renewed(name, begun.Add(l.store.options.LeaseFor))
}

// renew writes the lock three times in the time it is good for.
func (l *s3Lease) renew(ctx context.Context) {
	defer close(l.ended)
	interval := l.store.options.LeaseFor / 3
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		attempt, cancel := context.WithTimeout(ctx, interval)
		err := l.write(attempt, false)
		cancel()
		if err != nil && ctx.Err() == nil {
			l.store.options.Logger.Warn("lease was not renewed", "lease", l.store.uri(l.key), "err", err)
		}
		if errors.Is(err, ErrLeaseLost) {
			return
		}
	}
}

// write overwrites the lock, to renew or to release it. When the lock is not as
// it was left, the nonce tells whether an own write has landed unnoticed.
func (l *s3Lease) write(ctx context.Context, release bool) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	begun := l.store.options.Now()
	record := l.next(begun, release)
	var err error
	for range 2 {
		var etag *string
		etag, err = l.store.putLock(ctx, l.key, record, l.etag)
		if err == nil {
			l.adopt(record, etag, begun)
			return nil
		}
		seen, readErr := l.store.readLock(ctx, l.key)
		if readErr != nil {
			return errors.Join(err, readErr)
		}
		if seen.record.Nonce != record.Nonce {
			return l.lose(seen.record.Holder)
		}
		if seen.record.Renewal == record.Renewal {
			l.adopt(record, seen.etag, begun)
			return nil
		}
		l.etag = seen.etag
		// The next write must not be taken for an earlier one of the same number.
		record.Renewal = seen.record.Renewal + 1
	}
	return err
}

func (l *s3Lease) next(now time.Time, release bool) lockRecord {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record.Renewal++
	record := l.record
	record.Released = release
	record.Until = now.Add(l.store.options.LeaseFor).UTC()
	return record
}

func (l *s3Lease) adopt(record lockRecord, etag *string, begun time.Time) {
	l.etag = etag
	l.mu.Lock()
	l.begun, l.record.Renewal = begun, record.Renewal
	if !record.Released {
		l.lapse.Reset(l.left())
	}
	l.mu.Unlock()
	if !record.Released {
		l.announce(begun)
	}
}

func (l *s3Lease) lose(to string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost == nil {
		l.lost = fmt.Errorf("%w: taken by %q", ErrLeaseLost, to)
	}
	l.end(l.lost)
	return l.lost
}

// left returns how long the lease is good for unless it is renewed, by whichever of this process's clocks says less: the
// monotonic one stands still while the machine is suspended, and the other may be set.
func (l *s3Lease) left() time.Duration {
	now := l.store.options.Now()
	age := max(now.Sub(l.begun), now.Round(0).Sub(l.begun.Round(0)))
	return l.store.options.LeaseFor*9/10 - age
}

// lapsed ends the tenure when the lease was not renewed in time.
func (l *s3Lease) lapsed() {
	if err := l.Held(context.Background()); err != nil {
		l.end(err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lapse.Reset(max(l.left(), time.Millisecond)) // it was renewed meanwhile
}

// Held returns nil while the last renewal is young enough by the own clock.
func (l *s3Lease) Held(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost != nil {
		return l.lost
	}
	if left := l.left(); left <= 0 {
		age := l.store.options.LeaseFor*9/10 - left
		return fmt.Errorf("%w: not renewed for %s", ErrLeaseLost, age.Round(time.Millisecond))
	}
	return ctx.Err()
}

// Confirm renews the lease.
func (l *s3Lease) Confirm(ctx context.Context) error {
	if err := l.Held(ctx); err != nil {
		return err
	}
	if err := l.write(ctx, false); err != nil {
		return fmt.Errorf("renew lease: %w", err)
	}
	return l.Held(ctx)
}

// Number returns the number of the lease, which its lock object counts.
func (l *s3Lease) Number() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record.Number
}

// TakenOver reports whether the holder before did not give the lease back.
func (l *s3Lease) TakenOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record.TakenOver
}

// Fenced is told to others with the next renewal.
func (l *s3Lease) Fenced() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record.TakenOver = false
}

// Release ends the renewals and writes that the lock is free, so that the next
// holder need not wait. When the lock is no longer this holder's, nothing is
// left to be done.
func (l *s3Lease) Release() (err error) {
	l.finish.Do(func() {
		l.stop()
		<-l.ended
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
		defer cancel()
		l.mu.Lock()
		lost := l.lost
		l.lost = fmt.Errorf("%w: released", ErrLeaseLost)
		l.lapse.Stop()
		l.end(l.lost)
		l.mu.Unlock()
		if lost != nil {
			return
		}
		if err = l.write(ctx, true); errors.Is(err, ErrLeaseLost) {
			err = nil
		}
	})
	if err != nil {
		return fmt.Errorf("release lease: %w", err)
	}
	return nil
}
