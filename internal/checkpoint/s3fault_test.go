//nolint:thelper // bubbles run these as tests: a failure must show their line
package checkpoint_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
	"syncd/internal/checkpoint/store/s3/s3test"
)

// s3Story runs the story of TestEverySingleWriteFails on a ledger on S3, in processes that die or
// continue after a failure.
type s3Story struct {
	t     *testing.T
	state *s3test.State
	wire  *s3test.Harming
	acked string // low-water mark of the last successful save
	round int    // number of the pass that acked belongs to

	promised *promises
}

// run runs processes until the second generation is committed.
func (y *s3Story) run() {
	y.t.Helper()
	transport := http.RoundTripper(y.wire)
	for life := 0; ; life++ {
		if life > 12 {
			y.t.Fatalf("no second generation after %d lives", life)
		}
		o := options()
		o.ChunkEntries = 10
		ledger, err := checkpoint.Open(y.t.Context(), y.state.Store(transport), o)
		if err != nil {
			if _, isHeld := errors.AsType[*store.LeaseHeldError](err); !isHeld && !errors.Is(err, checkpointtest.ErrBroken) {
				y.t.Fatalf("open: got %v, want a clear error", err)
			}
			if y.wire.Killed {
				transport = y.state.Cloud.RoundTripper()
			}
			s3test.Pass(y.t, 70*time.Second)
			continue
		}
		y.t.Cleanup(func() { _ = ledger.Close() })
		done := y.live(ledger)
		err = ledger.Close()
		if done {
			if err != nil && !errors.Is(err, checkpointtest.ErrBroken) {
				y.t.Fatalf("close: %v", err)
			}
			return
		}
		transport = y.state.Cloud.RoundTripper() // the next process
		s3test.Pass(y.t, 70*time.Second)
	}
}

// live runs passes until the story ends or the process dies.
func (y *s3Story) live(ledger *checkpoint.Ledger) (done bool) {
	for attempts := range 6 {
		if attempts > 4 {
			y.t.Fatalf("no second generation after %d attempts", attempts)
		}
		round, err := y.next(ledger)
		if err == nil && round > 2 {
			return true
		}
		if err == nil {
			err = y.pass(ledger, round)
		}
		if err != nil && !errors.Is(err, checkpointtest.ErrBroken) {
			y.t.Fatalf("pass: %v", err)
		}
		if err != nil && y.wire.Killed {
			return false
		}
	}
	return false
}

// next returns the number of the pass that the story runs next. The ETag of the first entry of the
// last generation shows which pass committed that generation.
func (y *s3Story) next(ledger *checkpoint.Ledger) (int, error) {
	if ledger.Generation() == 0 {
		return 1, nil
	}
	for e, err := range checkpoint.Entries(y.t.Context(), y.state.Store(nil), mapping) {
		if err != nil {
			return 0, err
		}
		return map[string]int{"1": 2, "2": 3}[e.Source.ETag], nil
	}
	return 0, errors.New("an empty generation")
}

func (y *s3Story) pass(ledger *checkpoint.Ledger, round int) (err error) {
	p, err := beginSolo(y.t.Context(), ledger)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = p.Abandon(y.t.Context()) // a drain calls Abandon too; Abandon can fail again
		}
	}()
	// Begin may have found that the previous pass was nevertheless committed.
	if now, err := y.next(ledger); err != nil || now != round {
		return errors.Join(err, p.Abandon(y.t.Context()))
	}
	if y.round != round {
		y.round, y.acked = round, ""
	}
	if p.Mark() < y.acked {
		y.t.Fatalf("mark: got %q, want at least %q, which was saved", p.Mark(), y.acked)
	}
	if missing := y.promised.missing(p); len(missing) > 0 {
		y.t.Fatalf("pass %d does not have the uploads %q, which were saved", p.Number(), missing)
	}
	if err := storyWalk(y.t.Context(), p, round, y.promised, func(mark string) { y.acked = mark }); err != nil {
		return err
	}
	_, err = p.Commit(y.t.Context())
	return err
}

// TestEverySingleRequestFails fails one request of a story at a time, after which the process
// continues or dies. It checks that the story ends with the expected ledger.
func TestEverySingleRequestFails(t *testing.T) {
	first, step := 0, 9 // every ninth request, with an offset for each harm
	if *everyRequest {
		step = 1
	}
	for _, harm := range []s3test.Harm{s3test.Refused, s3test.Lost, s3test.Cut} {
		for _, killed := range []bool{false, true} {
			first++
			t.Run(fmt.Sprintf("%s, killed %t", harm, killed), func(t *testing.T) {
				s3test.LedgerBubble(t, func(t *testing.T) {
					for at, ended := min(1+first, step), false; !ended; at += step {
						s := s3test.New()
						wire := &s3test.Harming{Next: s.Cloud.RoundTripper(), Harm: harm, At: at, Killed: killed}
						(&s3Story{t: t, state: s, wire: wire, promised: newPromises()}).run()
						wantStory(t, s.Store(nil))
						if t.Failed() {
							t.Fatalf("when request %d %s: %s", at, harm, wire.What)
						}
						ended = wire.N < at
					}
				})
			})
		}
	}
}

// TestS3UploadsFail makes each request of an upload fail in turn, before or after the request takes
// effect, and writes the record again, as the next save would. It checks that the record is
// complete and that no unfinished upload is left.
func TestS3UploadsFail(t *testing.T) {
	t.Parallel()
	data := s3test.Large()
	for i, harm := range []s3test.Harm{s3test.Refused, s3test.Lost, s3test.Cut} {
		for at := 1; at <= 6; at++ { // begin, four parts, complete
			if !*everyRequest && (at+i)%2 == 0 {
				continue
			}
			s := s3test.New()
			wire := &s3test.Harming{Next: s.Cloud.RoundTripper(), Harm: harm, At: at}
			store := s.Store(wire)
			err := s3test.CreateLarge(t.Context(), store, "alpha/large", data)
			if !errors.Is(err, checkpointtest.ErrBroken) {
				t.Errorf("%s %s: got %v, want %v", wire.What, harm, err, checkpointtest.ErrBroken)
			}
			if exists := at == 6 && harm != s3test.Refused; !exists {
				if err := s3test.CreateLarge(t.Context(), store, "alpha/large", data); err != nil {
					t.Errorf("%s %s: again: %v", wire.What, harm, err)
				}
			}
			chunk, err := store.Open(t.Context(), "alpha/large", 0)
			if err != nil || chunk.Size() != int64(len(data)) {
				t.Errorf("%s %s: open: %v", wire.What, harm, err)
			}
			// If the ID of an upload never arrived, only a lifecycle rule can remove the upload.
			unknown := map[bool]int{true: 1}[at == 1 && harm != s3test.Refused]
			if diff := cmp.Diff(unknown, s.Bucket.Uploads()); diff != "" {
				t.Errorf("%s %s: unfinished uploads (-want +got):\n%s", wire.What, harm, diff)
			}
		}
	}
}
