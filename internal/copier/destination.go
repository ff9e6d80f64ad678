package copier

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
	"syncd/internal/peer"
	"syncd/internal/transfer"
)

// destination is where copies go, as it is asked what it holds and what its clock shows.
type destination struct {
	api      destinationAPI
	place    transfer.Place
	requests *request.Sender
	peer     *peer.Peer
}

// lookup finds one key by listing it.
func (d *destination) lookup(ctx context.Context, key string) (object listing.Object, ok bool, err error) {
	return lookup(ctx, d.requests, d.api, d.place, key)
}

// head asks what is at the destination under the input's key. An expired session has a HEAD refused
// without a word; a listing of the key tells, and has the session renewed.
func (d *destination) head(ctx context.Context, in *s3.HeadObjectInput) (head *s3.HeadObjectOutput, err error) {
	in.Bucket, in.ChecksumMode, in.ExpectedBucketOwner = &d.place.Bucket, types.ChecksumModeEnabled, d.place.ExpectedOwner()
	ask := func(ctx context.Context) (err error) {
		head, err = d.api.HeadObject(ctx, in)
		return err
	}
	if err = d.requests.Send(ctx, ask); awserr.Code(err) != "BadRequest" {
		return head, err
	}
	_, _, explained := d.lookup(ctx, *in.Key)
	switch class := awserr.Classify(explained); class { //nolint:exhaustive // the others tell nothing of the HEAD
	case "":
		err = d.requests.Send(ctx, ask)
	case awserr.Expired, awserr.Credentials, awserr.Canceled:
		err = explained
	}
	return head, err
}

// maxSkew is how far the clocks of a service and of who asks it may be apart: it refuses requests
// that are dated otherwise (Amazon S3 API Reference, "Error responses", RequestTimeTooSkewed: 15
// minutes).
const maxSkew = 15 * time.Minute

// there returns what the destination's clock showed at a time of this process, or what it showed at
// the least before the destination has answered anything.
func (d *destination) there(t time.Time) time.Time {
	if d.peer == nil {
		return t
	}
	there, ok := d.peer.At(t)
	if !ok {
		return t.Add(-maxSkew)
	}
	return there
}
