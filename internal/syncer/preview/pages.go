package preview

import (
	"context"
	"iter"

	"syncd/internal/listing"
	"syncd/internal/syncer/planner"
)

// pageCounter is a Lister that counts the pages of its listing.
type pageCounter struct {
	planner.Lister
	begun   bool
	objects int64
}

// List lists and counts objects.
func (l *pageCounter) List(ctx context.Context, r listing.Range) iter.Seq2[listing.Object, error] {
	return func(yield func(listing.Object, error) bool) {
		l.begun = true
		for object, err := range l.Lister.List(ctx, r) {
			if err == nil {
				l.objects++
			}
			if !yield(object, err) {
				return
			}
		}
	}
}

// pages returns how many requests the listing took: one per thousand objects (Amazon S3 API
// Reference, ListObjectsV2, MaxKeys), and at least one.
func (l *pageCounter) pages() int64 {
	const keys = 1000
	if !l.begun {
		return 0
	}
	return max(1, (l.objects+keys-1)/keys)
}
