package hint_test

import (
	"testing"

	"syncd/internal/hint"
)

func TestNearest(t *testing.T) {
	words := []string{"debug", "info", "warn", "error"}
	for word, want := range map[string]string{"wran": "warn", "WARN": "warn", "eror": "error", "quiet": "", "": ""} {
		if got := hint.Nearest(word, words); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
	if got := hint.NearestWithin("wran", words, 1); got != "" {
		t.Errorf("within one change: got %q, want none", got)
	}
}

func TestMeant(t *testing.T) {
	words := []string{"status", "start", "trigger", "replay"}
	for word, want := range map[string]string{
		"trig": "trigger", "TRIG": "trigger", "rep": "replay",
		"tri":   "trigger",
		"tr":    "",      // too short to be unambiguous
		"sta":   "start", // two words begin with it, so the nearest is meant
		"stats": "status",
		"quiet": "",
	} {
		if got := hint.Meant(word, words); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestSentences(t *testing.T) {
	words := []string{"copy", "omit"}
	for word, want := range map[string]string{"copi": "did you mean copy?", "everything": "use one of copy, omit"} {
		if got := hint.OneOf(word, words); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
	for err, want := range map[*hint.Error]string{
		{Problem: "is not a size", Hint: "use 64MiB"}: "is not a size; use 64MiB",
		{Problem: "is not a size"}:                    "is not a size",
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
