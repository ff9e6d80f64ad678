package copier

import (
	"bytes"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/listing"
)

// relayParts reads a large object in ranges and writes them as parts, side by side, each through a buffer of its own. The
// checksums of the parts combine to the one of the whole, which the destination checks and the source is held to.
func (c *Copier) relayParts(ctx context.Context, object listing.Object, key string) (Result, error) {
	head, err := c.head(ctx, object.Key, &object.ETag)
	if err != nil {
		return Result{}, err
	}
	create, err := c.createInput(ctx, object, key, head)
	if err != nil {
		return Result{}, err
	}
	create.ChecksumAlgorithm, create.ChecksumType = types.ChecksumAlgorithmCrc64nvme, types.ChecksumTypeFullObject
	sums := make([]uint64, partCount(object.Size, c.relayPartSize(object.Size)))
	return c.upload(ctx, create, upload{
		object: object, key: key, partSize: c.relayPartSize(object.Size),
		part: func(ctx context.Context, u *upload, index int) (part types.CompletedPart, err error) {
			part, sums[index], err = u.relayRange(ctx, index)
			return part, err
		},
		whole: func(u *upload) (*string, error) {
			sum := encode(u.combined(sums))
			if want := aws.ToString(head.ChecksumCRC64NVME); head.ChecksumType == types.ChecksumTypeFullObject && want != "" && want != sum {
				return nil, fmt.Errorf("%w: the source says %s, its content makes %s", ErrChecksum, want, sum)
			}
			return &sum, nil
		},
	})
}

func (c *Copier) relayPartSize(size int64) int64 {
	wanted := c.o.PartSize
	if wanted == 0 {
		wanted = defaultRelayPart
	}
	return partSize(size, min(wanted, c.o.Buffers.size))
}

// relayRange moves one range of the object through a buffer.
func (u *upload) relayRange(ctx context.Context, index int) (types.CompletedPart, uint64, error) {
	first, length := u.bounds(index)
	number := int32(index + 1) //nolint:gosec // at most maxParts
	buffer, giveBack, err := u.c.o.Buffers.borrow(ctx, length)
	if err != nil {
		return types.CompletedPart{}, 0, u.partFailed("relay", number, err)
	}
	defer giveBack()
	var sum uint64
	var out *s3.UploadPartOutput
	err = u.c.withSlot(ctx, func(ctx context.Context) error {
		if _, err := u.c.read(ctx, u.object, first, buffer); err != nil {
			return err
		}
		sum = u.c.crc.sum(buffer)
		out, err = u.send(ctx, number, buffer, encode(sum))
		return err
	})
	if err != nil {
		return types.CompletedPart{}, 0, u.partFailed("relay", number, err)
	}
	return types.CompletedPart{PartNumber: &number, ETag: out.ETag, ChecksumCRC64NVME: aws.String(encode(sum))}, sum, nil
}

func (u *upload) send(ctx context.Context, number int32, content []byte, sum string) (*s3.UploadPartOutput, error) {
	o := u.c.o
	return o.Destination.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &o.DestinationBucket, Key: &u.key, UploadId: &u.id, PartNumber: &number, ExpectedBucketOwner: optional(o.DestinationAccount),
		Body: bytes.NewReader(content), ContentLength: aws.Int64(int64(len(content))), ChecksumCRC64NVME: &sum,
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	})
}

// combined returns the checksum of all parts behind each other.
func (u *upload) combined(sums []uint64) uint64 {
	whole := uint64(0)
	for i, sum := range sums {
		_, length := u.bounds(i)
		whole = combine(whole, sum, length)
	}
	return whole
}
