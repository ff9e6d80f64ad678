// Package progress shows how far a pass or a listing has come.
//
// It promises a bar in one line of a terminal that is drawn again, and a plain line now and then
// elsewhere, until the work ends or is asked to drain, which is shown too. It leaves a clean line
// behind.
//
// It leaves to package syncer how progress is counted. Watched is a pass that can be asked; a
// Listing is told of each object.
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
	// barInterval is how often a bar is drawn, lineInterval how often a line is printed where there
	// is no terminal.
	barInterval  = 100 * time.Millisecond
	lineInterval = 10 * time.Second
)

// Watched is a pass that can be watched.
type Watched interface {
	Progress() (progress syncer.Progress, ok bool)
}

// view shows how a pass gets on. Its methods are called one after the other.
type view interface {
	draw(progress syncer.Progress)
	// drain is called once, when the pass was asked to end early.
	drain()
	// clear leaves a clean line behind.
	Clear()
}

// Show shows how a pass gets on until the returned func is called, which waits for the last line.
// The end of ctx asks the pass to drain, which is shown too.
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
				if _, isPass := watched.Progress(); isPass { // and not one of another process that is waited for
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

// lines prints a plain line each time: objects, bytes, rate and the time left, as far as it can be
// known.
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

// What a drain does, and what becomes of a pass that is stopped at once.
const (
	drainingMark = "draining, "
	drained      = "copies in progress are finished and saved"
	resumes      = "the next pass resumes from what was saved before"
)

// barWidth is how wide the bar itself is where there is room.
const barWidth = 24

// bar draws a progress bar in one line of a terminal, which is never wider than that: a line that
// wraps cannot be drawn again.
type bar struct {
	w        io.Writer
	mapping  string
	width    func() int // of the terminal, which people resize
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
	columns := b.width() - 1 // a cursor behind the last column is in the next line on some terminals
	line := b.line(p, barWidth)
	if over := len([]rune(line)) - columns; over > 0 {
		line = b.line(p, max(0, barWidth-over))
	}
	if len([]rune(line)) > columns {
		line = string([]rune(line)[:max(0, columns)])
	}
	_, _ = io.WriteString(b.w, "\r"+printable.Line(line)+clearRest) // a terminal that went away does not stop a pass
}

// line renders the bar. One more object is expected than there is, so that the bar is not full
// before the pass is.
func (b *bar) line(p syncer.Progress, width int) string {
	progressbar.OptionSetWidth(width)(b.bar)
	name := terminal.Shortened(b.mapping, max(1, b.width()/3))
	b.bar.Describe(fmt.Sprintf("%s %s%s", name, b.draining, terminal.Size(p.CopiedBytes)))
	b.bar.ChangeMax64(max(p.Expected, p.Settled+1))
	_ = b.bar.Set64(p.Settled) // it writes nothing
	return strings.TrimPrefix(strings.TrimSuffix(b.bar.String(), "\x1b[0K"), "\r")
}

func (b *bar) drain() {
	b.draining = drainingMark
	b.Clear()
	printable.Fprintf(b.w, "%s: draining: %s. Press Ctrl-C again to stop at once; %s.\n", b.mapping, drained, resumes)
}

// clearRest clears what is behind the cursor in its line.
const clearRest = "\x1b[K"

func (b *bar) Clear() { _, _ = io.WriteString(b.w, "\r"+clearRest) } // as in draw
