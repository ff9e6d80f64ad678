// Package progress shows the progress of a pass or a listing.
//
// On a terminal it redraws a progress bar on one line, and clears that line at the end. If the
// output is not a terminal, it prints a plain line every 10 seconds. It also shows when a pass
// drains.
//
// Package syncer counts the progress of a pass. Watched is a pass whose progress can be read. A
// Listing counts objects itself.
package progress

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"

	"syncd/internal/printable"
	"syncd/internal/syncer"
	"syncd/internal/terminal"
)

const (
	// barInterval is how often the progress bar is redrawn. lineInterval is how often a line is
	// printed if the output is not a terminal.
	barInterval  = 100 * time.Millisecond
	lineInterval = 10 * time.Second
)

// Watched is a pass whose progress can be shown.
type Watched interface {
	Progress() (progress syncer.Progress, ok bool)
}

// view shows the progress of a pass. Its methods are not called concurrently.
type view interface {
	draw(progress syncer.Progress)
	// drain is called once, when the pass begins to drain.
	drain()
	// Clear clears the line.
	Clear()
}

// Show shows the progress of a pass until stop is called. stop returns after the last line is
// written. When ctx ends the pass drains, and Show shows that too.
func Show(ctx context.Context, w io.Writer, now func() time.Time, mapping string, watched Watched) (stop func()) {
	if terminal.IsTerminal(w) {
		return watch(ctx, barInterval, newBar(w, mapping, func() int { return terminal.PageWidth(w) }), watched)
	}
	return watch(ctx, lineInterval, &lines{w: w, mapping: mapping, now: now, start: now()}, watched)
}

func watch(ctx context.Context, every time.Duration, v view, watched Watched) (stop func()) {
	asked := ctx.Done()
	shown, cancel := context.WithCancel(context.WithoutCancel(ctx))
	show := func() {
		if progress, ok := watched.Progress(); ok {
			v.draw(progress)
		}
	}
	var drawing sync.WaitGroup
	drawing.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-shown.Done():
				return
			case <-asked:
				asked = nil
				if _, isPass := watched.Progress(); isPass { // not a pass: another process runs it
					v.drain()
				}
				show()
			case <-tick.C:
				show()
			}
		}
	})
	return func() {
		cancel()
		drawing.Wait()
		v.Clear()
	}
}

// lines prints a plain line each time: objects, bytes, rate, and the time left if it is known.
type lines struct {
	w        io.Writer
	mapping  string
	now      func() time.Time
	start    time.Time
	draining string
}

func (l *lines) draw(p syncer.Progress) {
	rate := float64(p.Settled) / max(l.now().Sub(l.start).Seconds(), 1e-3)
	line := fmt.Sprintf("%s: %s%s of %s objects, %s copied, %.0f objects/s", l.mapping, l.draining,
		humanize.Comma(p.Settled), humanize.Comma(p.Expected), terminal.Size(p.CopiedBytes), rate)
	if p.Complete && rate > 0 && l.draining == "" {
		left := time.Duration(float64(p.Expected-p.Settled) / rate * float64(time.Second))
		line += ", " + left.Round(time.Second).String() + " left"
	}
	if p.Ranges > 1 {
		line += ", " + rangesText(p)
	}
	if p.SetAside > 0 {
		line += ", " + humanize.Comma(p.SetAside) + " quarantined"
	}
	printable.Fprintln(l.w, line)
}

func (l *lines) drain() {
	l.draining = drainingMark
	printable.Fprintf(l.w, "%s: draining: %s; a second signal stops at once, and %s\n", l.mapping, drained, resumes)
}

func (l *lines) Clear() {}

// Texts for a pass that drains.
const (
	drainingMark = "draining, "
	drained      = "copies in progress are finished and saved"
	resumes      = "the next pass resumes from what was saved"
)

// rangesText returns how many ranges of the source are being walked.
func rangesText(p syncer.Progress) string { return terminal.Counted(p.Ranges, "range") }

// barWidth is the width of the bar without the text around it, in columns. On a narrow terminal the
// bar is shorter. leastBar is the width below which the number of ranges is left out.
const (
	barWidth = 24
	leastBar = 6
)

// bar draws a progress bar on one line of a terminal. The line is never wider than the terminal,
// because a wrapped line cannot be redrawn.
type bar struct {
	w        io.Writer
	mapping  string
	width    func() int // returns the current width of the terminal, which users can resize
	bar      *progressbar.ProgressBar
	draining string
}

func newBar(w io.Writer, mapping string, width func() int) *bar {
	return &bar{w: w, mapping: mapping, width: width, bar: progressbar.NewOptions64(1,
		progressbar.OptionSetWriter(io.Discard), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("objects"), progressbar.OptionSetPredictTime(true), progressbar.OptionUseANSICodes(true),
	)}
}

func (b *bar) draw(p syncer.Progress) {
	columns := b.width() - 1 // after the last column some terminals move the cursor to the next line
	line := b.line(p, barWidth)
	if over := len([]rune(line)) - columns; p.Ranges > 1 && over > barWidth-leastBar {
		p.Ranges = 0
		line = b.line(p, barWidth)
	}
	if over := len([]rune(line)) - columns; over > 0 {
		line = b.line(p, max(0, barWidth-over))
	}
	if len([]rune(line)) > columns {
		line = string([]rune(line)[:max(0, columns)])
	}
	_, _ = io.WriteString(b.w, "\r"+printable.Line(line)+clearRest) // a lost terminal must not stop a pass
}

// line renders the bar. The maximum is at least one more than the settled objects, so that the bar
// is not full before the pass ends.
func (b *bar) line(p syncer.Progress, width int) string {
	progressbar.OptionSetWidth(width)(b.bar)
	name := terminal.Shortened(b.mapping, max(1, b.width()/3))
	ranges := ""
	if p.Ranges > 1 {
		ranges = ", " + rangesText(p)
	}
	b.bar.Describe(fmt.Sprintf("%s %s%s%s", name, b.draining, terminal.Size(p.CopiedBytes), ranges))
	b.bar.ChangeMax64(max(p.Expected, p.Settled+1))
	_ = b.bar.Set64(p.Settled) // the writer is io.Discard
	return strings.TrimPrefix(strings.TrimSuffix(b.bar.String(), "\x1b[0K"), "\r")
}

func (b *bar) drain() {
	b.draining = drainingMark
	b.Clear()
	printable.Fprintf(b.w, "%s: draining: %s. Press Ctrl-C again to stop at once; %s.\n", b.mapping, drained, resumes)
}

// clearRest clears the line from the cursor to its end.
const clearRest = "\x1b[K"

func (b *bar) Clear() { _, _ = io.WriteString(b.w, "\r"+clearRest) } // as in draw
