// Package value holds the settings that are more than a text, a number or a switch: sizes, lengths
// of time, moments, globs, and numbers that may be left to syncd.
//
// It promises that each type reads what people write in the configuration file, that it prints what
// reads as the same value again, and that a refusal is a [hint.Error] which quotes the text and
// says what to write instead. Which values a setting may have, its bounds and its default, is left
// to package config; schedules and secrets are packages of their own.
//
// Two words: a duration has the units of package time; a period has days and years besides.
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

// ParseSize reads a size as the file writes it.
func ParseSize(text string) (Size, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 {
		return Size(n), nil // exact, where the float of the general case is not beyond 2^53
	}
	n, err := humanize.ParseBytes(text)
	// Without a unit only whole bytes will do: ParseBytes would cut 1.5 down to 1.
	if err != nil || n > math.MaxInt64 || ascii.Digits(text[len(text)-1:], 1) {
		return 0, hint.New(strconv.Quote(text)+" is not a size", sizeHint)
	}
	return Size(n), nil
}

// String writes the size with the unit that leaves the smallest whole number, so that ParseSize
// reads the same size again.
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
