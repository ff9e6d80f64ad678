package status

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"syncd/internal/checkpoint/record"
	"syncd/internal/terminal"
)

// shownKey is the maximum number of characters of a key in the text about a pass. The JSON contains
// the whole key.
const shownKey = 100

// passStatus is the progress that an unfinished pass has saved.
type passStatus struct {
	Number    int64     `json:"number"`
	Holder    string    `json:"holder"`
	StartedAt time.Time `json:"started_at"`
	SavedAt   time.Time `json:"saved_at"`
	Settled   int64     `json:"settled"`
	Copied    int64     `json:"copied"`
	// RangesLeft is the number of ranges of the source that the pass must still walk. The first of
	// them begins after the key ResumesAfter, or at the first key if that is "". ResumesAfterBytes is
	// set only if the key is not valid UTF-8.
	RangesLeft        int    `json:"ranges_left"`
	ResumesAfter      string `json:"resumes_after,omitempty"`
	ResumesAfterBytes []byte `json:"resumes_after_bytes,omitempty"`
	// Refused is why the pass ended as denied; absent if it did not end as denied.
	Refused *refusedStatus `json:"refused,omitempty"`
}

// refusedStatus is why every object of a pass was refused, and since when.
type refusedStatus struct {
	Reason string    `json:"reason"`
	Detail string    `json:"detail"`
	Since  time.Time `json:"since"`
}

func passOf(p record.Progress) *passStatus {
	s := &passStatus{Number: p.Generation, Holder: p.Holder, StartedAt: p.StartedAt, SavedAt: p.SavedAt}
	if r := p.Refusal; r != nil {
		s.Refused = &refusedStatus{Reason: r.Reason, Detail: r.Detail, Since: r.Since}
	}
	c := p.Counts
	s.Copied = c.Recorded
	s.Settled = c.Carried + c.Recorded + c.Quarantined + c.Dropped
	if gaps := p.Settled.Gaps(); len(gaps) > 0 {
		s.RangesLeft, s.ResumesAfter = len(gaps), gaps[0].After
	}
	if !utf8.ValidString(s.ResumesAfter) {
		s.ResumesAfterBytes = []byte(s.ResumesAfter)
	}
	return s
}

// print calls line for each line of text about the pass.
func (p *passStatus) print(line func(name, text string)) {
	line("pass", fmt.Sprintf("%d unfinished, started %s by %s, saved %s with %s settled, %s copied", p.Number,
		p.StartedAt.Format(time.RFC3339), p.Holder, p.SavedAt.Format(time.RFC3339), terminal.Objects(p.Settled), humanize.Comma(p.Copied)))
	if left := p.left(); left != "" {
		line("left", left)
	}
	if p.Refused != nil {
		line("denied", "since "+p.Refused.Since.Format(time.RFC3339)+": "+p.Refused.Detail)
	}
}

// left returns which ranges the pass must still walk, or "" if it must walk the whole source or
// nothing.
func (p *passStatus) left() string {
	key := terminal.Shortened(strconv.Quote(p.ResumesAfter), shownKey)
	switch {
	case p.RangesLeft == 0 || p.RangesLeft == 1 && p.ResumesAfter == "":
		return ""
	case p.RangesLeft == 1:
		return "1 range, it begins after " + key
	case p.ResumesAfter == "":
		return terminal.Counted(p.RangesLeft, "range") + ", the first begins at the first key"
	default:
		return terminal.Counted(p.RangesLeft, "range") + ", the first begins after " + key
	}
}
