package transfer_test

import (
	"testing"

	"syncd/internal/transfer"
)

func TestDecodeKey(t *testing.T) {
	for _, tt := range []struct {
		listed  string
		encoded bool
		want    string
		ok      bool
	}{
		{"a+b", true, "a b", true},
		{"a%2Bb", true, "a+b", true},
		{"100%", true, "", false},
		{"a+b", false, "a+b", true},
		{"100%", false, "100%", true},
		{"%2B", false, "%2B", true},
	} {
		got, err := transfer.DecodeKey(tt.listed, tt.encoded)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%q, encoded %v: got %q, %v, want %q", tt.listed, tt.encoded, got, err, tt.want)
		}
	}
}
