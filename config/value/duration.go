package value

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"syncd/internal/ascii"
	"syncd/internal/hint"
)

// Duration is a length of time with its unit, as in "10s" or "1h30m".
type Duration time.Duration

// Duration returns d as a time.Duration.
func (d Duration) Duration() time.Duration { return time.Duration(d) }

// String returns the shortest form: 1h, not 1h0m0s.
func (d Duration) String() string {
	s := d.Duration().String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText writes what String writes.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return hint.New(strconv.Quote(string(text))+" is not a duration", cmp.Or(durationHint(string(text)), "use a number and its unit, as in 10s, 15m or 1h"))
	}
	*d = Duration(v)
	return nil
}

// durationHint guesses the intended duration from invalid text. It returns a hint, or "".
func durationHint(text string) string {
	if n := strings.TrimSpace(text); n != "" && ascii.Digits(n, len(n)) && len(n) < 10 {
		return "give it a unit: " + n + "s, " + n + "m or " + n + "h"
	}
	if d, ok := MeantDuration(text); ok {
		return "did you mean " + Duration(d).String() + "?"
	}
	return ""
}
