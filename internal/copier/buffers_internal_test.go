package copier

import "testing"

// TestBuffersOfAClassAboveTheSize lends less than the power of two above the size, and then more of the same class.
func TestBuffersOfAClassAboveTheSize(t *testing.T) {
	b := NewBuffers(96 << 20)
	_, giveBack, err := b.borrow(t.Context(), 80<<20) // the last, shorter part of an object of 1.1 TB
	if err != nil {
		t.Fatal(err)
	}
	giveBack()
	_, giveBack, err = b.borrow(t.Context(), 100<<20) // a whole part of the next one
	if err != nil {
		t.Fatal(err)
	}
	giveBack()
}
