package syncer_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/throttle"
)

// copyCounter counts the copy requests by destination key, and those that succeeded.
type copyCounter struct {
	next http.RoundTripper

	mu    sync.Mutex
	byKey map[string]int
	made  int64
}

func (c *copyCounter) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.next.RoundTrip(r)
	if r.Header.Get("X-Amz-Copy-Source") != "" {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.byKey[strings.TrimPrefix(r.URL.Path, "/consumer-copy/")]++
		if err == nil && res.StatusCode == http.StatusOK {
			c.made++
		}
	}
	return res, err
}

const folders, perFolder = 16, 50

func inFolder(folder, i int) string { return fmt.Sprintf("d%02d/%s", folder, name(i)) }

// inFolders makes a world with a ledger of objects in 16 folders, and writes new versions of the
// objects that is selects. The next pass begins with n ranges and copies up to atOnce objects at
// once. The returned counter counts its copies.
func inFolders(t *testing.T, n, atOnce int, is func(folder, i int) bool) (*world, *copyCounter) {
	t.Helper()
	w := newWorld(t)
	counter := &copyCounter{next: w.cloud.RoundTripper(), byKey: map[string]int{}}
	client := s3.New(w.client.Options(), func(o *s3.Options) { o.HTTPClient = &http.Client{Transport: counter} })
	w.copies.Source, w.copies.Destination = client, client
	w.options.Ledger.ChunkEntries, w.options.RangeKeys = perFolder, int64(folders*perFolder/n)
	w.options.Turns = throttle.NewLevel(throttle.LevelOptions{Min: atOnce, Max: atOnce}).Gate()
	w.copies.Slots = throttle.NewLevel(throttle.LevelOptions{Min: 2 * atOnce, Start: 2 * atOnce, Max: 2 * atOnce}).Gate()
	w.putInFolders(1, every)
	s := w.open(t)
	if got := mustRun(t, s); got.Copied != folders*perFolder {
		t.Fatalf("got %+v, want everything copied", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Hour)
	w.putInFolders(2, is)
	clear(counter.byKey)
	return w, counter
}

func every(_, _ int) bool { return true }

func (w *world) putInFolders(size int64, is func(folder, i int) bool) {
	for f := range folders {
		for i := range perFolder {
			if is(f, i) {
				w.source.Put(inFolder(f, i), awsfake.SyntheticBody(size, 1), awsfake.PutOptions{})
			}
		}
	}
}

// TestRefusedStretchOfManyRanges refuses some folders while other ranges are copied, with few and
// many ranges and with small windows. It checks that the pass ends, that it quarantines exactly the
// refused objects, and that it copies each other object once.
func TestRefusedStretchOfManyRanges(t *testing.T) {
	skipIfShort(t)
	for denied, refused := range map[string]int64{"d03/*": perFolder, "d1*": 6 * perFolder, "*/k0000*": folders * 10} {
		for _, n := range []int{1, 2, 16} {
			for window, atOnce := range map[int]int{64: 64, 256: 8} {
				if isEveryWindow := n == 16 && refused == 6*perFolder; *many <= 1000 && (n < 16 || window == 256 && !isEveryWindow) {
					continue
				}
				t.Run(fmt.Sprintf("%s of %d ranges, window %d", denied, n, window), func(t *testing.T) {
					checkpointtest.Bubble(t, func(t *testing.T) {
						w, counter := inFolders(t, n, atOnce, every)
						w.options.Ledger.Window = window
						w.deny(w.source, denied, "s3:GetObject")
						w.cloud.SetLatency(time.Second)
						ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour)
						defer cancel()
						got, err := w.open(t).Run(ctx)
						if err != nil || got.Quarantined["denied"] != refused || got.SetAside() != refused || got.Copied+refused != folders*perFolder {
							t.Errorf("got %+v, %v, want %d set aside and all others copied", got, err, refused)
						}
						for key, n := range counter.byKey {
							if o, _ := w.destination.Object(key); n > 1 && o.Size == 2 {
								t.Errorf("%s was copied with %d requests, want 1", key, n)
							}
						}
					})
				})
			}
		}
	}
}

// TestProbesLeaveCopiesInFlightAlone refuses a folder while the first object of each other folder is
// being copied, which takes minutes. It checks that no object is copied twice: the objects that are
// tried in other key ranges are not those in flight or copied by this pass.
func TestProbesLeaveCopiesInFlightAlone(t *testing.T) {
	for _, n := range []int{2, 16} {
		t.Run(fmt.Sprintf("%d ranges", n), func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w, counter := inFolders(t, n, 64, func(folder, i int) bool { return folder == 3 || i == 0 || i == perFolder-1 })
				w.deny(w.source, "d03/*", "s3:GetObject")
				for f := range folders {
					w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: inFolder(f, 0), Times: 1, Do: func() { time.Sleep(5 * time.Minute) }})
				}
				w.cloud.SetLatency(time.Second)
				got, err := w.open(t).Run(t.Context())
				if err != nil || got.Quarantined["denied"] != perFolder || got.SetAside() != perFolder || got.Copied != 2*(folders-1) {
					t.Errorf("got %+v, %v, want only the refused folder set aside", got, err)
				}
				for key, n := range counter.byKey {
					if n > 1 && !strings.HasPrefix(key, "d03/") {
						t.Errorf("%s was copied with %d requests, want 1", key, n)
					}
				}
			})
		})
	}
}

// TestEverythingIsRefusedInManyRanges refuses everything while 16 ranges are walked. It checks that
// the pass ends soon and quarantines nothing, and that everything is copied after the repair.
func TestEverythingIsRefusedInManyRanges(t *testing.T) {
	skipIfShort(t)
	for _, n := range []int{2, 16} {
		for _, latency := range []time.Duration{0, time.Second} {
			t.Run(fmt.Sprintf("%d ranges, %s", n, latency), func(t *testing.T) {
				checkpointtest.Bubble(t, func(t *testing.T) {
					w, _ := inFolders(t, n, 8, every)
					w.cloud.SetLatency(latency)
					repair := w.deny(w.source, "*", "s3:GetObject")
					s := w.open(t)
					w.refused(t, s, 300)
					time.Sleep(time.Hour)
					w.refused(t, s, 60)
					repair()
					if got := mustRun(t, s); got.Copied+got.Adopted != folders*perFolder || got.Exit != 0 {
						t.Errorf("got %+v, want everything copied", got)
					}
					if diff := cmp.Diff(w.source.Keys(), w.destination.Keys()); diff != "" {
						t.Errorf("keys (-source +copy):\n%s", diff)
					}
				})
			})
		}
	}
}
