package ranges_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"syncd/internal/listing/ranges"
)

// mixture draws keys of several kinds under several prefixes, as buckets of several writers have
// them.
func mixture(t *rapid.T) (keys []string) {
	kinds := distributions()
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	for range rapid.IntRange(1, 5).Draw(t, "kinds") {
		prefix := rapid.SampledFrom([]string{"", "", "a/", "m", "9", "é/", "😀"}).Draw(t, "prefix")
		d := kinds[rapid.IntRange(0, len(kinds)-1).Draw(t, "kind")]
		n := rapid.IntRange(0, 12_000).Draw(t, "keys")
		for i := range n {
			keys = append(keys, prefix+d.key(r, i))
		}
	}
	for range rapid.IntRange(0, 20).Draw(t, "others") {
		if key := rapid.StringN(1, 30, -1).Draw(t, "other"); key != "" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// TestRandomMixtures checks that no key is lost or doubled whatever the keys, bounds and number of
// listers are, and also if a request fails.
func TestRandomMixtures(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		keys := mixture(rt)
		o := ranges.Options{Listers: rapid.IntRange(1, 32).Draw(rt, "listers")}
		var bounds []string
		for range rapid.IntRange(0, 3).Draw(rt, "bounds") {
			if len(keys) > 0 {
				bounds = append(bounds, keys[rapid.IntRange(0, len(keys)-1).Draw(rt, "bound")])
			}
		}
		slices.Sort(bounds)
		o.Ranges = divided(slices.Compact(bounds))
		failing := rapid.IntRange(0, 60).Draw(rt, "failing request")
		errFailed := errors.New("failed")
		var got, gotFailing listed
		var err, errFailing error
		b := &bucket{keys: keys, fail: func(request int) error {
			if request == failing {
				return errFailed
			}
			return nil
		}}
		synctest.Test(t, func(t *testing.T) {
			got, err = run(t, &bucket{keys: keys}, o)
			gotFailing, errFailing = run(t, b, o)
		})
		if err != nil {
			rt.Fatal(err)
		}
		got.check(rt, keys)
		if wantFailed := failing > 0 && failing <= b.requests; wantFailed != errors.Is(errFailing, errFailed) {
			rt.Fatalf("got error %v, request %d of %d failed", errFailing, failing, b.requests)
		}
		gotFailing.checkFailed(rt, keys)
	})
}

// checkFailed reports keys that are lost, doubled or in the wrong part. The parts that failed may
// lack their last keys.
func (l listed) checkFailed(t rapid.TB, keys []string) {
	t.Helper()
	for _, p := range l.parts {
		var want []string
		for _, key := range keys {
			if p.keys.Contains(key) {
				want = append(want, key)
			}
		}
		if p.err != nil {
			want = want[:min(len(want), len(p.found))]
		}
		if !slices.Equal(p.found, want) {
			t.Errorf("part %+v has %d keys, want %d", p.keys, len(p.found), len(want))
		}
	}
}

// TestSmallBuckets checks that a bucket of up to four pages costs no additional request.
func TestSmallBuckets(t *testing.T) {
	for _, d := range distributions() {
		for _, n := range []int{0, 1, 999, 1000, 1001, 2000, 3999, 4000} {
			synctest.Test(t, func(t *testing.T) {
				b := &bucket{keys: d.keys(n)}
				if _, err := run(t, b, ranges.Options{Listers: 16, Ranges: divided(nil)}); err != nil {
					t.Fatal(err)
				}
				if want := max((n+999)/1000, 1); b.requests != want {
					t.Errorf("%s: got %d requests for %d keys, want %d", d.name, b.requests, n, want)
				}
			})
		}
	}
}

// unseen returns distributions that were not looked at while the splits were tuned.
func unseen() []distribution {
	words := strings.Fields("apple bread candle dune ember flint grove harbor iris jungle kettle lemon mango night ocean " +
		"pepper quartz river stone timber umbra violet willow yarn zephyr")
	return []distribution{
		{"identifiers of three tenants", func(r *rand.Rand, i int) string {
			tenant := "acme"
			switch {
			case i%100 == 0:
				tenant = "zeta"
			case i%100 < 10:
				tenant = "corp"
			}
			return fmt.Sprintf("%s/%08x-%04x-4%03x-a%03x-%012x", tenant, r.Uint32(), r.Uint32()>>16, r.Uint32()>>20, r.Uint32()>>20, i)
		}},
		{"hourly partitions", func(_ *rand.Rand, i int) string {
			hour := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i/100) * time.Hour)
			return hour.Format("events/2006/01/02/15/") + fmt.Sprintf("part-%05d", i%100)
		}},
		{"decreasing timestamps", func(_ *rand.Rand, i int) string { return fmt.Sprint(9999999999 - i*60) }},
		{"base64", func(r *rand.Rand, i int) string {
			var b [16]byte
			binary.BigEndian.PutUint64(b[:8], r.Uint64())
			binary.BigEndian.PutUint64(b[8:], uint64(i))
			return base64.RawURLEncoding.EncodeToString(b[:])
		}},
		{"words", func(r *rand.Rand, i int) string {
			w := func() string { return words[r.IntN(len(words))] }
			return fmt.Sprintf("%s-%s/%s-%d", w(), w(), w(), i)
		}},
	}
}
