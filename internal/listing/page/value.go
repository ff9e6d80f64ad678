package page

import (
	"strconv"
	"time"

	smithytime "github.com/aws/smithy-go/time"
)

// maxDigits is the maximum number of digits of which every number fits into an int64.
const maxDigits = 18

// integer parses a decimal number, as strconv.ParseInt does.
func integer(text []byte) (int64, error) {
	n, ok := digits(text)
	if !ok {
		return strconv.ParseInt(string(text), 10, 64)
	}
	return n, nil
}

// digits returns the number that text contains. The result ok is false if text is not a number of 1
// to maxDigits digits.
func digits(text []byte) (n int64, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0') // the result is not used if it overflows
	}
	return n, len(text) > 0 && len(text) <= maxDigits
}

// layout is the form of a time as S3 sends it, followed by a fraction and a Z. It shows where the
// digits are.
const layout = "0000-00-00T00:00:00"

// instant parses a time, as the SDK does.
func instant(text []byte) (time.Time, error) {
	t, ok := usual(text)
	if !ok {
		return smithytime.ParseDateTime(string(text))
	}
	return t, nil
}

// usual parses a time in the form that S3 sends. The result ok is false if text has another form or
// is not a valid time.
func usual(text []byte) (t time.Time, ok bool) {
	if len(text) <= len(layout) || text[len(text)-1] != 'Z' {
		return time.Time{}, false
	}
	for i := range len(layout) {
		if layout[i] == '0' && (text[i] < '0' || text[i] > '9') || layout[i] != '0' && layout[i] != text[i] {
			return time.Time{}, false
		}
	}
	nanoseconds, ok := fraction(text[len(layout) : len(text)-1])
	two := func(at int) int { return int(text[at]-'0')*10 + int(text[at+1]-'0') }
	year, month, day := two(0)*100+two(2), time.Month(two(5)), two(8)
	hour, minute, second := two(11), two(14), two(17)
	if !ok || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t = time.Date(year, month, day, hour, minute, second, nanoseconds, time.UTC)
	return t, day <= 28 || t.Day() == day // Date changes a day that the month does not have
}

// fraction parses a fraction of a second, with its point, or no text. It returns nanoseconds.
func fraction(text []byte) (nanoseconds int, ok bool) {
	if len(text) == 0 {
		return 0, true
	}
	n, ok := digits(text[1:])
	if !ok || text[0] != '.' || len(text) > 1+9 {
		return 0, false
	}
	for range 1 + 9 - len(text) {
		n *= 10
	}
	return int(n), true
}
