package syncer_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
)

// TestOneCauseForWhatIsMissing checks that each pass ends soon, with a single cause, and
// quarantines nothing if the source or destination bucket does not exist.
func TestOneCauseForWhatIsMissing(t *testing.T) {
	for _, side := range []string{"source", "destination"} {
		checkpointtest.Bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.fill(2000)
			w.cloud.SetLatency(10 * time.Millisecond)
			if side == "source" {
				w.live.Place.Bucket = "no-such-bucket"
			} else {
				w.copies.DestinationPlace.Bucket = "no-such-bucket"
			}
			s := w.open(t)
			for range 3 {
				w.cloud.ResetRequests()
				got, err := s.Run(t.Context())
				if awserr.Classify(err) != awserr.NoBucket || got.Result != "failed" || got.SetAside() != 0 {
					t.Errorf("%s: got %v, %+v, want class %q", side, err, got, awserr.NoBucket)
				}
				if n := w.total(); n > 40 || strings.Count(err.Error(), "NoSuchBucket") != 1 {
					t.Errorf("%s: got %d requests and %v, want few, and the cause once", side, n, err)
				}
				time.Sleep(time.Hour)
			}
			if n := strings.Count(w.log.String(), "\n"); n != 3 {
				t.Errorf("%s: got %d lines in the log, want one a pass:\n%s", side, n, w.log)
			}
		})
	}
}

// TestOneWronglySigned checks that only one object is quarantined if the service rejects the
// signature of the requests for that object.
func TestOneWronglySigned(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(100)
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(50), Kind: awsfake.BadSignature})
		got := mustRun(t, w.open(t))
		if got.Copied != 99 || !maps.Equal(got.Quarantined, map[string]int64{"signature": 1}) {
			t.Errorf("got %+v, want only that object set aside", got)
		}
	})
}
