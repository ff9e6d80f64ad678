package value

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// durationPart matches a number with a unit.
var durationPart = regexp.MustCompile(`^([0-9]+(?:[.,][0-9]+)?)\s*([a-zµ]+)`)

// unitOf returns the unit of time that word names, in any common spelling.
func unitOf(word string) (unit time.Duration, ok bool) {
	units := []struct {
		unit  time.Duration
		words []string
	}{
		{time.Millisecond, []string{"ms", "msec", "millisecond"}},
		{time.Second, []string{"s", "sec", "second"}},
		{time.Minute, []string{"m", "mn", "min", "minute"}},
		{time.Hour, []string{"h", "hr", "hour"}},
		{day, []string{"d", "day"}},
		{7 * day, []string{"w", "wk", "week"}},
		{365 * day, []string{"y", "yr", "year"}},
	}
	for _, u := range units {
		for _, w := range u.words {
			if word == w || word == w+"s" {
				return u.unit, true
			}
		}
	}
	return 0, false
}

// MeantDuration parses a length of time in other forms that users write, such as 15min, 1 hour 30
// minutes, 1,5h, 7d and PT15M.
func MeantDuration(text string) (d time.Duration, ok bool) {
	rest := strings.ToLower(strings.TrimSpace(text))
	if iso, isISO := strings.CutPrefix(rest, "p"); isISO {
		rest = strings.ReplaceAll(iso, "t", "")
	}
	for rest != "" {
		part := durationPart.FindStringSubmatch(rest)
		if part == nil {
			return 0, false
		}
		n, err := strconv.ParseFloat(strings.ReplaceAll(part[1], ",", "."), 64)
		unit, isUnit := unitOf(part[2])
		if err != nil || !isUnit || n > float64(100*365*day)/float64(unit) {
			return 0, false
		}
		d += time.Duration(n * float64(unit))
		rest = strings.TrimLeft(rest[len(part[0]):], " ,+")
		rest = strings.TrimPrefix(rest, "and ")
	}
	return d, d > 0
}
