package syncer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier"
	"syncd/internal/syncer"
)

// TestAKilledPassUnderNewSettingsResumes kills four processes, one after the other, of a pass that
// copies everything again under new settings. It checks that copies that were saved are not made
// again, and that the unfinished upload is resumed.
func TestAKilledPassUnderNewSettingsResumes(t *testing.T) {
	skipIfShort(t)
	for _, store := range stores() {
		for _, d := range detours() {
			if d.name == "source" || d.name == "source prefix" {
				continue // both settings use the same destination keys, which is another case
			}
			t.Run(store+", "+d.name, func(t *testing.T) {
				checkpointtest.Bubble(t, func(t *testing.T) { killUnderNewSettings(t, store, d) })
			})
		}
	}
}

func killUnderNewSettings(t *testing.T, store string, d detour) {
	t.Helper()
	const objects, kills, atOnce = 600, 4, 8 // each object takes half a second
	w := newWorld(t)
	w.both()
	w.copies.MultipartAbove, w.copies.PartSize = 5<<20, 5<<20
	w.fill(objects)
	w.source.Put("k", awsfake.SyntheticBody(80<<20, 1), awsfake.PutOptions{}) // sorts before all other keys
	change, _ := d.begin(w)
	first := w.start(t, store)
	if got, err := first.run(t); err != nil || got.Exit != 0 {
		t.Fatalf("first pass: got %+v, %v", got, err)
	}
	first.finish(t)

	change()
	w.cloud.SetLatency(500 * time.Millisecond)
	w.cloud.ResetRequests()
	slow := w.cloud.Inject(awsfake.Fault{Operation: "UploadPartCopy", Skip: 4, Kind: awsfake.Timeout}) // the upload takes longer than all four processes live
	for range kills {
		p := w.start(t, store)
		p.life = 10 * time.Second
		if store == "S3" {
			p.life = 20 * time.Second // opening the ledger takes half of this time
		}
		if got, err := p.run(t); err == nil {
			t.Fatalf("got %+v, want a pass that is killed", got)
		}
		p.finish(t)
	}
	slow()
	last := w.start(t, store)
	if got, err := last.run(t); err != nil || got.Exit != 0 || !got.Resumed {
		t.Errorf("last: got %+v, %v, want the pass resumed and ended", got, err)
	}
	last.finish(t)
	w.wantInStep(t)
	// Each kill loses the copies in flight and the copies settled since the last save. The time
	// between saves is two seconds at first, then four, then eight.
	total := int64(len(w.source.Keys()) - 1)
	if n := w.cloud.BucketRequests("consumer-copy")["CopyObject"]; n > total+kills*(atOnce+8*2*atOnce) {
		t.Errorf("got %d copies of %d objects in %d kills", n, total, kills)
	}
	if n := w.cloud.Requests()["CreateMultipartUpload"] - w.stateUploads(); n != 1 {
		t.Errorf("got %d uploads begun, want one that is resumed", n)
	}
}

// stateUploads returns how many multipart uploads the ledgers on S3 have started.
func (w *world) stateUploads() int64 {
	if !w.hasState {
		return 0
	}
	return w.cloud.BucketRequests(stateBucket)["CreateMultipartUpload"]
}

// slowStore is a store whose writes are slow.
type slowStore struct {
	store.Store
	takes time.Duration
	saves *atomic.Int64
}

func (s slowStore) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	if strings.Contains(name, "/progress-") {
		s.saves.Add(1)
	}
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return fmt.Errorf("create %s: %w", name, ctx.Err())
	}
	return s.Store.Create(ctx, name, write)
}

// TestASaveThatHasBegunEnds checks that a save in progress is completed if the last copy of the
// pass ends during the save.
func TestASaveThatHasBegunEnds(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(20)
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(19), Do: func() { time.Sleep(4 * time.Second) }})
		w.cloud.SetLatency(200 * time.Millisecond)
		var saves atomic.Int64
		o := w.options
		o.Source, o.Copier, o.Store = w.live, copier.New(w.copies), slowStore{o.Store, 8 * time.Second, &saves}
		s := syncer.New(o)
		got, err := s.Run(t.Context())
		if err != nil || got.Copied != 20 || got.Exit != 0 {
			t.Errorf("got %+v, %v, want all copied", got, err)
		}
		if saves.Load() < 2 {
			t.Errorf("got %d saves, want a save during which the last copy ended", saves.Load())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestQuietStretchesArePassed checks that a pass reaches its end although each process lives for a
// shorter time than it takes to list a range of unchanged objects.
func TestQuietStretchesArePassed(t *testing.T) {
	skipIfShort(t)
	for _, store := range stores() {
		t.Run(store, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.fill(4500)
				first := w.start(t, store)
				if got, err := first.run(t); err != nil || got.Copied != 4500 {
					t.Fatalf("first pass: got %+v, %v", got, err)
				}
				first.finish(t)
				w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: "owner-data", Do: func() { time.Sleep(5 * time.Second) }})
				for lives := 1; ; lives++ {
					p := w.start(t, store)
					p.life = 12 * time.Second
					got, err := p.run(t)
					p.finish(t)
					if err == nil {
						if lives < 2 || !got.Resumed {
							t.Errorf("got %+v in %d lives, want a pass that took several lives", got, lives)
						}
						return
					}
					if lives > 12 || !errors.Is(err, syncer.ErrDrained) && !errors.Is(err, errKilled) {
						t.Fatalf("got %+v, %v in life %d", got, err, lives)
					}
				}
			})
		})
	}
}
