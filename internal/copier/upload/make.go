package upload

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/transfer"
)

// Make copies an object in parts.
func (u *Uploads) Make(ctx context.Context, t *Tracker, c Copy) (Made, error) {
	up := &upload{Uploads: u, Copy: c}
	up.parts = make([]types.CompletedPart, transfer.Parts{Object: c.Object.Size, Size: c.PartSize}.Count())
	if err := up.begin(ctx, t); err != nil {
		return Made{}, err
	}
	err := up.makeParts(ctx)
	t.made = up.count() > up.resumed
	if err != nil {
		return Made{}, err
	}
	made, err := up.complete(ctx, t)
	if err != nil {
		return Made{}, err
	}
	t.ended()
	return made, nil
}
