package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

const (
	// everyHour has a bit for every hour of a day, as in package cron.
	everyHour = 1<<24 - 1
	// mostApart is more than the difference between any two UTC offsets of one zone: the offsets of
	// Alaska and Samoa changed by a day when the date line moved.
	mostApart = 48 * time.Hour
)

// zoned is a cron expression that follows the clocks of a zone. Clocks skip times when they go
// forward, and repeat times when they go back. So the expression is evaluated in UTC, which has no
// such changes, and its times are then converted to the zone.
type zoned struct {
	spec cron.SpecSchedule // in UTC
	zone *time.Location    // nil for the zone of the time passed to Next
}

func newZoned(spec cron.SpecSchedule) zoned {
	z := zoned{spec, spec.Location}
	if z.zone == time.Local {
		z.zone = nil
	}
	z.spec.Location = time.UTC
	return z
}

// Next returns the first start after t, or the zero time if there is none.
//
// An expression that names specific hours starts once for each of its times, when the clock first
// shows that time or a later one. For a skipped time, that is the end of the gap; for a repeated
// time, the first of the two. An expression that matches every hour starts whenever the clock shows
// one of its times: never at a skipped time, twice at a repeated time.
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
			start = p.start // a skipped time: start when this period begins
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

// latestShown returns the latest time that the clock has shown until at, in whole seconds.
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

// period is an interval in which the clocks of a zone have one UTC offset. The time that a clock
// shows is represented as a time in UTC.
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

// moment returns when the clock shows a time, assuming this period's offset.
func (p period) moment(shown time.Time) time.Time { return shown.Add(-p.offset) }

// holds reports whether t is before the end of the period.
func (p period) holds(t time.Time) bool { return p.end.IsZero() || t.Before(p.end) }
