package checkpoint

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestWatermarkAgainstASort settles keys in a random order and compares what
// comes out, at every step, with the longest settled run of the sorted keys.
func TestWatermarkAgainstASort(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 100).Draw(t, "keys")
		reserved, got := 0, []string(nil)
		settled := make([]bool, n)
		var slots []*Slot
		var water watermark
		saved := map[string]bool{}
		for len(got) < n {
			if reserved < n && (len(slots) == 0 || rapid.Bool().Draw(t, "reserve")) {
				slots = append(slots, &Slot{key: fmt.Sprintf("%04d", reserved)})
				water.push(slots[len(slots)-1])
				reserved++
			} else {
				i := rapid.IntRange(0, len(slots)-1).Draw(t, "settle")
				slot := slots[i]
				slots = slices.Delete(slots, i, i+1)
				settled[slices.Index(keysTo(n), slot.key)] = true
				slot.how, slot.entry = recorded, &Entry{Key: slot.key}
				water.settled(slot)
			}
			taken := water.take()
			isAhead := rapid.Bool().Draw(t, "ahead")
			if isAhead {
				taken.ahead = water.takeAhead(rapid.Bool().Draw(t, "all"))
			}
			for _, s := range taken.ahead {
				saved[s.key] = true
			}
			for _, c := range taken.changes {
				got = append(got, c.key)
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
			if water.ahead != unsaved {
				t.Fatalf("got %d slots that wait to be saved above the mark, want %d", water.ahead, unsaved)
			}
			want := max(0, slices.Index(append(slices.Clone(settled), false), false))
			if !slices.Equal(got, keysTo(want)) {
				t.Fatalf("changes below the mark: got %q, want %q", got, keysTo(want))
			}
			if want > 0 && taken.mark != got[want-1] {
				t.Fatalf("mark: got %q, want %q", taken.mark, got[want-1])
			}
			if ahead := reserved - want; water.n != ahead {
				t.Fatalf("slots ahead of the mark: got %d, want %d", water.n, ahead)
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

func FuzzKeyText(f *testing.F) {
	for _, key := range []string{"", "a/b", `a\b`, `\x41`, "\xff", "é", "�", "\x00\n", `\`, "\xed\xa0\x80"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		in := ChunkInfo{FirstKey: key, LastKey: key + "\xff"}
		data, err := in.MarshalJSON()
		if err != nil {
			t.Fatalf("encode: %v", err)
		}
		var out ChunkInfo
		if err := out.UnmarshalJSON(data); err != nil {
			t.Fatalf("decode %s: %v", data, err)
		}
		if in != out {
			t.Errorf("got %+v, want %+v", out, in)
		}
	})
}

func FuzzUnseal(f *testing.F) {
	good, err := seal(Manifest{Version: 1, Mapping: "alpha", Chunks: []ChunkInfo{{FirstKey: "\xff"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"sha256":"","record":{}}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m Manifest
		if err := unseal("name", data, &m); err != nil {
			return // refused without a panic
		}
		again, err := seal(m)
		if err != nil {
			t.Fatalf("seal what was unsealed: %v", err)
		}
		var same Manifest
		if err := unseal("name", again, &same); err != nil {
			t.Fatalf("unseal again: %v", err)
		}
		if diff := cmp.Diff(m, same); diff != "" {
			t.Errorf("round trip (-want +got):\n%s", diff)
		}
	})
}

func TestKeyTextRefusesUnknownEscapes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`\`, `a\n`, `\x4`, `\xzz`, `\u0041`} {
		var key keyText
		if err := key.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("decode %q: got %q, want an error", text, key)
		}
	}
}

// TestGroupsComeToRest merges random chunk sizes and checks that the outcome
// would not be merged again, keeps the order, and exceeds no limit.
func TestGroupsComeToRest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const maxRows = 100
		var chunks []ChunkInfo
		for _, rows := range rapid.SliceOfN(rapid.Int64Range(1, maxRows), 0, 50).Draw(t, "rows") {
			chunks = append(chunks, ChunkInfo{Entries: rows, Name: fmt.Sprint(len(chunks))})
		}
		var merged, back []ChunkInfo
		for run := range groups(chunks, maxRows) {
			if sum := entriesIn(run); sum > maxRows {
				t.Fatalf("run of %d rows, want at most %d", sum, maxRows)
			}
			merged = append(merged, ChunkInfo{Entries: entriesIn(run)})
			back = append(back, run...)
		}
		if diff := cmp.Diff(chunks, back); diff != "" {
			t.Fatalf("runs (-want +got):\n%s", diff)
		}
		for run := range groups(merged, maxRows) {
			if len(run) > 1 {
				t.Fatalf("merged chunks %v would be merged again: %v", merged, run)
			}
		}
	})
}
