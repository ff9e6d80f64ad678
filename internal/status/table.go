package status

import (
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"syncd/config"
	"syncd/internal/checkpoint/history"
	"syncd/internal/printable"
	"syncd/internal/terminal"
)

// staleAfter is how long after the due time of a pass the mapping becomes stale, unless a pass has
// committed a generation in the meantime.
const staleAfter = time.Hour

// The states of a mapping. docs/cli.md explains each.
const (
	Unreadable  = "unreadable"
	Failed      = "failed"
	Damaged     = "damaged"
	Denied      = "denied"
	Refused     = "refused"
	Quarantined = "quarantined"
	Stale       = "stale"
	Never       = "never"
	Paused      = "paused"
	OK          = "ok"
)

func statusOrder() []string {
	return []string{Unreadable, Damaged, Denied, Failed, Quarantined, Stale, Never, Paused, OK}
}

// Overview is a mapping and its status.
type Overview struct {
	config.Mapping
	Status
}

// state summarizes the status as a state and its reason. If the mapping is paused but a worse state
// applies, the reason begins with "paused", so that a narrow terminal does not cut off that word.
func (o Overview) state(now time.Time) (state, why string) {
	state, why = o.worst(now)
	if o.Paused != nil && state != Paused {
		why = strings.TrimSuffix("paused; "+why, "; ")
	}
	return state, why
}

// worst returns the worst state that applies, and its reason. It ignores the pause if a worse state
// applies.
func (o Overview) worst(now time.Time) (state, why string) {
	due, isLate := o.late(now)
	failure, since, inRow := o.failure()
	switch {
	case o.Error != "":
		return Unreadable, o.Error
	case o.Damage != "":
		return Damaged, o.Damage
	case o.Pass != nil && o.Pass.Refused != nil:
		return Denied, "for " + terminal.Ago(now.Sub(o.Pass.Refused.Since)) + ": " + o.Pass.Refused.Detail
	case inRow > 0:
		return Failed, printable.Sprintf("for %s, %s: %s: %s", terminal.Ago(now.Sub(since)), terminal.Times(inRow), failure.Class, failure.Error)
	case o.setAside() > 0:
		return Quarantined, terminal.ByReason(o.Quarantined)
	case o.Paused != nil:
		return Paused, o.Paused.String()
	case isLate:
		return Stale, "a pass was due " + terminal.Ago(now.Sub(due)) + " ago"
	case o.CommittedAt == nil:
		return Never, o.progress(now)
	}
	return OK, o.progress(now)
}

// failure returns the last failed pass of the history, the time since which passes have failed, and
// how many passes have failed in a row. inRow is 0 if the last pass did not fail. It is also 0 if a
// generation was committed after the last pass of the history, for example by a version of syncd
// that writes no history.
func (s Status) failure() (last history.Pass, since time.Time, inRow int64) {
	passes := slices.Clone(s.History)
	slices.Reverse(passes)
	last, since, inRow = history.Failures(passes)
	if s.CommittedAt != nil && s.CommittedAt.After(last.EndedAt) {
		return last, since, 0
	}
	return last, since, inRow
}

// late reports whether a mapping is late: a pass was due more than staleAfter ago, no generation
// has been committed since that time, and no pass has saved progress within staleAfter. The result
// due is when the pass was due.
func (o Overview) late(now time.Time) (due time.Time, late bool) {
	if o.Schedule.IsZero() || o.CommittedAt == nil || o.Pass != nil && now.Sub(o.Pass.SavedAt) <= staleAfter {
		return due, false
	}
	due = o.Schedule.Next(*o.CommittedAt)
	return due, now.Sub(due) > staleAfter
}

func (o Overview) setAside() (n int64) {
	for _, objects := range o.Quarantined {
		n += objects
	}
	return n
}

// progress describes the pass in progress, or returns "" if there is none.
func (o Overview) progress(now time.Time) string {
	switch {
	case o.Pass != nil && o.Lease != nil:
		return printable.Sprintf("pass %d is running, saved %s ago", o.Pass.Number, terminal.Ago(now.Sub(o.Pass.SavedAt)))
	case o.Pass != nil:
		return printable.Sprintf("pass %d is unfinished, saved %s ago", o.Pass.Number, terminal.Ago(now.Sub(o.Pass.SavedAt)))
	case o.Lease != nil:
		return "held by " + o.Lease.Holder
	}
	return ""
}

// printOverview prints a line for each mapping, the worst states first, and a total.
func printOverview(w io.Writer, all []Overview, now time.Time, width int) {
	terminal.WorstFirst(all, statusOrder(), func(o Overview) string {
		state, _ := o.state(now)
		return state
	})
	t := terminal.Table{Columns: []terminal.Column{
		{Title: "MAPPING"},
		{Title: "STATE"},
		{Title: "AGE", Right: true, Spared: 1},
		{Title: "GENERATION", Right: true, Spared: 5},
		{Title: "ENTRIES", Right: true, Spared: 4},
		{Title: "QUARANTINED", Right: true, Spared: 2},
		{Title: "WHY", Spared: 3},
	}}
	var states []string
	var entries, aside int64
	for _, o := range all {
		state, why := o.state(now)
		age, generation := "-", "-"
		if o.CommittedAt != nil {
			age, generation = terminal.Ago(now.Sub(*o.CommittedAt)), humanize.Comma(o.Generation)
		}
		t.Rows = append(t.Rows, []string{o.Name, state, age, generation, humanize.Comma(o.Entries), humanize.Comma(o.setAside()), why})
		states = append(states, state)
		entries, aside = entries+o.Entries, aside+o.setAside()
	}
	t.Total = []string{"total", "", "", "", humanize.Comma(entries), humanize.Comma(aside), ""}
	t.Print(w, width)
	printable.Fprintf(w, "%s: %s\n", terminal.Counted(len(all), "mapping"), terminal.Tally(states, statusOrder()))
}
