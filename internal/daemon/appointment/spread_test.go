package appointment_test

import (
	"fmt"
	"testing"
	"time"

	"syncd/internal/daemon/appointment"
)

// TestSpreadIsEvenAndSteady checks that mappings with the same interval are spread over it, in the
// same way after every start.
func TestSpreadIsEvenAndSteady(t *testing.T) {
	const mappings, interval, bins = 1000, 15 * time.Minute, 15
	start := time.Date(2026, 3, 1, 10, 7, 30, 0, time.UTC)
	var counts [bins]int
	for i := range mappings {
		spread := appointment.NewSpread(fmt.Sprintf("tenant-%04d", i), interval, "@every 15m")
		first := spread.Next(start)
		if !first.After(start) || first.Sub(start) > interval || !spread.Next(first).Equal(first.Add(interval)) {
			t.Fatalf("got the ticks %v and %v after %v, want an interval between them", first, spread.Next(first), start)
		}
		if again := spread.Next(start.Add(-100 * interval)); first.Sub(again)%interval != 0 {
			t.Fatalf("got %v and %v from different starts, want the same place in the interval", again, first)
		}
		counts[int(first.Sub(start)-1)*bins/int(interval)]++
	}
	for i, n := range counts {
		if n < mappings/bins/2 || n > 2*mappings/bins {
			t.Errorf("got %d of %d mappings in minute %d, want about %d", n, mappings, i, mappings/bins)
		}
	}
}
