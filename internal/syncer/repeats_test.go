package syncer_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
)

// TestTheLogCountsNotes checks that the log names the first object with a note, and only counts
// later objects with the same note.
func TestTheLogCountsNotes(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.options.Logger = slog.New(slog.NewTextHandler(w.log, nil))
		w.copyLocks(24 * time.Hour)
		lock := awsfake.Lock{Mode: awsfake.Compliance, Until: time.Now().AddDate(1, 0, 0).UTC()}
		for i := range 300 {
			w.source.Put(name(i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{Lock: lock})
		}
		if got := mustRun(t, w.open(t)); got.Copied != 300 {
			t.Fatalf("got %+v, want all copied", got)
		}
		log := w.log.String()
		for line, want := range map[string]int{
			`level=INFO msg="object copied with notes" pass=1 key=k0`:                                             1,
			`level=INFO msg="objects copied with notes" pass=1 notes=[retention_shortened] objects=299 total=300`: 1,
			"retention_shortened": 2,
		} {
			if n := strings.Count(log, line); n != want {
				t.Errorf("got %d times %q, want %d:\n%s", n, line, want, log)
			}
		}
	})
}

// TestTheLogCountsWhatIsSetAside checks that, if many objects are quarantined for two reasons
// within minutes, the log names the first of each reason and then counts once a minute.
func TestTheLogCountsWhatIsSetAside(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		checkpointtest.Bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.options.Logger = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: level}))
			for i := range 600 {
				o := awsfake.PutOptions{}
				if i%10 == 9 {
					o.StorageClass = "GLACIER"
				}
				w.source.Put(fmt.Sprintf("%s-%d", name(i), i%2), awsfake.BytesBody([]byte("x")), o)
			}
			w.deny(w.source, "*-0", "s3:GetObject")
			w.cloud.SetLatency(2500 * time.Millisecond) // 3.2 copies a second
			got := mustRun(t, w.open(t))
			if got.Quarantined["denied"] != 300 || got.Quarantined["archived"] != 60 {
				t.Fatalf("got %+v", got)
			}
			log := w.log.String()
			for line, want := range map[string][2]int{
				`level=WARN msg="object quarantined"`:                         {2, 2},
				`level=WARN msg="objects quarantined" pass=1 reason=denied`:   {3, 6},
				`level=WARN msg="objects quarantined" pass=1 reason=archived`: {3, 6},
				`total=300`:                            {1, 1},
				`total=60`:                             {1, 1},
				`level=DEBUG msg="object quarantined"`: map[slog.Level][2]int{slog.LevelDebug: {358, 358}}[level],
			} {
				if n := strings.Count(log, line); n < want[0] || n > want[1] {
					t.Errorf("got %d times %q, want %d", n, line, want)
				}
			}
			if lines := strings.Split(strings.TrimSpace(log), "\n"); !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "pass ended") }) {
				t.Errorf("got no summary in %d lines", len(lines))
			}
		})
	}
}

// TestTheLogCountsUploadsThatStay checks that the log names the first upload that could not be
// aborted, and only counts later uploads.
func TestTheLogCountsUploadsThatStay(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.options.Logger = slog.New(slog.NewTextHandler(w.log, nil))
		w.copies.MultipartAbove, w.copies.PartSize = 5<<20, 5<<20
		for i := range 60 {
			w.source.Put(name(i), awsfake.SyntheticBody(11<<20, 1), awsfake.PutOptions{})
			w.put(name(i) + "-small") // so that not everything fails
		}
		repair := w.cloud.Inject(awsfake.Fault{Operation: "CompleteMultipartUpload", Kind: awsfake.InternalError})
		s := w.open(t)
		if got := mustRun(t, s); got.Quarantined["transient"] != 60 {
			t.Fatalf("got %+v, want all set aside", got)
		}
		repair()
		for i := range 60 {
			w.source.Delete(name(i))
		}
		w.cloud.Inject(awsfake.Fault{Operation: "AbortMultipartUpload", Kind: awsfake.AccessDenied})
		mustRun(t, s)
		log := w.log.String()
		for line, want := range map[string]int{`msg="upload was not aborted"`: 1, `msg="uploads were not aborted" pass=2 uploads=60`: 1} {
			if n := strings.Count(log, line); n != want {
				t.Errorf("got %d times %q, want %d:\n%s", n, line, want, log)
			}
		}
	})
}
