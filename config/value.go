package config

import (
	"cmp"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// valueError is why a leaf type refused a text, with what to write instead.
type valueError struct{ problem, hint string }

func (e *valueError) Error() string {
	if e.hint == "" {
		return e.problem
	}
	return e.problem + "; " + e.hint
}

// Size is a number of bytes, never negative: "64MiB" (powers of 1024), "50TB" (powers of 1000) or a plain number.
type Size int64

const sizeHint = "use a number of bytes, or a unit as in 64MiB or 50TB"

// ParseSize reads a size as the file writes it.
func ParseSize(text string) (Size, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		return Size(n), nil // exact, where the float of the general case is not beyond 2^53
	}
	n, err := humanize.ParseBytes(text)
	// Without a unit only whole bytes will do: ParseBytes would cut 1.5 down to 1.
	if err != nil || n > math.MaxInt64 || isDigits(text[len(text)-1:], 1) {
		return 0, &valueError{strconv.Quote(text) + " is not a size", sizeHint}
	}
	return Size(n), nil
}

// String writes the size with the unit that leaves the smallest whole number, so that ParseSize reads the same size again.
func (s Size) String() string {
	units := []struct {
		name  string
		bytes Size
	}{
		{"PiB", 1 << 50},
		{"PB", 1e15},
		{"TiB", 1 << 40},
		{"TB", 1e12},
		{"GiB", 1 << 30},
		{"GB", 1e9},
		{"MiB", 1 << 20},
		{"MB", 1e6},
		{"KiB", 1 << 10},
		{"kB", 1e3},
	}
	for _, u := range units {
		if s > 0 && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// MarshalText writes what String writes.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what ParseSize reads.
func (s *Size) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSize(string(text))
	return err
}

// Duration is a length of time with its unit, as in "10s" or "1h30m".
type Duration time.Duration

// Duration is the value as package time knows it.
func (d Duration) Duration() time.Duration { return time.Duration(d) }

// String writes the shortest form: 1h, not 1h0m0s.
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
		return &valueError{strconv.Quote(string(text)) + " is not a duration", cmp.Or(durationHint(string(text)), "use a number and its unit, as in 10s, 15m or 1h")}
	}
	*d = Duration(v)
	return nil
}

// Time is a moment: RFC 3339, or a date alone, which means midnight UTC. The zero Time is written as an empty string and
// means no bound.
type Time struct{ time.Time }

// String writes RFC 3339, and the zero Time as nothing.
func (t Time) String() string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// MarshalText writes what String writes.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalJSON writes what String writes, which the method of the embedded time would not.
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// UnmarshalText reads RFC 3339, a date, or nothing.
func (t *Time) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*t = Time{}
		return nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if v, err := time.Parse(layout, string(text)); err == nil {
			*t = Time{v}
			return nil
		}
	}
	return &valueError{strconv.Quote(string(text)) + " is not a time", "use 2006-01-02T15:04:05Z or 2006-01-02"}
}

// AutoInt is a whole number above zero, or auto, which is 0.
type AutoInt int

// String writes auto or the number.
func (a AutoInt) String() string {
	if a == 0 {
		return "auto"
	}
	return strconv.Itoa(int(a))
}

// MarshalText writes what String writes.
func (a AutoInt) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads auto or a number above zero.
func (a *AutoInt) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		*a = 0
		return nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n <= 0 {
		return &valueError{strconv.Quote(string(text)) + " is not a number above zero", cmp.Or(didYouMean(string(text), []string{"auto"}), "use auto or a number")}
	}
	*a = AutoInt(n)
	return nil
}

// AutoSize is a Size above zero, or auto, which is 0.
type AutoSize Size

// String writes auto or the size.
func (a AutoSize) String() string {
	if a == 0 {
		return "auto"
	}
	return Size(a).String()
}

// MarshalText writes what String writes.
func (a AutoSize) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads auto or a size above zero.
func (a *AutoSize) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		*a = 0
		return nil
	}
	n, err := ParseSize(string(text))
	if err != nil || n == 0 {
		return &valueError{strconv.Quote(string(text)) + " is not a size above zero", cmp.Or(didYouMean(string(text), []string{"auto"}), "use auto, or a size as in 64MiB")}
	}
	*a = AutoSize(n)
	return nil
}
