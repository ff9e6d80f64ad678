package ranges_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"syncd/internal/listing"
	"syncd/internal/listing/ranges"
)

// latency is the time that a request takes in the tests.
const latency = 20 * time.Millisecond

// bucket is a sorted set of keys that is listed in pages of a thousand. It counts the requests.
type bucket struct {
	keys []string
	fail func(request int) error // called for each request

	instant bool // pages take no time

	mu       sync.Mutex
	requests int
}

func (b *bucket) Page(ctx context.Context, after string) ([]listing.Object, bool, error) {
	b.mu.Lock()
	b.requests++
	n := b.requests
	b.mu.Unlock()
	if b.instant {
		return b.page(after)
	}
	select {
	case <-time.After(latency):
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	if b.fail != nil {
		if err := b.fail(n); err != nil {
			return nil, false, err
		}
	}
	return b.page(after)
}

func (b *bucket) page(after string) ([]listing.Object, bool, error) {
	from := sort.SearchStrings(b.keys, after)
	if from < len(b.keys) && b.keys[from] == after {
		from++
	}
	to := min(from+1000, len(b.keys))
	page := make([]listing.Object, to-from)
	for i, key := range b.keys[from:to] {
		page[i].Key = key
	}
	return page, to < len(b.keys), nil
}

// listed is what a run has listed.
type listed struct {
	took  time.Duration
	parts map[string]part // by the key after which the part begins
}

type part struct {
	keys  listing.Range
	found []string
	err   error
}

// divided divides the range of all keys at bounds, which are in ascending order.
func divided(bounds []string) (all []listing.Range) {
	after := ""
	for _, bound := range bounds {
		all = append(all, listing.Range{After: after, Until: bound})
		after = bound
	}
	return append(all, listing.Range{After: after})
}

// run lists the bucket, and collects the objects by part.
func run(t *testing.T, b *bucket, o ranges.Options) (l listed, err error) {
	t.Helper()
	var mu sync.Mutex
	l.parts = map[string]part{}
	start := time.Now()
	err = ranges.Run(t.Context(), b, o, func(ctx context.Context, p *ranges.Part) error {
		var got part
		for object, err := range p.Objects(ctx) {
			if got.err = err; err != nil {
				break
			}
			got.found = append(got.found, object.Key)
		}
		got.keys = p.Range()
		mu.Lock()
		defer mu.Unlock()
		if _, ok := l.parts[got.keys.After]; ok {
			t.Errorf("two parts begin after %q", got.keys.After)
		}
		l.parts[got.keys.After] = got
		return got.err
	})
	l.took = time.Since(start)
	return l, err
}

// check reports parts that do not join to the whole range, and keys that are lost, doubled or in
// the wrong part.
func (l listed) check(t rapid.TB, keys []string) {
	t.Helper()
	var all []string
	after, n := "", 0
	for {
		p, ok := l.parts[after]
		if !ok {
			t.Fatalf("no part begins after %q, where the previous part ends", after)
		}
		n++
		for _, key := range p.found {
			if !p.keys.Contains(key) {
				t.Fatalf("key %q is in the part %+v", key, p.keys)
			}
		}
		all = append(all, p.found...)
		if p.keys.Until == "" {
			break
		}
		after = p.keys.Until
	}
	if n != len(l.parts) {
		t.Errorf("got %d parts, of which %d join to the whole range", len(l.parts), n)
	}
	if !slices.Equal(all, keys) {
		t.Errorf("got %d keys, want %d, all in order", len(all), len(keys))
	}
}

// distribution makes n different keys, in any order.
type distribution struct {
	name string
	key  func(r *rand.Rand, i int) string
}

func distributions() []distribution {
	day := func(i int) string {
		return time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Minute).Format("year=2006/month=01/day=02/hour=15/04")
	}
	return []distribution{
		{"numbers", func(_ *rand.Rand, i int) string { return fmt.Sprintf("%010d", i) }},
		{"flat", func(_ *rand.Rand, i int) string { return fmt.Sprintf("export-%d.csv", i) }},
		{"random", func(r *rand.Rand, i int) string { return fmt.Sprintf("%016x%016x", r.Uint64(), i) }},
		{"dates", func(_ *rand.Rand, i int) string { return day(i) }},
		{"deep", func(_ *rand.Rand, i int) string {
			return fmt.Sprintf("a/b/c/d/%d/%d/%d/%d.parquet", i%7, i/7%11, i/77%13, i)
		}},
		{"tenants", func(_ *rand.Rand, i int) string {
			return fmt.Sprintf("tenant-%03d/%s/%08x", i%100, []string{"logs", "events", "images"}[i%3], i)
		}},
		{"skewed", func(_ *rand.Rand, i int) string {
			if i%100 != 0 {
				return fmt.Sprintf("m/%09d", i)
			}
			return fmt.Sprintf("%c/%d", 'a'+rune(i/100%26), i)
		}},
		{"late difference", func(_ *rand.Rand, i int) string { return strings.Repeat("k", 900) + fmt.Sprintf("%08d", i) }},
		{"control characters", func(_ *rand.Rand, i int) string {
			return fmt.Sprintf("%c%c%c", rune(1+i%120), rune(1+i/120%120), rune(1+i/14400))
		}},
		{"scripts", func(_ *rand.Rand, i int) string {
			return fmt.Sprintf("%s/%c%c-%d", []string{"données", "データ", "данные", "😀"}[i%4], rune(0x4e00+i%500), rune(0x4e00+i/500%500), i)
		}},
	}
}

// keys returns n keys of the distribution, ascending.
func (d distribution) keys(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	keys := make([]string, n)
	for i := range keys {
		keys[i] = d.key(r, i)
	}
	slices.Sort(keys)
	return keys
}

// TestGoroutines checks that listers in goroutines list all keys, and that they are faster than one.
func TestGoroutines(t *testing.T) {
	for _, d := range distributions() {
		t.Run(d.name, func(t *testing.T) {
			keys := d.keys(50_000)
			synctest.Test(t, func(t *testing.T) {
				b := &bucket{keys: keys}
				got, err := run(t, b, ranges.Options{Listers: listers, Ranges: divided(nil)})
				if err != nil {
					t.Fatal(err)
				}
				got.check(t, keys)
				if least := 50 * latency; got.took >= least {
					t.Errorf("took %v, want less than %v as one lister", got.took, least)
				}
			})
		})
	}
}
