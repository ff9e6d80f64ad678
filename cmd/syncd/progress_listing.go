package main

import (
	"io"
	"time"

	"github.com/dustin/go-humanize"

	"syncd/internal/printable"
)

// listed shows how far a listing has come: on a terminal in one line that is drawn again, elsewhere in a line now and then.
type listed struct {
	w           io.Writer
	width       func() int // of the terminal, 0 for none
	mapping     string
	now         func() time.Time
	every       time.Duration
	begin, end  string // of a line
	objects     int64
	shownAt     time.Time
	hasAnything bool
}

func showListing(w io.Writer, now func() time.Time, mapping string) *listed {
	l := &listed{w: w, width: func() int { return pageWidth(w) }, mapping: mapping, now: now, every: lineInterval, end: "\n", shownAt: now()}
	if isTerminal(w) {
		l.every, l.begin, l.end = barInterval, "\r"+clearRest, ""
	}
	return l
}

// count counts an object; the clock is asked once a page.
func (l *listed) count() {
	const page = 1000
	if l.objects++; l.objects%page != 0 || l.now().Sub(l.shownAt) < l.every {
		return
	}
	l.shownAt, l.hasAnything = l.now(), true
	line := printable.Sprintf("%s: planned %s, %s pages", l.mapping, objects(l.objects), humanize.Comma(l.objects/page))
	if columns := l.width(); columns > 0 {
		line = shortened(line, columns-1)
	}
	_, _ = io.WriteString(l.w, l.begin+line+l.end)
}

// clear leaves a clean line behind.
func (l *listed) clear() {
	if l.hasAnything {
		_, _ = io.WriteString(l.w, l.begin)
	}
}
