package terminal

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"syncd/internal/printable"
)

// Held formats a number of objects and their total size in bytes, such as "2 objects, 10 B".
func Held(count int, bytes int64) string {
	return fmt.Sprintf("%s, %s", Objects(int64(count)), Size(bytes))
}

// Objects formats a number of objects, such as "1 object".
func Objects(n int64) string {
	if n == 1 {
		return "1 object"
	}
	return humanize.Comma(n) + " objects"
}

// Seconds formats a duration in seconds.
func Seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(10 * time.Millisecond).String()
}

// ByReason formats counts with their names, sorted by name, such as "archived 1, denied 2". It
// returns "none" if counts is empty.
func ByReason(counts map[string]int64) string {
	if len(counts) == 0 {
		return "none"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %s", name, humanize.Comma(counts[name])))
	}
	return strings.Join(parts, ", ")
}

// Counted formats a count with a noun: "1 error", "2 errors".
func Counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Size formats a number of bytes with a binary unit.
func Size(bytes int64) string {
	return humanize.IBytes(uint64(bytes)) //nolint:gosec // never negative
}

// Times formats how often something happened: "once", "2 times".
func Times(n int64) string {
	if n == 1 {
		return "once"
	}
	return strconv.FormatInt(n, 10) + " times"
}

// Ago formats a duration in a single unit, rounded down, such as "36h" or "3d".
func Ago(d time.Duration) string {
	const day = 24 * time.Hour
	whole := func(unit time.Duration, name string) string { return printable.Sprintf("%d%s", int64(d/unit), name) }
	switch {
	case d < time.Second: // the clock of another machine may be ahead
		return "0s"
	case d < time.Minute:
		return whole(time.Second, "s")
	case d < time.Hour:
		return whole(time.Minute, "m")
	case d < 2*day:
		return whole(time.Hour, "h")
	default:
		return whole(day, "d")
	}
}

// Tally formats how often each state of order occurs in states, in that order, such as "1 damaged,
// 12 ok". It leaves out states that do not occur.
func Tally(states, order []string) string {
	var parts []string
	for _, state := range order {
		n := 0
		for _, s := range states {
			if s == state {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, printable.Sprintf("%d %s", n, state))
		}
	}
	return strings.Join(parts, ", ")
}
