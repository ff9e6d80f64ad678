package progress

import (
	"io"
	"time"

	"github.com/dustin/go-humanize"

	"syncd/internal/printable"
	"syncd/internal/terminal"
)

// Listing shows the progress of a listing. On a terminal it redraws one line; otherwise it prints a
// new line every lineInterval.
type Listing struct {
	w           io.Writer
	width       func() int // returns the current width of the terminal, 0 if there is none
	mapping     string
	now         func() time.Time
	every       time.Duration
	begin, end  string // written before and after each line
	objects     int64
	shownAt     time.Time
	hasAnything bool
}

// ShowListing returns a Listing that shows the progress of a mapping as its objects are counted.
func ShowListing(w io.Writer, now func() time.Time, mapping string) *Listing {
	l := &Listing{w: w, width: func() int { return terminal.PageWidth(w) }, mapping: mapping, now: now, every: lineInterval, end: "\n", shownAt: now()}
	if terminal.IsTerminal(w) {
		l.every, l.begin, l.end = barInterval, "\r"+clearRest, ""
	}
	return l
}

// Count counts an object. It reads the clock only once per page.
func (l *Listing) Count() {
	const page = 1000
	if l.objects++; l.objects%page != 0 || l.now().Sub(l.shownAt) < l.every {
		return
	}
	l.shownAt, l.hasAnything = l.now(), true
	line := printable.Sprintf("%s: planned %s, %s pages", l.mapping, terminal.Objects(l.objects), humanize.Comma(l.objects/page))
	if columns := l.width(); columns > 0 {
		line = terminal.Shortened(line, columns-1)
	}
	_, _ = io.WriteString(l.w, l.begin+line+l.end)
}

// Clear clears the line.
func (l *Listing) Clear() {
	if l.hasAnything {
		_, _ = io.WriteString(l.w, l.begin)
	}
}
