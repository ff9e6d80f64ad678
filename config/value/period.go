package value

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"

	"syncd/internal/ascii"
	"syncd/internal/hint"
)

// Period is a length of time in days or years, as in "3650d" or "10y" (years of 365 days), or a
// Duration. The zero Period means none.
type Period time.Duration

// Duration returns p as a time.Duration.
func (p Period) Duration() time.Duration { return time.Duration(p) }

// String returns a whole number of the largest possible unit, which UnmarshalText reads as the same
// value.
func (p Period) String() string {
	switch d := p.Duration(); {
	case d > 0 && d%(365*day) == 0:
		return strconv.FormatInt(int64(d/(365*day)), 10) + "y"
	case d > 0 && d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	default:
		return Duration(p).String()
	}
}

// MarshalText writes what String writes.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a whole number of days or years, or a Duration.
func (p *Period) UnmarshalText(text []byte) error {
	written := string(text)
	for unit, length := range map[string]time.Duration{"d": day, "y": 365 * day} {
		number, ok := strings.CutSuffix(written, unit)
		n, err := strconv.ParseInt(number, 10, 64)
		switch {
		case !ok || err != nil || n < 0:
		case n > int64(math.MaxInt64/length):
			return hint.New(strconv.Quote(written)+" is too long", "use at most 100y")
		default:
			*p = Period(time.Duration(n) * length)
			return nil
		}
	}
	var d Duration
	if err := d.UnmarshalText(text); err != nil {
		return hint.New(strconv.Quote(written)+" is not a length of time", cmp.Or(periodHint(written), "use a number and its unit, as in 90d, 10y or 12h"))
	}
	*p = Period(d)
	return nil
}

// periodHint is durationHint with days and years as units.
func periodHint(text string) string {
	if n := strings.TrimSpace(text); n != "" && ascii.Digits(n, len(n)) && len(n) < 6 {
		return "give it a unit: " + n + "d or " + n + "y"
	}
	if d, ok := MeantDuration(text); ok {
		return "did you mean " + Period(d).String() + "?"
	}
	return ""
}
