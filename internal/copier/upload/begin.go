package upload

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
	"syncd/internal/copier/content"
	"syncd/internal/copier/request"
	"syncd/internal/transfer"
)

// begin takes over the upload that an earlier process left, if there is such an upload and it can
// be resumed. Otherwise it creates an upload. DiscardUnless has already checked that the earlier
// upload belongs to this copy.
func (u *upload) begin(ctx context.Context, t *Tracker) error {
	if t.open {
		taken, err := u.takeOver(ctx, t)
		if taken && t.upload.TagsLate {
			u.Draft.SetTagsLate()
		}
		if taken || err != nil {
			return err
		}
	}
	return u.create(ctx, t)
}

// takeOver resumes the upload of an earlier process. The result taken is false if the upload is
// gone or its parts cannot be listed.
func (u *upload) takeOver(ctx context.Context, t *Tracker) (taken bool, err error) {
	u.id = t.upload.ID
	err = u.listParts(ctx)
	switch awserr.Classify(err) { //nolint:exhaustive // the classes after which the copy can start over
	case "":
		if err = t.began(ctx, t.upload); err != nil {
			return false, u.failed("resume upload of", err)
		}
		return true, nil
	case awserr.Gone:
		u.Target.Vanished(t.upload.BeganAt) // the upload may have been completed
		t.ended()
	case awserr.Denied, awserr.Unsupported:
		if err := t.discard(ctx); err != nil {
			return false, err
		}
	default:
		return false, u.failed("list parts of", err)
	}
	t.note(NoteStartedAnew)
	u.resumed = 0
	clear(u.parts)
	return false, nil
}

// listParts finds the parts made by an earlier process. It keeps the parts that are equal to the
// parts that this process would make. All other parts are made again, which overwrites them.
func (u *upload) listParts(ctx context.Context) error {
	in := &s3.ListPartsInput{
		Bucket: &u.o.Destination.Bucket, Key: &u.Key, UploadId: &u.id, ExpectedBucketOwner: u.o.Destination.ExpectedOwner(),
	}
	for {
		var page *s3.ListPartsOutput
		err := u.o.Requests.Send(ctx, func(ctx context.Context) (err error) {
			page, err = u.o.API.ListParts(ctx, in)
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

// nextParts returns the part number after which the listing continues. It returns an error unless
// the number increases and is at most transfer.MaxParts, so that the listing ends.
func nextParts(marker, next *string) (*string, error) {
	before, _ := strconv.Atoi(aws.ToString(marker)) // a missing marker counts as 0
	if after, err := strconv.Atoi(aws.ToString(next)); err != nil || after <= before || after > transfer.MaxParts {
		return nil, fmt.Errorf("%w: parts after %d continue after %q", errListStalled, before, aws.ToString(next))
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
	if _, ok := content.Decode(part.ChecksumCRC64NVME); u.o.Relay && !ok {
		return // without a checksum a relayed part cannot be verified
	}
	u.resumed++
	u.parts[index] = types.CompletedPart{
		PartNumber: part.PartNumber, ETag: part.ETag,
		ChecksumCRC32: part.ChecksumCRC32, ChecksumCRC32C: part.ChecksumCRC32C, ChecksumCRC64NVME: part.ChecksumCRC64NVME,
		ChecksumSHA1: part.ChecksumSHA1, ChecksumSHA256: part.ChecksumSHA256,
	}
}

// create creates an upload and records it before its first part.
func (u *upload) create(ctx context.Context, t *Tracker) error {
	created, err := u.sendCreate(ctx)
	if err != nil {
		return u.failed("create upload for", err)
	}
	u.id = aws.ToString(created.UploadId)
	began := u.Planned
	began.ID, began.BeganAt, began.TagsLate = u.id, u.o.Now(), u.Draft.TagsLate()
	// BeganAt uses the destination's clock, because the destination also dates the object by that
	// clock.
	if at, ok := awsmiddleware.GetServerTime(created.ResultMetadata); ok {
		began.BeganAt = at
	}
	began.BeganAt = began.BeganAt.UTC().Truncate(time.Second)
	if err := t.began(ctx, began); err != nil {
		return u.failed("create upload for", err)
	}
	return u.Target.UnderKey(created.SSEKMSKeyId)
}

// sendCreate creates an upload. If the response is lost, it records that an upload with an unknown
// ID may exist.
func (u *upload) sendCreate(ctx context.Context) (created *s3.CreateMultipartUploadOutput, err error) {
	ctx, sent := admit.Count(ctx)
	defer func() {
		if n := sent.Times(); n > 1 || n > 0 && request.IsUnclear(err) {
			u.lost.Store(true)
		}
	}()
	for {
		err = u.Writer.Write(ctx, func(ctx context.Context) (err error) {
			in, options := u.Draft.Create()
			created, err = u.o.API.CreateMultipartUpload(ctx, in, options...)
			return err
		})
		if err == nil || !u.Draft.DeferTags(err) {
			return created, err
		}
	}
}
