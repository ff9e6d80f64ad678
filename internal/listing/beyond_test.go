package listing_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"syncd/internal/listing"
)

// keysAfter returns a Next over sorted keys that counts its calls.
func keysAfter(keys []string, asked *int) listing.Next {
	return func(after string) (string, bool, error) {
		*asked++
		i, found := slices.BinarySearch(keys, after)
		if found {
			i++
		}
		if i == len(keys) {
			return "", false, nil
		}
		return keys[i], true, nil
	}
}

// TestBeyond checks, for different buckets, that Beyond finds keys outside the group of similar
// keys with which the bucket begins.
func TestBeyond(t *testing.T) {
	var flat, dated, hashed, deep, han []string
	for i := range 100_000 {
		flat = append(flat, fmt.Sprintf("k%07d", i))
	}
	for month := range 12 {
		for i := range 1000 {
			dated = append(dated, fmt.Sprintf("exports/2024/%02d/file%05d.parquet", month+1, i))
		}
	}
	for i := range 4096 {
		hashed = append(hashed, fmt.Sprintf("%03x", i))
	}
	for i := range 300 {
		deep = append(deep, strings.Repeat("d", 900)+fmt.Sprintf("/%03d", i))
		han = append(han, fmt.Sprintf("%c/%d", rune(0x4e00+i*40), i))
	}
	for name, tt := range map[string]struct {
		keys    []string
		at      string
		floor   int
		farther string // at least one returned key must be at or after this key
	}{
		"flat":                {flat, flat[40], 0, flat[80_000]},
		"by date":             {dated, dated[40], len("exports/"), "exports/2024/10/"},
		"hashes":              {hashed, hashed[40], 0, "f"},
		"one long prefix":     {deep, deep[4], 0, deep[200]},
		"beyond ASCII":        {han, han[3], 0, han[290]},
		"the last but one":    {[]string{"a", "b1"}, "a", 0, "b1"},
		"not UTF-8 at an end": {[]string{"a/\xff", "a/\xff\xff", "b/c"}, "a/\xff", 0, "b/c"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			starts, err := listing.Beyond(tt.at, tt.floor, keysAfter(tt.keys, &asked))
			var got []string
			for _, p := range starts {
				got = append(got, p.Key)
				if first, _, _ := keysAfter(tt.keys, new(int))(p.After); first != p.Key {
					t.Errorf("the first key after %q is %q, want %q", p.After, first, p.Key)
				}
			}
			if err != nil || len(got) == 0 || got[len(got)-1] < tt.farther || asked > 60 {
				t.Fatalf("got %.80q, %v, asked %d times, want a key from %.40q on and few calls", got, err, asked, tt.farther)
			}
			t.Logf("asked %d times: %.60q", asked, got)
			if name == "by date" && !slices.ContainsFunc(got, func(key string) bool { return strings.HasPrefix(key, "exports/2024/09/") }) {
				t.Errorf("got %q, want a key of September too", got)
			}
			if !slices.IsSorted(got) || got[0] <= tt.at {
				t.Errorf("got %q, want keys after %q, ascending", got, tt.at)
			}
		})
	}
}

func TestBeyondTheLastKey(t *testing.T) {
	asked := 0
	got, err := listing.Beyond("z/9", 0, keysAfter([]string{"a", "z/9"}, &asked))
	if err != nil || len(got) != 0 {
		t.Errorf("got %q, %v, want none", got, err)
	}
	broken := errors.New("broken")
	if _, err := listing.Beyond("a/b", 0, func(string) (string, bool, error) { return "", false, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}
