package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

const (
	// everyHour has the bits of the hours of a day, as package cron sets them.
	everyHour = 1<<24 - 1
	// mostApart is more than two offsets from UTC that one zone ever had are apart: those of Alaska
	// and Samoa before and after the date line moved differ by a day.
	mostApart = 48 * time.Hour
)

// zoned is a cron expression that is kept by the clocks of a zone. They skip times when they go
// forward, and show times twice when they go back, so the expression is read in UTC, where neither
// happens, and its times are then found in the zone.
type zoned struct {
	spec cron.SpecSchedule // in UTC
	zone *time.Location    // nil for that of the time that is asked about
}

func newZoned(spec cron.SpecSchedule) zoned {
	z := zoned{spec, spec.Location}
	if z.zone == time.Local {
		z.zone = nil
	}
	z.spec.Location = time.UTC
	return z
}

// Next returns the first start after t, the zero time when there is none.
//
// An expression that names some hours has each of its times once: at the first moment at which the
// clock shows that time or a later one. For a time that is skipped that is the end of the gap, and
// for one that is shown twice the first of the two. An expression of every hour keeps its rhythm:
// it starts whenever the clock shows one of its times.
func (z zoned) Next(t time.Time) time.Time {
	zone := z.zone
	if zone == nil {
		zone = t.Location()
	}
	at := t.Round(0).In(zone)
	next := z.nextOnce
	if z.spec.Hour&everyHour == everyHour {
		next = z.nextShown
	}
	return next(at).In(t.Location())
}

func (z zoned) nextOnce(at time.Time) time.Time {
	want := z.spec.Next(latestShown(at))
	if want.IsZero() {
		return time.Time{}
	}
	for p := periodOf(at); ; p = p.following() {
		start := p.moment(want)
		if start.Before(p.start) {
			start = p.start // the clock skipped it when this period began
		}
		if p.holds(start) {
			return start
		}
	}
}

func (z zoned) nextShown(at time.Time) time.Time {
	p := periodOf(at)
	for after := p.shown(at); ; after = p.shown(p.start).Add(-time.Second) {
		want := z.spec.Next(after)
		if want.IsZero() {
			return time.Time{}
		}
		if start := p.moment(want); p.holds(start) {
			return start
		}
		p = p.following()
	}
}

// latestShown returns the latest time that the clock showed up to at. Whole seconds are all that
// counts.
func latestShown(at time.Time) time.Time {
	p := periodOf(at)
	latest := p.shown(at)
	for !p.start.IsZero() && at.Sub(p.start) < mostApart {
		p = periodOf(p.start.Add(-time.Second))
		if last := p.shown(p.end).Add(-time.Second); last.After(latest) {
			latest = last
		}
	}
	return latest
}

// period is a time in which the clocks of a zone neither skip nor repeat anything. What a clock
// shows is written as a time in UTC.
type period struct {
	start, end time.Time // zero where there is no bound
	offset     time.Duration
}

func periodOf(t time.Time) period {
	start, end := t.ZoneBounds()
	_, offset := t.Zone()
	return period{start, end, time.Duration(offset) * time.Second}
}

func (p period) following() period { return periodOf(p.end) }

// shown returns what the clock shows at t.
func (p period) shown(t time.Time) time.Time { return t.UTC().Add(p.offset) }

// moment returns when the clock shows a time, if the period has it.
func (p period) moment(shown time.Time) time.Time { return shown.Add(-p.offset) }

// holds reports whether the period has not ended at t.
func (p period) holds(t time.Time) bool { return p.end.IsZero() || t.Before(p.end) }
