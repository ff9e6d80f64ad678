package transfer_test

import (
	"fmt"
	"testing"

	"syncd/internal/transfer"
)

const (
	mib = int64(1) << 20
	gib = int64(1) << 30
	tib = int64(1) << 40
	// largest is the largest object that S3 stores ("Amazon S3 multipart upload limits": 50 TB).
	largest = int64(50_000_000_000_000)
)

const (
	maxParts    = transfer.MaxParts
	minPartSize = transfer.MinPartSize
	maxPartSize = transfer.MaxPartSize
)

// partSize returns the part size of a server-side multipart copy.
func partSize(size, wanted int64) int64 {
	return transfer.Settings{MultipartAbove: minPartSize, PartSize: wanted}.PartSizeOf(size)
}

func TestPartSize(t *testing.T) {
	for _, tt := range []struct{ size, wanted, want int64 }{
		{5*gib + 1, 0, 256 * mib},
		{2500 * gib, 0, 256 * mib},
		{2500*gib + 1, 0, 257 * mib},
		{5 * tib, 0, 525 * mib},
		{largest, 0, 4769 * mib},
		{maxParts * maxPartSize, 0, maxPartSize},
		{6 * gib, 5 * mib, 5 * mib},
		{6 * gib, 1, 5 * mib},
		{6 * gib, 10 * gib, 5 * gib},
		{50 * gib, 5 * mib, 6 * mib},
		{6 * gib, 5*mib + 1, 5*mib + 1},
	} {
		if got := partSize(tt.size, tt.wanted); got != tt.want {
			t.Errorf("%d bytes, wanted %d: got %d, want %d", tt.size, tt.wanted, got, tt.want)
		}
	}
}

// TestPartsMakeTheObject checks that the parts of an object add up to its size, for sizes around
// the limits.
func TestPartsMakeTheObject(t *testing.T) {
	sizes := []int64{5*mib + 1, largest, largest - 1, maxParts * maxPartSize}
	for _, edge := range []int64{10 * mib, 256 * mib, 5 * gib, 10_000 * 5 * mib, 10_000 * 256 * mib, 5 * tib, 10_000 * gib} {
		sizes = append(sizes, edge-1, edge, edge+1)
	}
	for _, size := range sizes {
		for _, wanted := range []int64{0, 1, 5 * mib, 8*mib + 1, 100_000_000, 5 * gib, 6 * gib} {
			t.Run(fmt.Sprintf("%d by %d", size, wanted), func(t *testing.T) {
				parts := transfer.Parts{Object: size, Size: partSize(size, wanted)}
				n := parts.Count()
				if n < 1 || n > maxParts {
					t.Fatalf("got %d parts, want 1 to %d", n, maxParts)
				}
				next := int64(0)
				for i := range n {
					first, length := parts.Bounds(i)
					if first != next || length < 1 || length > maxPartSize || i < n-1 && length < minPartSize {
						t.Fatalf("part %d of %d: got %d bytes from %d on, want from %d on", i+1, n, length, first, next)
					}
					next += length
				}
				if next != size {
					t.Errorf("got %d bytes in %d parts, want %d", next, n, size)
				}
			})
		}
	}
}
