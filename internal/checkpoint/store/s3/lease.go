package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"syncd/internal/checkpoint/store"
	"syncd/internal/checkpoint/turn"
	"syncd/internal/deadline"
)

// renewedLease is a lock object that is renewed in the background.
type renewedLease struct {
	store.Tenure
	store  *Store
	key    string
	stop   context.CancelFunc // ends the renewals
	ended  chan struct{}      // closed when the renewals have ended
	finish sync.Once

	writing turn.Lock // serializes writes of the lock; guards etag
	etag    *string

	mu     sync.Mutex
	record lockRecord
	begun  time.Time   // when the last successful write began, by this process's clock
	lapse  *time.Timer // ends the tenure if no renewal succeeds in time
	lost   error
}

// hold returns the lease for a lock object that was just written, and starts to renew it. The
// holder considers the lease expired nine tenths of LeaseFor after the last renewal.
func (s *Store) hold(ctx context.Context, key string, record lockRecord, etag *string, begun time.Time) *renewedLease {
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := &renewedLease{
		Tenure: store.NewTenure(), writing: turn.New(), store: s, key: key, stop: stop, ended: make(chan struct{}), etag: etag, record: record, begun: begun,
	}
	l.lapse = time.AfterFunc(l.left(), l.lapsed)
	go l.renew(renewing)
	l.announce(begun)
	return l
}

// announce calls Options.Renewed with the time at which a lease that was written at begun expires.
func (l *renewedLease) announce(begun time.Time) {
	name := strings.TrimPrefix(strings.TrimSuffix(l.key, "/"+store.LockName), l.store.options.Place.Prefix)
	l.store.options.Renewed(name, begun.Add(l.store.options.LeaseFor))
}

// renew writes the lock three times per LeaseFor.
func (l *renewedLease) renew(ctx context.Context) {
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
		err := deadline.Do(ctx, interval, func(ctx context.Context) error { return l.write(ctx, false) })
		if err != nil && ctx.Err() == nil {
			l.store.options.Logger.Warn("lease was not renewed", "lease", l.store.uri(l.key), "err", err)
		}
		if errors.Is(err, store.ErrLeaseLost) {
			return
		}
	}
}

// write overwrites the lock to renew or release it. If the lock has changed, its nonce shows
// whether an earlier write of this holder succeeded although the response was lost.
func (l *renewedLease) write(ctx context.Context, release bool) error {
	if err := l.writing.Take(ctx); err != nil {
		return err
	}
	defer l.writing.Give()
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
		// The lock contains an earlier write of this holder. The next write must differ from that
		// write, so it gets the next renewal number.
		record.Renewal = seen.record.Renewal + 1
	}
	return err
}

func (l *renewedLease) next(now time.Time, release bool) lockRecord {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record.Renewal++
	record := l.record
	record.Released = release
	record.Until = now.Add(l.store.options.LeaseFor).UTC()
	return record
}

func (l *renewedLease) adopt(record lockRecord, etag *string, begun time.Time) {
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

func (l *renewedLease) lose(to string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost == nil {
		l.lost = fmt.Errorf("%w: taken by %q", store.ErrLeaseLost, to)
	}
	l.End(l.lost)
	return l.lost
}

// left returns how long the lease is valid unless it is renewed. It measures with both the
// monotonic clock and the wall clock and returns the shorter time: the monotonic clock stops while
// the machine is suspended, and the wall clock can be set back.
func (l *renewedLease) left() time.Duration {
	now := l.store.options.Now()
	age := max(now.Sub(l.begun), now.Round(0).Sub(l.begun.Round(0)))
	return l.store.options.LeaseFor*9/10 - age
}

// lapsed ends the tenure if the lease was not renewed in time.
func (l *renewedLease) lapsed() {
	if err := l.Held(context.Background()); err != nil {
		l.End(err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lapse.Reset(max(l.left(), time.Millisecond)) // the lease was renewed in the meantime
}

// Held returns nil if the last renewal is recent enough by this process's clock.
func (l *renewedLease) Held(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost != nil {
		return l.lost
	}
	if left := l.left(); left <= 0 {
		age := l.store.options.LeaseFor*9/10 - left
		return fmt.Errorf("%w: not renewed for %s", store.ErrLeaseLost, age.Round(time.Millisecond))
	}
	return ctx.Err()
}

// Confirm renews the lease.
func (l *renewedLease) Confirm(ctx context.Context) error {
	if err := l.Held(ctx); err != nil {
		return err
	}
	if err := l.write(ctx, false); err != nil {
		return fmt.Errorf("renew lease: %w", err)
	}
	return l.Held(ctx)
}

// Number returns the number of the lease, which is counted in its lock object.
func (l *renewedLease) Number() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record.Number
}

// TakenOver reports whether the previous holder did not release the lease.
func (l *renewedLease) TakenOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record.TakenOver
}

// Fenced records that the previous holder is fenced off. The next renewal writes that fact to the
// lock object.
func (l *renewedLease) Fenced() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record.TakenOver = false
}

// Release stops the renewals and marks the lock as free, so that the next holder need not wait. If
// another holder has the lock, it does nothing.
func (l *renewedLease) Release() (err error) {
	l.finish.Do(func() {
		l.stop()
		<-l.ended
		l.mu.Lock()
		lost := l.lost
		l.lost = fmt.Errorf("%w: released", store.ErrLeaseLost)
		l.lapse.Stop()
		l.End(l.lost)
		l.mu.Unlock()
		if lost != nil {
			return
		}
		err = deadline.Do(context.Background(), cleanupTime, func(ctx context.Context) error { return l.write(ctx, true) })
		if errors.Is(err, store.ErrLeaseLost) {
			err = nil
		}
	})
	if err != nil {
		return fmt.Errorf("release lease: %w", err)
	}
	return nil
}
