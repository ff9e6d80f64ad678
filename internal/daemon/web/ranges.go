package web

import (
	"strconv"

	"syncd/internal/daemon/status"
	"syncd/internal/printable"
)

// shownKey is the maximum number of characters of a key that the page shows.
const shownKey = 120

// rangesText returns how many ranges a pass is walking and which is the oldest, or "" between
// passes.
func rangesText(m status.Mapping) string {
	if m.OldestRange == nil {
		return ""
	}
	oldest, begin := "the oldest", "at the first key"
	if m.Ranges == 1 {
		oldest = "it"
	}
	if m.OldestRange.After != "" {
		begin = "after " + keyText(m.OldestRange.After)
	}
	return comma(m.Ranges) + " being walked; " + oldest + " begins " + begin + ", walked for " + took(m.OldestRange.Seconds)
}

// keyText returns the display form of a key: quoted, and without its middle if it is long.
func keyText(key string) string {
	text := []rune(printable.Text(strconv.Quote(key)))
	if len(text) <= shownKey {
		return string(text)
	}
	return string(text[:shownKey/2]) + "…" + string(text[len(text)-shownKey/2+1:])
}
