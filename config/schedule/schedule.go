// Package schedule computes when passes start.
//
// A parsed [Schedule] always has a next start. It follows the clocks of its zone, including times
// that daylight saving skips or repeats. Parse errors suggest what was probably intended, for text
// in the form of cron, Amazon EventBridge or plain words. The daemon decides when to start a late
// pass, and what to do while one is still running.
//
// Two terms: an expression has the five fields of cron; an interval follows "@every".
package schedule

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"syncd/internal/hint"
)

// Schedule is when passes start. The zero Schedule never starts one.
type Schedule struct {
	text string
	next cron.Schedule
}

const usage = `use "@every 15m", "@hourly" or the five fields of cron: minute hour day month weekday`

// Parse reads "@every DURATION" of at least a second, a descriptor such as @daily, or the five
// fields of cron, optionally preceded by CRON_TZ=ZONE. Empty text is the zero Schedule.
func Parse(text string) (Schedule, error) {
	if text == "" {
		return Schedule{}, nil
	}
	next, err := compile(text)
	if err != nil {
		problem, instead := problemOf(text, err)
		return Schedule{}, hint.New(strconv.Quote(text)+" is not a schedule: "+problem, instead)
	}
	return Schedule{text, next}, nil
}

func compile(text string) (cron.Schedule, error) {
	// The parser panics if no space follows the zone, because it slices at that space unchecked.
	if strings.Contains(text, "TZ=") && !strings.Contains(text, " ") {
		return nil, errors.New("a time zone without a schedule")
	}
	if _, every, ok := strings.Cut(text, "@every "); ok {
		// The parser rounds durations under a second, including negative ones, up to one second.
		if d, err := time.ParseDuration(every); err == nil && d < time.Second {
			return nil, errors.New("less than a second")
		}
	}
	next, err := cron.ParseStandard(text)
	if err != nil {
		return nil, err
	}
	// Any start time works: the search covers five years, which include every valid date.
	if next.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errors.New("no such date exists")
	}
	if spec, ok := next.(*cron.SpecSchedule); ok {
		z := newZoned(*spec)
		if strings.Contains(text, "TZ=Local ") {
			z.zone = time.Local // the machine's zone, as configured
		}
		return z, nil
	}
	return next, nil
}

// IsZero reports whether there is no schedule.
func (s Schedule) IsZero() bool { return s.next == nil }

// Next returns the first start after t, in t's location unless the schedule names a zone. It
// returns the zero time for the zero Schedule. A time that daylight saving skips or repeats starts
// one pass, see [zoned.Next].
func (s Schedule) Next(t time.Time) time.Time {
	if s.next == nil {
		return time.Time{}
	}
	return s.next.Next(t)
}

// Every returns the interval of an "@every" schedule; ok is false for any other.
func (s Schedule) Every() (interval time.Duration, ok bool) {
	every, ok := s.next.(cron.ConstantDelaySchedule)
	return every.Delay, ok
}

// String returns the schedule as written.
func (s Schedule) String() string { return s.text }

// MarshalText writes the schedule.
func (s Schedule) MarshalText() ([]byte, error) { return []byte(s.text), nil }

// UnmarshalText reads what Parse reads.
func (s *Schedule) UnmarshalText(text []byte) (err error) {
	*s, err = Parse(string(text))
	return err
}
