package ranges_test

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"

	"syncd/internal/listing/ranges"
)

const listers, pages = 16, 1000

var full = flag.Bool("full", false, "measure the speed for all distributions; make stress sets it")

// everyDay are the distributions for which the speed is also measured without -full.
var everyDay = []string{"dates", "skewed", "scripts"}

// speed is how fast 16 listers list a bucket of a thousand pages.
type speed struct {
	faster   float64 // than one lister
	requests int
}

// measure returns the speed with the given bounds.
func measure(t *testing.T, keys, bounds []string) speed {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	b := &bucket{keys: keys, instant: true}
	rounds, requests, objects, err := ranges.InRounds(b, ranges.Options{Listers: listers, Ranges: divided(bounds)}, random)
	if err != nil || objects != len(keys) {
		t.Fatalf("got %d objects, %v, want %d", objects, err, len(keys))
	}
	got := speed{faster: float64(pages) / float64(rounds), requests: requests}
	t.Logf("%.1f times one lister, %d requests", got.faster, got.requests)
	return got
}

// TestSideBySide compares 16 listers with one, without and with bounds from a ledger.
func TestSideBySide(t *testing.T) {
	for _, d := range distributions() {
		t.Run(d.name, func(t *testing.T) {
			if !*full && !slices.Contains(everyDay, d.name) {
				t.Skip("without -full")
			}
			keys := d.keys(pages * 1000)
			if got := measure(t, keys, nil); got.faster < 10 || got.requests > pages*102/100 {
				t.Errorf("got %+v without a ledger, want at least 10 times and at most %d", got, pages*102/100)
			}
			var bounds []string
			for i := 1; i < listers; i++ {
				bounds = append(bounds, keys[i*len(keys)/listers])
			}
			if got := measure(t, keys, bounds); got.faster < 14 || got.requests > pages*102/100 {
				t.Errorf("got %+v with a ledger, want at least 14 times and at most %d", got, pages*102/100)
			}
		})
	}
}

// TestUnseen checks the speed for distributions that the splits were not tuned for.
func TestUnseen(t *testing.T) {
	for _, d := range unseen() {
		t.Run(d.name, func(t *testing.T) {
			if !*full {
				t.Skip("without -full")
			}
			if got := measure(t, d.keys(pages*1000), nil); got.faster < 6 {
				t.Errorf("got %+v, want at least 6 times", got)
			}
		})
	}
}
