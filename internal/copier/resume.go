package copier

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/admit"
	"syncd/internal/awserr"
	"syncd/internal/transfer"
)

// begin takes over the upload that an earlier process left, when there is one and it can be, or creates one. One that is
// left was found to be of this very copy.
func (u *upload) begin(ctx context.Context, d *draft, r *remembered) error {
	if r.open {
		taken, err := u.takeOver(ctx, r)
		if taken && r.upload.TagsLate {
			d.tags.late = true
		}
		if taken || err != nil {
			return err
		}
	}
	return u.create(ctx, d, r)
}

// takeOver goes on with the upload of an earlier process. It is not taken when it is gone or its parts may not be listed.
func (u *upload) takeOver(ctx context.Context, r *remembered) (taken bool, err error) {
	u.id = r.upload.ID
	err = u.listParts(ctx)
	switch awserr.Classify(err) { //nolint:exhaustive // the classes after which the copy can still begin anew
	case "":
		if err = r.began(ctx, r.upload); err != nil {
			return false, u.c.failed("resume upload of", u.object.Key, err)
		}
		return true, nil
	case awserr.Gone:
		u.job.standing.begun = r.upload.BeganAt // it may have been completed
		r.ended()
	case awserr.Denied, awserr.Unsupported:
		if err := r.discard(ctx); err != nil {
			return false, err
		}
	default:
		return false, u.c.failed("list parts of", u.object.Key, err)
	}
	r.note(NoteStartedAnew)
	u.resumed = 0
	clear(u.parts)
	return false, nil
}

// listParts finds the parts that an earlier process made, as far as they are what this one would make. All others are made
// again, over them.
func (u *upload) listParts(ctx context.Context) error {
	in := &s3.ListPartsInput{
		Bucket: &u.c.o.DestinationPlace.Bucket, Key: &u.key, UploadId: &u.id, ExpectedBucketOwner: optional(u.c.o.DestinationPlace.Account),
	}
	for {
		var page *s3.ListPartsOutput
		err := u.c.withSlot(ctx, func(ctx context.Context) (err error) {
			page, err = u.c.o.Destination.ListParts(ctx, in)
			return err
		})
		if err != nil {
			return err
		}
		for _, part := range page.Parts {
			u.takePart(part)
		}
		if !aws.ToBool(page.IsTruncated) {
			return nil
		}
		if in.PartNumberMarker, err = nextParts(in.PartNumberMarker, page.NextPartNumberMarker); err != nil {
			return err
		}
	}
}

// nextParts is the part that a list goes on after. It is above the one before and there can be no more than transfer.MaxParts, so that the
// list ends.
func nextParts(marker, next *string) (*string, error) {
	before, _ := strconv.Atoi(aws.ToString(marker)) // none is 0
	if after, err := strconv.Atoi(aws.ToString(next)); err != nil || after <= before || after > transfer.MaxParts {
		return nil, fmt.Errorf("%w: the list of parts does not continue after part %d, but after %q", errListStands, before, aws.ToString(next))
	}
	return next, nil
}

func (u *upload) takePart(part types.Part) {
	index := int(aws.ToInt32(part.PartNumber)) - 1
	if index < 0 || index >= len(u.parts) {
		return
	}
	if _, length := u.bounds(index); aws.ToInt64(part.Size) != length {
		return
	}
	if _, ok := decode(part.ChecksumCRC64NVME); u.c.o.Relay && !ok {
		return // nothing would vouch for what was relayed
	}
	u.resumed++
	u.parts[index] = types.CompletedPart{
		PartNumber: part.PartNumber, ETag: part.ETag,
		ChecksumCRC32: part.ChecksumCRC32, ChecksumCRC32C: part.ChecksumCRC32C, ChecksumCRC64NVME: part.ChecksumCRC64NVME,
		ChecksumSHA1: part.ChecksumSHA1, ChecksumSHA256: part.ChecksumSHA256,
	}
}

// create begins an upload and has it remembered before its first part.
func (u *upload) create(ctx context.Context, d *draft, r *remembered) error {
	created, err := u.sendCreate(ctx, d)
	if err != nil {
		return u.c.failed("create upload for", u.object.Key, err)
	}
	u.id = aws.ToString(created.UploadId)
	began := u.job.plannedUpload()
	began.ID, began.BeganAt, began.TagsLate = u.id, u.c.o.Now(), d.tags.late
	// The destination's own clock is the one that it dates the object by.
	if at, ok := awsmiddleware.GetServerTime(created.ResultMetadata); ok {
		began.BeganAt = at
	}
	began.BeganAt = began.BeganAt.UTC().Truncate(time.Second)
	if err := r.began(ctx, began); err != nil {
		return u.c.failed("create upload for", u.object.Key, err)
	}
	return u.underKey(created.SSEKMSKeyId)
}

// sendCreate begins an upload. Each request whose answer was lost may have begun one of which nobody knows the id.
func (u *upload) sendCreate(ctx context.Context, d *draft) (created *s3.CreateMultipartUploadOutput, err error) {
	ctx, sent := admit.Count(ctx)
	defer func() {
		if n := sent.Times(); n > 1 || n > 0 && isUnclear(err) {
			u.c.lostUpload.Store(true)
		}
	}()
	for {
		err = u.job.write(ctx, func(ctx context.Context) (err error) {
			created, err = u.c.o.Destination.CreateMultipartUpload(ctx, d.create(u.c, u.key), d.options()...)
			return err
		})
		if err == nil || !d.deferTags(err) {
			return created, err
		}
	}
}
