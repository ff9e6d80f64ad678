package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"syncd/internal/copier/content"
	"syncd/internal/copier/request"
	"syncd/internal/transfer"
)

// partsAtOnce is the maximum number of parts of one object that are sent or wait for a slot, to
// avoid 10,000 goroutines.
const partsAtOnce = 64

// makeParts makes the missing parts in parallel, or from one stream if the source does not support
// ranges.
func (u *upload) makeParts(ctx context.Context) error {
	group, grouped := errgroup.WithContext(ctx)
	group.SetLimit(partsAtOnce)
	for i := range u.parts {
		if u.parts[i].PartNumber != nil {
			continue
		}
		group.Go(func() error {
			return request.Guard(u.o.Source.Bucket, u.Object.Key, func() error { return u.makePart(grouped, i) })
		})
	}
	err := group.Wait()
	if errors.Is(err, content.ErrNoRanges) {
		return u.stream(ctx)
	}
	return err
}

func (u *upload) makePart(ctx context.Context, index int) (err error) {
	op, number := "copy", int32(index+1) //nolint:gosec // at most transfer.MaxParts
	if u.o.Relay {
		op = "relay"
	}
	_, length := u.bounds(index)
	if err = u.o.Requests.WaitBytes(ctx, length); err == nil && u.o.Relay {
		u.parts[index], err = u.relayRange(ctx, number)
	} else if err == nil {
		u.parts[index], err = u.copyRange(ctx, number)
	}
	if err != nil {
		return u.failed(fmt.Sprintf("%s part %d of", op, number), err)
	}
	return nil
}

// copyRange copies one part server-side, on the condition that the source still has the requested
// version.
func (u *upload) copyRange(ctx context.Context, number int32) (types.CompletedPart, error) {
	first, length := u.bounds(int(number) - 1)
	var out *s3.UploadPartCopyOutput
	err := u.Writer.Write(ctx, func(ctx context.Context) (err error) {
		out, err = u.o.API.UploadPartCopy(ctx, &s3.UploadPartCopyInput{
			Bucket: &u.o.Destination.Bucket, Key: &u.Key, UploadId: &u.id, PartNumber: &number,
			CopySource: aws.String(transfer.CopySource(u.o.Source.Bucket, u.Object.Key)), CopySourceIfMatch: &u.Object.ETag,
			CopySourceRange:     aws.String(fmt.Sprintf("bytes=%d-%d", first, first+length-1)),
			ExpectedBucketOwner: u.o.Destination.ExpectedOwner(), ExpectedSourceBucketOwner: u.o.Source.ExpectedOwner(),
			RequestPayer: request.Payer(u.o.Source),
		})
		return err
	})
	if err == nil {
		err = u.Target.UnderKey(out.SSEKMSKeyId)
	}
	if err != nil {
		return types.CompletedPart{}, err
	}
	r := out.CopyPartResult
	// If the parts have checksums, the request that completes the upload must include them.
	return types.CompletedPart{
		PartNumber: &number, ETag: r.ETag,
		ChecksumCRC32: r.ChecksumCRC32, ChecksumCRC32C: r.ChecksumCRC32C, ChecksumCRC64NVME: r.ChecksumCRC64NVME,
		ChecksumSHA1: r.ChecksumSHA1, ChecksumSHA256: r.ChecksumSHA256,
	}, nil
}

// relayRange copies one range of the object through a buffer. The checksums of the parts are later
// combined into the checksum of the whole object, which is compared with the checksums that the
// destination and the source report.
func (u *upload) relayRange(ctx context.Context, number int32) (types.CompletedPart, error) {
	first, length := u.bounds(int(number) - 1)
	buffer, giveBack, err := u.o.Memory.Borrow(ctx, length)
	if err != nil {
		return types.CompletedPart{}, err
	}
	defer giveBack()
	var part types.CompletedPart
	err = u.o.Requests.Send(ctx, func(ctx context.Context) error {
		if _, err := u.o.Content.Read(ctx, u.Object, first, buffer); err != nil {
			return err
		}
		part, err = u.sendPart(ctx, number, buffer)
		return err
	})
	return part, err
}

// sendPart writes one part. The caller holds a slot.
func (u *upload) sendPart(ctx context.Context, number int32, body []byte) (types.CompletedPart, error) {
	sum := content.Encode(u.crc.Sum(body))
	var out *s3.UploadPartOutput
	err := u.Writer.Bounded(ctx, func(ctx context.Context) (err error) {
		out, err = u.o.API.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &u.o.Destination.Bucket, Key: &u.Key, UploadId: &u.id, PartNumber: &number, ExpectedBucketOwner: u.o.Destination.ExpectedOwner(),
			Body: bytes.NewReader(body), ContentLength: aws.Int64(int64(len(body))), ChecksumCRC64NVME: &sum,
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		})
		return err
	})
	if err == nil {
		err = u.Target.UnderKey(out.SSEKMSKeyId)
	}
	if err != nil {
		return types.CompletedPart{}, err
	}
	return types.CompletedPart{PartNumber: &number, ETag: out.ETag, ChecksumCRC64NVME: &sum}, nil
}

// stream makes the missing parts from streams of the whole object.
func (u *upload) stream(ctx context.Context) error {
	err := content.Stream{
		Source: u.o.Content, Object: u.Object, PartSize: u.PartSize, Memory: u.o.Memory, Requests: u.o.Requests,
		Opened: func(sum string) {
			if u.Sum == "" {
				u.Sum = sum
			}
		},
		Part: u.streamPart,
	}.Run(ctx)
	if err != nil {
		return u.failed("relay", err)
	}
	return nil
}

// streamPart sends a part of a stream, unless the same part was made by an earlier read of the
// object or an earlier process.
func (u *upload) streamPart(ctx context.Context, number int32, body []byte) error {
	made := &u.parts[number-1]
	if made.PartNumber != nil && aws.ToString(made.ChecksumCRC64NVME) == content.Encode(u.crc.Sum(body)) {
		return nil
	}
	return u.o.Requests.Send(ctx, func(ctx context.Context) (err error) {
		*made, err = u.sendPart(ctx, number, body)
		return err
	})
}
