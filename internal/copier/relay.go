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

type writeAPI interface {
	PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	UploadPart(ctx context.Context, in *s3.UploadPartInput, opts ...func(*s3.Options)) (*s3.UploadPartOutput, error)
}

// relayWhole reads a small object with the source's credentials and writes it with the destination's.
func (j *job) relayWhole(ctx context.Context) (Result, error) {
	c, object := j.c, j.object
	if err := c.waitBytes(ctx, object.Size); err != nil {
		return Result{}, c.failed("relay", object.Key, err)
	}
	buffer, giveBack, err := c.memory.borrow(ctx, object.Size)
	if err != nil {
		return Result{}, c.failed("relay", object.Key, err)
	}
	defer giveBack()
	found, err := c.readTags(ctx, object.Key)
	if err != nil {
		return Result{}, err
	}
	l, err := j.headLock(ctx)
	if err != nil {
		return Result{}, err
	}
	var d *draft
	var result Result
	err = c.withSlot(ctx, func(ctx context.Context) error {
		head, err := c.readAll(ctx, object, buffer)
		if err != nil {
			return err
		}
		if d, err = c.draftOf(object, headOf(head), found); err != nil {
			return err
		}
		d.setLock(l)
		result, err = j.put(ctx, d, buffer)
		return err
	})
	if err != nil {
		return Result{}, c.failed("relay", object.Key, err)
	}
	result.Object = object
	return j.finished(ctx, d, result)
}

// headLock reads the lock that the copy is to have from the object's head: not every service shows it with the content.
func (j *job) headLock(ctx context.Context) (lock, error) {
	if !j.c.o.ObjectLock {
		return lock{}, nil
	}
	head, err := j.c.head(ctx, j.object.Key, &j.object.ETag)
	if err != nil {
		return lock{}, err
	}
	return j.c.lockOf(head), nil
}

// readAll reads the whole object into buffer and checks it against the source's own checksum.
func (c *Copier) readAll(ctx context.Context, object listing.Object, buffer []byte) (*s3.GetObjectOutput, error) {
	out, err := c.read(ctx, object, 0, buffer)
	if err != nil {
		return nil, err
	}
	if want := wholeSum(headOf(out)); want != "" && want != encode(c.crc.sum(buffer)) {
		return nil, fmt.Errorf("%w: the source says %s, its content makes %s", ErrChecksum, want, encode(c.crc.sum(buffer)))
	}
	return out, nil
}

// put writes a whole object, a second time without its tags where the first was refused for them.
func (j *job) put(ctx context.Context, d *draft, content []byte) (Result, error) {
	c := j.c
	sum := encode(c.crc.sum(content))
	var out *s3.PutObjectOutput
	for {
		err := j.conditional(ctx, "PutObject", func(ctx context.Context, under condition) (err error) {
			in := d.put(c, j.key)
			in.Body, in.ContentLength, in.ChecksumCRC64NVME = bytes.NewReader(content), aws.Int64(int64(len(content))), &sum
			in.IfMatch, in.IfNoneMatch = under.ifMatch(), under.ifNoneMatch()
			out, err = c.o.Destination.PutObject(ctx, in, d.options()...)
			return err
		})
		if err == nil {
			break
		}
		if !d.deferTags(err) {
			return Result{}, err
		}
	}
	if err := sameChecksum(sum, out.ChecksumCRC64NVME); err != nil {
		j.standing.answeredOddly(j.writtenSince())
		return Result{}, err
	}
	return Result{
		DestinationKey: j.key, DestinationETag: aws.ToString(out.ETag), DestinationVersionID: aws.ToString(out.VersionId),
		KeyARN: aws.ToString(out.SSEKMSKeyId), BucketKey: aws.ToBool(out.BucketKeyEnabled),
		Checksum: "crc64nvme:" + sum, CopiedAt: c.o.Now(),
	}, nil
}

// relayRange moves one range of the object through a buffer. The checksums of the parts combine to the one of the whole,
// which the destination checks and the source is held to.
func (u *upload) relayRange(ctx context.Context, number int32) (types.CompletedPart, error) {
	first, length := u.bounds(int(number) - 1)
	buffer, giveBack, err := u.c.memory.borrow(ctx, length)
	if err != nil {
		return types.CompletedPart{}, err
	}
	defer giveBack()
	var part types.CompletedPart
	err = u.c.withSlot(ctx, func(ctx context.Context) error {
		if _, err := u.c.read(ctx, u.object, first, buffer); err != nil {
			return err
		}
		part, err = u.sendPart(ctx, number, buffer)
		return err
	})
	return part, err
}

// sendPart writes one part, by a caller who holds a slot.
func (u *upload) sendPart(ctx context.Context, number int32, content []byte) (types.CompletedPart, error) {
	o, sum := &u.c.o, encode(u.c.crc.sum(content))
	var out *s3.UploadPartOutput
	err := u.job.bounded(ctx, func(ctx context.Context) (err error) {
		out, err = o.Destination.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &o.DestinationPlace.Bucket, Key: &u.key, UploadId: &u.id, PartNumber: &number, ExpectedBucketOwner: optional(o.DestinationPlace.Account),
			Body: bytes.NewReader(content), ContentLength: aws.Int64(int64(len(content))), ChecksumCRC64NVME: &sum,
			ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
		})
		return err
	})
	if err == nil {
		err = u.underKey(out.SSEKMSKeyId)
	}
	if err != nil {
		return types.CompletedPart{}, err
	}
	return types.CompletedPart{PartNumber: &number, ETag: out.ETag, ChecksumCRC64NVME: &sum}, nil
}
