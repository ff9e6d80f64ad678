package main

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

// held tells what a bucket holds, for people.
func held(count int, bytes int64) string {
	return fmt.Sprintf("%s, %s", objects(int64(count)), size(bytes))
}

func objects(n int64) string {
	if n == 1 {
		return "1 object"
	}
	return humanize.Comma(n) + " objects"
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(10 * time.Millisecond).String()
}

// byReason renders counts by name, in the names' order.
func byReason(counts map[string]int64) string {
	if len(counts) == 0 {
		return "none"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %s", name, humanize.Comma(counts[name])))
	}
	return strings.Join(parts, ", ")
}

// counted is "1 error", "2 errors".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func size(bytes int64) string {
	return humanize.IBytes(uint64(bytes)) //nolint:gosec // never negative
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return strconv.FormatInt(n, 10) + " times"
}

// ago is how long something is, in the one unit that matters.
func ago(d time.Duration) string {
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

// tally counts the states of rows, the worst first: "1 damaged, 12 ok".
func tally(states, order []string) string {
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
