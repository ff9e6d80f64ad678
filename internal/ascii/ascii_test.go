package ascii_test

import (
	"testing"

	"syncd/internal/ascii"
)

func TestWord(t *testing.T) {
	for _, tt := range []struct {
		text, extra string
		want        bool
	}{
		{"", "-", false},
		{"aZ09", "", true},
		{"a-b", "", false},
		{"a-b", "-", true},
		{"é", "", false},
		{"٣", "", false}, // a digit in another script
		{"a b", "-", false},
	} {
		if got := ascii.Word(tt.text, tt.extra); got != tt.want {
			t.Errorf("Word(%q, %q): got %v, want %v", tt.text, tt.extra, got, tt.want)
		}
	}
}

func TestDigits(t *testing.T) {
	for _, tt := range []struct {
		text string
		n    int
		want bool
	}{{"111111111111", 12, true}, {"11111111111", 12, false}, {"11111111111a", 12, false}, {"", 0, true}, {"٣", 2, false}} {
		if got := ascii.Digits(tt.text, tt.n); got != tt.want {
			t.Errorf("Digits(%q, %d): got %v, want %v", tt.text, tt.n, got, tt.want)
		}
	}
}
