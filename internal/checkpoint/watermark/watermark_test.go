package watermark_test

import (
	"fmt"
	"slices"
	"testing"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/watermark"

	"pgregory.net/rapid"
)

// TestWatermarkAgainstASort settles keys in a random order and compares the mark at every step with
// the longest run of settled keys at the beginning of the sorted keys.
func TestWatermarkAgainstASort(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 100).Draw(t, "keys")
		reserved, got := 0, []string(nil)
		settled := make([]bool, n)
		var slots []*watermark.Key
		var water watermark.Watermark
		saved := map[string]bool{}
		for len(got) < n {
			if reserved < n && (len(slots) == 0 || rapid.Bool().Draw(t, "reserve")) {
				slots = append(slots, &watermark.Key{Name: fmt.Sprintf("%04d", reserved)})
				water.Push(slots[len(slots)-1])
				reserved++
			} else {
				i := rapid.IntRange(0, len(slots)-1).Draw(t, "settle")
				slot := slots[i]
				slots = slices.Delete(slots, i, i+1)
				settled[slices.Index(keysTo(n), slot.Name)] = true
				slot.How, slot.Entry = watermark.Recorded, &record.Entry{Key: slot.Name}
				water.Advance(slot)
			}
			taken := water.Take()
			isAhead := rapid.Bool().Draw(t, "ahead")
			if isAhead {
				taken.Ahead = water.TakeAhead(rapid.Bool().Draw(t, "all"))
			}
			for _, s := range taken.Ahead {
				saved[s.Name] = true
			}
			for _, c := range taken.Changes {
				got = append(got, c.Key)
			}
			for _, key := range got {
				saved[key] = true
			}
			unsaved := 0
			for i, key := range keysTo(n) {
				if settled[i] && !saved[key] {
					unsaved++
				}
				if saved[key] && !settled[i] || isAhead && saved[key] != settled[i] {
					t.Fatalf("key %q: saved %t, settled %t", key, saved[key], settled[i])
				}
			}
			if water.Unsaved() != unsaved {
				t.Fatalf("got %d unsaved slots above the mark, want %d", water.Unsaved(), unsaved)
			}
			want := max(0, slices.Index(append(slices.Clone(settled), false), false))
			if !slices.Equal(got, keysTo(want)) {
				t.Fatalf("changes below the mark: got %q, want %q", got, keysTo(want))
			}
			if want > 0 && taken.Mark != got[want-1] {
				t.Fatalf("mark: got %q, want %q", taken.Mark, got[want-1])
			}
			if ahead := reserved - want; water.Len() != ahead {
				t.Fatalf("slots ahead of the mark: got %d, want %d", water.Len(), ahead)
			}
		}
	})
}

func keysTo(n int) (keys []string) {
	for i := range n {
		keys = append(keys, fmt.Sprintf("%04d", i))
	}
	return keys
}
