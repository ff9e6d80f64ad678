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
	ended  chan struct{}      // closed when they have ended
	finish sync.Once

	writing turn.Lock // one write of the lock at a time; guards etag
	etag    *string

	mu     sync.Mutex
	record lockRecord
	begun  time.Time   // when the last write that succeeded began, by the own clock
	lapse  *time.Timer // ends the tenure when no write has succeeded in time
	lost   error
}

// hold returns the lease whose record was written, and begins to renew it. What it promised to
// others it holds for itself a tenth shorter.
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

// announce tells until when the lease is good that was written at begun.
func (l *renewedLease) announce(begun time.Time) {
	name := strings.TrimPrefix(strings.TrimSuffix(l.key, "/"+store.LockName), l.store.options.Place.Prefix)
	l.store.options.Renewed(name, begun.Add(l.store.options.LeaseFor))
}

// renew writes the lock three times in the time it is good for.
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

// write overwrites the lock, to renew or to release it. When the lock is not as it was left, the
// nonce tells whether an own write has landed unnoticed.
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
		// The next write must not be taken for an earlier one of the same number.
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

// left returns how long the lease is good for unless it is renewed, by whichever of this process's
// clocks says less: the monotonic one stands still while the machine is suspended, and the other
// may be set.
func (l *renewedLease) left() time.Duration {
	now := l.store.options.Now()
	age := max(now.Sub(l.begun), now.Round(0).Sub(l.begun.Round(0)))
	return l.store.options.LeaseFor*9/10 - age
}

// lapsed ends the tenure when the lease was not renewed in time.
func (l *renewedLease) lapsed() {
	if err := l.Held(context.Background()); err != nil {
		l.End(err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lapse.Reset(max(l.left(), time.Millisecond)) // it was renewed meanwhile
}

// Held returns nil while the last renewal is young enough by the own clock.
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

// Number returns the number of the lease, which its lock object counts.
func (l *renewedLease) Number() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record.Number
}

// TakenOver reports whether the holder before did not give the lease back.
func (l *renewedLease) TakenOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.record.TakenOver
}

// Fenced is told to others with the next renewal.
func (l *renewedLease) Fenced() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record.TakenOver = false
}

// Release ends the renewals and writes that the lock is free, so that the next holder need not
// wait. When the lock is no longer this holder's, nothing is left to be done.
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
