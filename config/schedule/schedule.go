// Package schedule says when passes start.
//
// It promises that a [Schedule] which was read has a next start, that it keeps to the clocks of its
// zone where they skip a time or show one twice, and that a refusal says what was likely meant,
// whichever of cron, Amazon EventBridge or plain words a person wrote. When a pass that is late
// starts, and what happens while one still runs, is left to the daemon.
//
// Two words: an expression has the five fields of cron; an interval follows "@every".
package schedule

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"syncd/internal/hint"
)

// Schedule says when passes start. The zero Schedule never starts one.
type Schedule struct {
	text string
	next cron.Schedule
}

const usage = `use "@every 15m", "@hourly" or the five fields of cron: minute hour day month weekday`

// Parse reads "@every DURATION" of at least a second, a descriptor such as @daily, or the five
// fields of cron, with CRON_TZ=ZONE before them where the zone matters. An empty text is the zero
// Schedule.
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
	// The parser slices at the first space after a zone without looking whether there is one.
	if strings.Contains(text, "TZ=") && !strings.Contains(text, " ") {
		return nil, errors.New("a zone alone")
	}
	if _, every, ok := strings.Cut(text, "@every "); ok {
		// The parser rounds anything below a second, and negative durations too, up to one second.
		if d, err := time.ParseDuration(every); err == nil && d < time.Second {
			return nil, errors.New("less than a second")
		}
	}
	next, err := cron.ParseStandard(text)
	if err != nil {
		return nil, err
	}
	// Any start serves: the search looks five years ahead, which holds every date that exists.
	if next.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errors.New("no such date exists")
	}
	if spec, ok := next.(*cron.SpecSchedule); ok {
		z := newZoned(*spec)
		if strings.Contains(text, "TZ=Local ") {
			z.zone = time.Local // of the machine, as it was asked for
		}
		return z, nil
	}
	return next, nil
}

// IsZero reports whether there is no schedule.
func (s Schedule) IsZero() bool { return s.next == nil }

// Next is the first start after t, by the clocks of t's location unless the schedule names a zone.
// It is the zero time for the zero Schedule. Times that the clocks of a zone skip or show twice
// start one pass all the same, see [zoned.Next].
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

// String is the schedule as it was written.
func (s Schedule) String() string { return s.text }

// MarshalText writes the schedule.
func (s Schedule) MarshalText() ([]byte, error) { return []byte(s.text), nil }

// UnmarshalText reads what Parse reads.
func (s *Schedule) UnmarshalText(text []byte) (err error) {
	*s, err = Parse(string(text))
	return err
}
