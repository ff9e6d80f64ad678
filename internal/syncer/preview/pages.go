package preview

import (
	"context"
	"iter"
	"sync/atomic"

	"syncd/internal/listing"
	"syncd/internal/syncer/planner"
)

// pageCounter is a Lister that counts the pages of its listings, which may run at the same time.
type pageCounter struct {
	planner.Lister
	begun   atomic.Bool
	objects atomic.Int64
}

// List lists and counts objects.
func (l *pageCounter) List(ctx context.Context, r listing.Range) iter.Seq2[listing.Object, error] {
	return l.count(l.Lister.List(ctx, r))
}

// count yields the objects and counts them.
func (l *pageCounter) count(objects iter.Seq2[listing.Object, error]) iter.Seq2[listing.Object, error] {
	return func(yield func(listing.Object, error) bool) {
		l.begun.Store(true)
		for object, err := range objects {
			if err == nil {
				l.objects.Add(1)
			}
			if !yield(object, err) {
				return
			}
		}
	}
}

// pages returns how many requests a listing in key order takes: one per listing.PageKeys
// objects, and at least one.
func (l *pageCounter) pages() int64 {
	if !l.begun.Load() {
		return 0
	}
	return max(1, (l.objects.Load()+listing.PageKeys-1)/listing.PageKeys)
}
