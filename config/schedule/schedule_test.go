package schedule_test

import (
	"testing"
	"time"

	"syncd/config/schedule"
)

func TestSchedule(t *testing.T) {
	start := time.Date(2026, 3, 1, 10, 7, 30, 0, time.UTC)
	for _, tt := range []struct {
		text string
		want time.Time
	}{
		{"", time.Time{}},
		{"@every 15m", time.Date(2026, 3, 1, 10, 22, 30, 0, time.UTC)},
		{"@hourly", time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)},
		{"5 * * * *", time.Date(2026, 3, 1, 11, 5, 0, 0, time.UTC)},
		{"0 0 29 2 *", time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"CRON_TZ=Europe/Berlin 30 2 * * *", time.Date(2026, 3, 2, 1, 30, 0, 0, time.UTC)},
	} {
		s, err := schedule.Parse(tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
		}
		if got := s.Next(start); !got.Equal(tt.want) {
			t.Errorf("%q: got %v, want %v", tt.text, got, tt.want)
		}
		if got, want := s.IsZero(), tt.text == ""; got != want {
			t.Errorf("%q: got zero %v, want %v", tt.text, got, want)
		}
	}
	for text, want := range map[string]time.Duration{"@every 15m": 15 * time.Minute, "@hourly": 0, "5 * * * *": 0, "": 0} {
		s, err := schedule.Parse(text)
		if got, ok := s.Every(); err != nil || got != want || ok != (want > 0) {
			t.Errorf("%q: got interval %v, %v, %v, want %v", text, got, ok, err, want)
		}
	}
	here := time.Local
	t.Cleanup(func() { time.Local = here })
	time.Local = time.FixedZone("here", 2*60*60)
	for text, want := range map[string]int{"CRON_TZ=Local 0 5 * * *": 3, "TZ=Local 0 5 * * *": 3, "0 5 * * *": 5} {
		s, err := schedule.Parse(text)
		if next := s.Next(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)); err != nil || next.Hour() != want {
			t.Errorf("%q on a machine two hours ahead: got %v, %v, want %d o'clock UTC", text, next, err, want)
		}
	}
	for _, text := range []string{" ", "TZ=", "TZ=UTC", "CRON_TZ=Nowhere * * * * *", "@every -5m", "@every 0s", "CRON_TZ=UTC @every -5m", "TZ=UTC @every 1ms", "@every", "@reboot", "60 * * * *", "* * * * * *"} {
		if s, err := schedule.Parse(text); err == nil {
			t.Errorf("Parse(%q): got %v, want an error", text, s)
		}
	}
}
