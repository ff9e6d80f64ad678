package progress

import (
	"bytes"
	"context"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/syncer"
)

// TestBarNeverWraps checks that the bar is never wider than the terminal, even if the width of the
// terminal changes.
func TestBarNeverWraps(t *testing.T) {
	var out bytes.Buffer
	columns := 80
	b := newBar(&out, "a-mapping-with-a-name-of-some-length-that-is-not-unusual", func() int { return columns })
	for settled := range int64(40) {
		for _, columns = range []int{200, 120, 80, 60, 40, 20, 10, 3, 1} {
			out.Reset()
			b.draw(syncer.Progress{Settled: settled * 1000, Expected: 40_000, CopiedBytes: settled << 30, Ranges: int(settled) % 17})
			line, begins := strings.CutPrefix(out.String(), "\r")
			line, ends := strings.CutSuffix(line, clearRest)
			if n := len([]rune(line)); !begins || !ends || n >= columns && columns > 1 || strings.ContainsAny(line, "\n\x1b") {
				t.Fatalf("in %d columns: got %q, want a line of fewer columns that replaces the former one", columns, out.String())
			}
			if columns >= 80 && !regexp.MustCompile(` [0-9]+% .*\(`).MatchString(line) {
				t.Fatalf("in %d columns: got %q, want the share and the numbers", columns, line)
			}
		}
	}
}

// TestRangesAreShown checks that the number of ranges is shown while more than one is walked, and
// that a narrow terminal shows the bar and not the ranges.
func TestRangesAreShown(t *testing.T) {
	for _, tt := range []struct {
		ranges, columns int
		want            bool
	}{{0, 120, false}, {1, 120, false}, {2, 120, true}, {16, 120, true}, {16, 40, false}} {
		now := time.Unix(0, 0)
		p := syncer.Progress{Settled: 5, Expected: 10, CopiedBytes: 1024, Ranges: tt.ranges}
		text := strconv.Itoa(tt.ranges) + " ranges"
		var drawn, printed bytes.Buffer
		newBar(&drawn, "m", func() int { return tt.columns }).draw(p)
		if got := drawn.String(); strings.Contains(got, "range") != tt.want || tt.want && !strings.Contains(got, "m 1.0 KiB, "+text+" ") || !strings.Contains(got, "50%") {
			t.Errorf("%d ranges in %d columns: got bar %q, want ranges shown %v", tt.ranges, tt.columns, got, tt.want)
		}
		(&lines{w: &printed, mapping: "m", now: func() time.Time { return now.Add(time.Second) }, start: now}).draw(p)
		want := "m: 5 of 10 objects, 1.0 KiB copied, 5 objects/s"
		if tt.ranges > 1 {
			want += ", " + text
		}
		if got := printed.String(); got != want+"\n" {
			t.Errorf("%d ranges: got line %q, want %q", tt.ranges, got, want)
		}
	}
}

// watched is a pass whose progress stays the same.
type watched struct{ progress syncer.Progress }

func (w watched) Progress() (syncer.Progress, bool) { return w.progress, true }

// TestDrainIsShown checks that a drain is shown once and without delay, together with the effect of
// a second signal, both on a terminal and if the output is not a terminal.
func TestDrainIsShown(t *testing.T) {
	for name, tt := range map[string]struct {
		view func(out *sharedBuffer) view
		want string
	}{
		"terminal": {
			func(out *sharedBuffer) view { return newBar(out, "exports", func() int { return 80 }) },
			"\r\x1b[Kexports: draining: copies in progress are finished and saved. Press Ctrl-C again to stop at once; the next pass resumes from what was saved.\n\rexports draining, 1.0 KiB ",
		},
		"elsewhere": {
			func(out *sharedBuffer) view {
				return &lines{w: out, mapping: "exports", now: time.Now, start: time.Now()}
			},
			"exports: draining: copies in progress are finished and saved; a second signal stops at once, and the next pass resumes from what was saved\nexports: draining, 5 of 10 objects, 1.0 KiB copied",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out sharedBuffer
				ctx, interrupt := context.WithCancel(t.Context())
				stop := watch(ctx, time.Minute, tt.view(&out), watched{syncer.Progress{Settled: 5, Expected: 10, CopiedBytes: 1024, Complete: true}})
				time.Sleep(90 * time.Second)
				if got := out.String(); strings.Contains(got, "draining") || got == "" {
					t.Errorf("before: got %q", got)
				}
				interrupt()
				synctest.Wait()
				if got := out.String(); !strings.Contains(got, tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				time.Sleep(10 * time.Minute)
				stop()
				if n := strings.Count(out.String(), "draining:"); n != 1 {
					t.Errorf("got the notice %d times, want once", n)
				}
			})
		})
	}
}
