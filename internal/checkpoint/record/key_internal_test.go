package record

import (
	"testing"

	"syncd/internal/checkpoint/store"

	"github.com/google/go-cmp/cmp"
)

func FuzzKeyText(f *testing.F) {
	for _, key := range []string{"", "a/b", `a\b`, `\x41`, "\xff", "é", "�", "\x00\n", `\`, "\xed\xa0\x80"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		in := Chunk{FirstKey: key, LastKey: key + "\xff"}
		data, err := in.MarshalJSON()
		if err != nil {
			t.Fatalf("encode: %v", err)
		}
		var out Chunk
		if err := out.UnmarshalJSON(data); err != nil {
			t.Fatalf("decode %s: %v", data, err)
		}
		if in != out {
			t.Errorf("got %+v, want %+v", out, in)
		}
	})
}

func FuzzUnseal(f *testing.F) {
	good, err := store.Seal(Manifest{Version: store.FormatVersion, Mapping: "alpha", Runs: []Run{{Chunks: []Chunk{{FirstKey: "\xff"}}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"sha256":"","record":{}}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m Manifest
		if err := store.Unseal("name", data, &m); err != nil {
			return // rejected without a panic
		}
		again, err := store.Seal(m)
		if err != nil {
			t.Fatalf("seal unsealed record: %v", err)
		}
		var same Manifest
		if err := store.Unseal("name", again, &same); err != nil {
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
