package terminal_test

import (
	"testing"
	"time"

	"syncd/internal/terminal"
)

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s", 0: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m", 59*time.Minute + 59*time.Second: "59m",
		time.Hour: "1h", 47 * time.Hour: "47h", 48 * time.Hour: "2d", 1000 * time.Hour: "41d",
	} {
		if got := terminal.Ago(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}
