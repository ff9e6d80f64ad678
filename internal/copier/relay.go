package copier

import (
	"bytes"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/copier/content"
	"syncd/internal/copier/precondition"
	"syncd/internal/listing"
)

// relayWhole reads a small object with the source's credentials and writes it with the
// destination's credentials.
func (j *job) relayWhole(ctx context.Context) (Result, error) {
	object := j.object
	if err := j.requests.WaitBytes(ctx, object.Size); err != nil {
		return Result{}, j.failed("relay", object.Key, err)
	}
	buffer, giveBack, err := j.memory.Borrow(ctx, object.Size)
	if err != nil {
		return Result{}, j.failed("relay", object.Key, err)
	}
	defer giveBack()
	found, err := j.source.readTags(ctx, object.Key)
	if err != nil {
		return Result{}, err
	}
	l, err := j.headLock(ctx)
	if err != nil {
		return Result{}, err
	}
	var d *draft
	var result Result
	err = j.requests.Send(ctx, func(ctx context.Context) error {
		head, err := j.readAll(ctx, object, buffer)
		if err != nil {
			return err
		}
		if d, err = draftOf(&j.o, j.key, object, headOf(head), found); err != nil {
			return err
		}
		d.setLock(l)
		result, err = j.put(ctx, d, buffer)
		return err
	})
	if err != nil {
		return Result{}, j.failed("relay", object.Key, err)
	}
	result.Object = object
	return j.finished(ctx, d, result)
}

// headLock reads the lock for the copy from the object's head, because not every service returns
// the lock with the content.
func (j *job) headLock(ctx context.Context) (lock, error) {
	if !j.o.ReadsHead(false) {
		return lock{}, nil
	}
	head, err := j.source.head(ctx, j.object.Key, &j.object.ETag)
	if err != nil {
		return lock{}, err
	}
	return lockOf(&j.o, head, j.o.Now()), nil
}

// readAll reads the whole object into buffer and compares it with the source's checksum.
func (s *shared) readAll(ctx context.Context, object listing.Object, buffer []byte) (*s3.GetObjectOutput, error) {
	out, err := s.content.Read(ctx, object, 0, buffer)
	if err != nil {
		return nil, err
	}
	if want := content.WholeSum(out.ChecksumType, out.ChecksumCRC64NVME); want != "" && want != content.Encode(s.crc.Sum(buffer)) {
		return nil, fmt.Errorf("%w: source reports %s, content has %s", content.ErrChecksum, want, content.Encode(s.crc.Sum(buffer)))
	}
	return out, nil
}

// put writes a whole object. If the write is refused because of its tags, put repeats the write
// without tags.
func (j *job) put(ctx context.Context, d *draft, body []byte) (Result, error) {
	sum := content.Encode(j.crc.Sum(body))
	var out *s3.PutObjectOutput
	for {
		err := j.conditional(ctx, "PutObject", func(ctx context.Context, under precondition.Condition) (err error) {
			in := d.put()
			in.Body, in.ContentLength, in.ChecksumCRC64NVME = bytes.NewReader(body), aws.Int64(int64(len(body))), &sum
			in.IfMatch, in.IfNoneMatch = under.IfMatch(), under.IfNoneMatch()
			out, err = j.o.Destination.PutObject(ctx, in, d.options()...)
			return err
		})
		if err == nil {
			break
		}
		if !d.DeferTags(err) {
			return Result{}, err
		}
	}
	if err := content.SameChecksum(sum, out.ChecksumCRC64NVME); err != nil {
		j.standing.answeredOddly(j.writtenSince())
		return Result{}, err
	}
	return Result{
		DestinationKey: j.key, DestinationETag: aws.ToString(out.ETag), DestinationVersionID: aws.ToString(out.VersionId),
		KeyARN: aws.ToString(out.SSEKMSKeyId), BucketKey: aws.ToBool(out.BucketKeyEnabled),
		Checksum: "crc64nvme:" + sum, CopiedAt: j.o.Now(),
	}, nil
}
