package access

import (
	"encoding/json"
	"slices"
	"testing"
)

// TestWithin undoes the escapes of a string as encoding/json does, and knows where every byte came from.
func TestWithin(t *testing.T) {
	for _, quoted := range []string{
		`"plain"`, `"a\"b\\c\/d"`, `"line\nand\ttab\r\b\f"`, `"é and \u00e9"`, `"\ud83d\ude00!"`, `"😀"`, `""`, `"\u0041\u0022"`,
	} {
		data := []byte(`{"Policy": ` + quoted + `}`)
		root, err := readTree(data)
		if err != nil {
			t.Fatal(err)
		}
		n := root.find("Policy")
		got := (&source{file: &File{Data: data}, data: data}).within(n)
		var want string
		if err := json.Unmarshal([]byte(quoted), &want); err != nil {
			t.Fatal(err)
		}
		if string(got.data) != want || len(got.from) != len(want)+1 {
			t.Errorf("%s: got %q with %d origins, want %q with one for each byte and the end", quoted, got.data, len(got.from), want)
		}
		if !slices.IsSorted(got.from) || got.from[len(got.from)-1] != n.end-1 {
			t.Errorf("%s: got origins %v, want them in order up to the closing quote", quoted, got.from)
		}
	}
}
