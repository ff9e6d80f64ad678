package content

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestChecksumCheckValue checks the check value of CRC-64/NVME, the checksum of the nine bytes
// "123456789" (NVM Express Base Specification 2.0, figure of test cases; also the RevEng
// catalogue).
func TestChecksumCheckValue(t *testing.T) {
	if got, want := NewChecksummer().Sum([]byte("123456789")), uint64(0xae8b14860a799888); got != want {
		t.Errorf("got %#x, want %#x", got, want)
	}
}

func TestShiftMakesTheChecksumOfBoth(t *testing.T) {
	c := NewChecksummer()
	rapid.Check(t, func(t *rapid.T) {
		first, second := rapid.SliceOf(rapid.Byte()).Draw(t, "first"), rapid.SliceOf(rapid.Byte()).Draw(t, "second")
		past := shiftPast(int64(len(second)))
		got := past.of(c.Sum(first)) ^ c.Sum(second)
		if want := c.Sum(slices.Concat(first, second)); got != want {
			t.Fatalf("got %#x, want %#x", got, want)
		}
	})
}
