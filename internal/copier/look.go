package copier

import (
	"context"

	"syncd/internal/listing"
)

// Look returns the source object as it is now. An error is an *ObjectError, of class gone when there is none.
func (c *Copier) Look(ctx context.Context, key string) (listing.Object, error) {
	return c.newest(ctx, key)
}
