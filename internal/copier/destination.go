package copier

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/copier/annotation"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
	"syncd/internal/peer"
	"syncd/internal/transfer"
)

// destination reads the state of the destination: its objects and its clock.
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

// annotations reads the annotations of copies.
func (d *destination) annotations() annotation.Side {
	return annotation.Side{API: d.api, Place: d.place, Requests: d.requests}
}

// answers lists at most one key, and returns the error of the listing.
func (d *destination) answers(ctx context.Context) error {
	_, _, err := d.lookup(ctx, d.place.Prefix)
	return err
}

// head returns the head of the object under the input's key. If the session has expired, a HEAD
// request fails without an explanation. In that case head lists the key, which explains the failure
// and causes the session to be renewed.
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
	switch class := awserr.Classify(explained); class { //nolint:exhaustive // other classes do not explain the HEAD
	case "":
		err = d.requests.Send(ctx, ask)
	case awserr.Expired, awserr.Credentials, awserr.Canceled:
		err = explained
	}
	return head, err
}

// maxSkew is the largest possible clock difference between a service and its client: the service
// rejects requests with a larger difference (Amazon S3 API Reference, "Error responses",
// RequestTimeTooSkewed: 15 minutes).
const maxSkew = 15 * time.Minute

// there converts a time of this process to the destination's clock. Before the destination's first
// response it returns the earliest possible time.
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
