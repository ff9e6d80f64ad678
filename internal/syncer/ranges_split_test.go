package syncer_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/plan"
)

// ending is a pattern that matches keys with a suffix.
type ending string

func (e ending) Match(key string) bool { return strings.HasSuffix(key, string(e)) }

// TestABrokenPageOfASplitRange fails a page of a first pass, whose ranges are split while they are
// listed. Most objects are excluded, so that few copies are made. It checks that exactly the rest of
// one range stays open, and that the next pass copies exactly the rest.
func TestABrokenPageOfASplitRange(t *testing.T) {
	skipIfShort(t)
	const objects, wanted = 40_000, 400
	splits := 0
	for _, page := range []int{7, 20, 33} {
		checkpointtest.Bubble(t, func(t *testing.T) {
			w := newWorld(t)
			for i := range objects {
				suffix := ".tmp"
				if i%(objects/wanted) == 0 {
					suffix = ""
				}
				w.put(fmt.Sprintf("%s%s", name(i), suffix))
			}
			w.options.Rules.Filter = plan.Filter{Exclude: []plan.Pattern{ending(".tmp")}}
			w.cloud.SetLatency(50 * time.Millisecond)
			b := &breaker{next: w.cloud.RoundTripper()}
			fault := pageFaults()[0]
			w.live.Client = s3.New(w.client.Options(), func(o *s3.Options) { o.HTTPClient = &http.Client{Transport: b} })
			b.arm(page, fault)
			s := w.open(t)
			time.Sleep(time.Minute)
			first, err := s.Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), fault.want) {
				t.Fatalf("page %d: got %v, want an error with %q", page, err, fault.want)
			}
			open := w.wantOneGap(t, b)
			if open < objects-int64(page)*1000 {
				splits++ // keys after the open range were listed
			}
			b.arm(-1, fault)
			second := mustRun(t, s)
			if first.Copied+second.Copied != wanted || w.copied() != wanted || second.Listed != open {
				t.Errorf("page %d: got %d copied and then %+v, want %d copied and the %d open objects listed", page, first.Copied, second, wanted, open)
			}
			if n := int64(len(w.destination.Keys())); n != wanted {
				t.Errorf("page %d: got %d copies, want %d", page, n, wanted)
			}
		})
	}
	if splits == 0 {
		t.Error("no range was split")
	}
}
