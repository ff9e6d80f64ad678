package document

import (
	"encoding/json"
	"slices"
	"testing"
)

// TestWithin compares the decoding of escapes with encoding/json, and checks the position of every
// byte.
func TestWithin(t *testing.T) {
	for _, quoted := range []string{
		`"plain"`, `"a\"b\\c\/d"`, `"line\nand\ttab\r\b\f"`, `"é and \u00e9"`, `"\ud83d\ude00!"`, `"😀"`, `""`, `"\u0041\u0022"`,
	} {
		data := []byte(`{"Policy": ` + quoted + `}`)
		root, err := readTree(data)
		if err != nil {
			t.Fatal(err)
		}
		n := root.Find("Policy")
		got := (&source{File: &File{Data: data}, Data: data}).within(n)
		var want string
		if err := json.Unmarshal([]byte(quoted), &want); err != nil {
			t.Fatal(err)
		}
		if string(got.Data) != want || len(got.from) != len(want)+1 {
			t.Errorf("%s: got %q with %d origins, want %q with one for each byte and the end", quoted, got.Data, len(got.from), want)
		}
		if !slices.IsSorted(got.from) || got.from[len(got.from)-1] != n.End-1 {
			t.Errorf("%s: got origins %v, want them in order up to the closing quote", quoted, got.from)
		}
	}
}
