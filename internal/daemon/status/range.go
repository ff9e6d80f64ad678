package status

import "unicode/utf8"

// Range is a range of the source that a pass is walking.
type Range struct {
	// Seconds is how long the range has been walked.
	Seconds float64 `json:"seconds"`
	// After is the key at the source after which the range begins, with U+FFFD in place of invalid
	// UTF-8; "" if it begins at the first key. AfterBytes is set only if the key is not valid UTF-8.
	After      string `json:"after"`
	AfterBytes []byte `json:"after_bytes,omitempty"`
}

// RangeOf returns the Range that has been walked for the given time and begins after a key.
func RangeOf(seconds float64, after string) *Range {
	r := &Range{Seconds: seconds, After: after}
	if !utf8.ValidString(after) {
		r.AfterBytes = []byte(after)
	}
	return r
}
