package syncer_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier"
	"syncd/internal/listing"
	"syncd/internal/syncer"
)

// These parts of a pass work normally, except that each panics once.

type panickingLister struct {
	listing.Live
	armed *atomic.Bool
}

func (l panickingLister) List(ctx context.Context, r listing.Range) iter.Seq2[listing.Object, error] {
	return func(yield func(listing.Object, error) bool) {
		for object, err := range l.Live.List(ctx, r) {
			fire(l.armed, object.Key == name(500))
			if !yield(object, err) {
				return
			}
		}
	}
}

type panickingPager struct {
	listing.Live
	armed *atomic.Bool
}

func (p panickingPager) Page(ctx context.Context, after string) ([]listing.Object, bool, error) {
	page, more, err := p.Live.Page(ctx, after)
	fire(p.armed, after != "")
	return page, more, err
}

type panickingCopier struct {
	*copier.Copier
	armed *atomic.Bool
}

func (c panickingCopier) Copy(ctx context.Context, object listing.Object, target copier.Target, record copier.Record) (copier.Result, copier.Ours, error) {
	fire(c.armed, object.Key == name(500))
	return c.Copier.Copy(ctx, object, target, record)
}

type panickingStore struct {
	store.Store
	armed *atomic.Bool
}

func (s panickingStore) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	fire(s.armed, strings.Contains(name, "chunk"))
	return s.Store.Create(ctx, name, write)
}

func fire(armed *atomic.Bool, now bool) {
	if now && armed.CompareAndSwap(true, false) {
		panic("boom")
	}
}

// TestAPanicIsAFailedPass checks for each goroutine of a pass that, if it panics, the pass fails
// and logs the stack, and the next pass resumes it.
func TestAPanicIsAFailedPass(t *testing.T) {
	for where, arrange := range map[string]func(o *syncer.Options, armed *atomic.Bool){
		"listing": func(o *syncer.Options, armed *atomic.Bool) {
			o.Source = panickingLister{o.Source.(listing.Live), armed}
		},
		"listing of a page": func(o *syncer.Options, armed *atomic.Bool) {
			o.Pages = panickingPager{o.Source.(listing.Live), armed}
		},
		"copy": func(o *syncer.Options, armed *atomic.Bool) {
			o.Copier = panickingCopier{o.Copier.(*copier.Copier), armed}
		},
		"save": func(o *syncer.Options, armed *atomic.Bool) { o.Store = panickingStore{o.Store, armed} },
	} {
		t.Run(where, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.fill(1100)
				w.cloud.SetLatency(200 * time.Millisecond) // long enough for a save during the pass
				o, armed := w.options, new(atomic.Bool)
				armed.Store(true)
				o.Source, o.Copier = w.live, copier.New(w.copies)
				arrange(&o, armed)
				s := syncer.New(o)
				got, err := s.Run(t.Context())
				if _, ok := errors.AsType[*syncer.PanicError](err); !ok || got.Exit != syncer.ExitFailed {
					t.Fatalf("got %v and exit %d, want the panic and exit %d", err, got.Exit, syncer.ExitFailed)
				}
				if log := w.log.String(); strings.Count(log, "pass panicked") != 1 || !strings.Contains(log, "panic_test.go") {
					t.Errorf("got this log, want one line with the stack:\n%s", log)
				}
				if n := w.value(t, `syncd_passes_total{mapping="m",result="failed"}`); n != 1 {
					t.Errorf("got %v failed passes, want 1", n)
				}
				mustRun(t, s)
				if diff := cmp.Diff(w.source.Keys(), w.destination.Keys()); diff != "" {
					t.Errorf("keys (-source +copy):\n%s", diff)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
