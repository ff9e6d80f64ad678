// Package value defines the types of settings that are not plain text, numbers or booleans: sizes,
// lengths of time, times, globs, and numbers that may be auto.
//
// Each type parses its form in the configuration file, and prints a form that parses as the same
// value. Parse errors are [hint.Error]s that quote the text and show what to write instead. Package
// config defines the bounds and defaults of each setting; schedules and secrets have their own
// packages.
//
// Two terms: a duration has the units of package time; a period also has days and years.
package value

import (
	"math"
	"strconv"

	"github.com/dustin/go-humanize"

	"syncd/internal/ascii"
	"syncd/internal/hint"
)

// Size is a number of bytes, never negative: "64MiB" (powers of 1024), "50TB" (powers of 1000) or a
// plain number.
type Size int64

const sizeHint = "use a number of bytes, or a unit as in 64MiB or 50TB"

// ParseSize parses a size from the configuration file.
func ParseSize(text string) (Size, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		return Size(n), nil // exact: ParseBytes uses a float, which is inexact beyond 2^53
	}
	n, err := humanize.ParseBytes(text)
	// Without a unit only whole bytes are valid: ParseBytes would truncate 1.5 to 1.
	if err != nil || n > math.MaxInt64 || ascii.Digits(text[len(text)-1:], 1) {
		return 0, hint.New(strconv.Quote(text)+" is not a size", sizeHint)
	}
	return Size(n), nil
}

// String returns the size with the unit that gives the smallest whole number, which ParseSize reads
// as the same size.
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
