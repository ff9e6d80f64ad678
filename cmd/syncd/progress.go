package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"

	"syncd/internal/printable"
	"syncd/internal/syncer"
)

const (
	// barInterval is how often a bar is drawn, lineInterval how often a line is printed where there is no terminal.
	barInterval  = 100 * time.Millisecond
	lineInterval = 10 * time.Second
)

// progressing is a pass that can be watched.
type progressing interface {
	Progress() (progress syncer.Progress, ok bool)
}

// showProgress shows how a pass gets on until the returned func is called, which waits for the last line.
func showProgress(ctx context.Context, p process, mapping string, watched progressing) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // a drain wants to be watched too
	every, draw, finish := lineInterval, lines(p.stderr, mapping, p.now), func() {}
	if isTerminal(p.stderr) {
		every = barInterval
		draw, finish = bar(p.stderr, mapping)
	}
	var drawing sync.WaitGroup
	drawing.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if progress, ok := watched.Progress(); ok {
					draw(progress)
				}
			}
		}
	})
	return func() {
		cancel()
		drawing.Wait()
		finish()
	}
}

// lines prints a plain line: objects, bytes, rate and the time left, as far as it can be known.
func lines(w io.Writer, mapping string, now func() time.Time) func(syncer.Progress) {
	start := now()
	return func(p syncer.Progress) {
		rate := float64(p.Settled) / max(now().Sub(start).Seconds(), 1e-3)
		line := fmt.Sprintf("%s: %s of %s objects, %s copied, %.0f objects/s", mapping,
			humanize.Comma(p.Settled), humanize.Comma(p.Expected), size(p.CopiedBytes), rate)
		if p.Complete && rate > 0 {
			left := time.Duration(float64(p.Expected-p.Settled) / rate * float64(time.Second))
			line += ", " + left.Round(time.Second).String() + " left"
		}
		if p.SetAside > 0 {
			line += ", " + humanize.Comma(p.SetAside) + " quarantined"
		}
		printable.Fprintln(w, line)
	}
}

// bar draws a progress bar; finish leaves a clean line behind.
func bar(w io.Writer, mapping string) (draw func(syncer.Progress), finish func()) {
	b := progressbar.NewOptions64(1,
		progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(24), progressbar.OptionShowCount(),
		progressbar.OptionShowIts(), progressbar.OptionSetItsString("objects"), progressbar.OptionSetPredictTime(true),
		progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(barInterval),
	)
	draw = func(p syncer.Progress) {
		// One more than expected while the listing goes on, so that the bar is not full before the pass is.
		total := max(p.Expected, 1)
		if !p.Complete {
			total = max(total, p.Settled+1)
		}
		b.ChangeMax64(total)
		b.Describe(fmt.Sprintf("%s %s", mapping, size(p.CopiedBytes)))
		_ = b.Set64(min(p.Settled, total)) // a terminal that went away does not stop a pass
	}
	return draw, func() { _ = b.Clear() }
}

func size(bytes int64) string {
	return humanize.IBytes(uint64(bytes)) //nolint:gosec // never negative
}
