package doctor

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/access"
	"syncd/internal/awserr"
)

// sourceProber probes the permissions for reading the source.
type sourceProber struct{ *prober }

func (p *sourceProber) sourceSetting() s3Setting {
	s := p.Mapping.Source
	return s3Setting{url: s.EndpointURL, pathStyle: s.PathStyle}
}

// probeSource lists the source. For each kind of encryption it reads the first byte of one object,
// first as the reader and, for server-side copies by another role, also as the writer. It returns
// the objects that the reader could examine.
func (p *sourceProber) probeSource(ctx context.Context) (samples []sample, err error) {
	at := p.Scope(access.SourceBucket)
	c, err := p.open(p.Mapping.Source.Role, at, p.sourceSetting())
	if c == nil || err != nil {
		return samples, err
	}
	listed, away := p.probeList(ctx, c, p.ask(access.Reader, "s3:ListBucket", access.SourceBucket))
	if away != "" {
		p.excuse(away, access.SourceObjects, access.SourceKey)
		return samples, nil
	}
	if len(listed) == 0 {
		p.excuse("there is no source object to test with", access.SourceObjects, access.SourceKey)
		return samples, nil
	}
	samples = p.probeObjects(ctx, c, listed, access.Reader)
	p.probeTags(ctx, c, listed[0], access.Reader)
	p.probeAnnotations(ctx, c, listed[0], access.Reader)
	p.probeLocks(ctx, c, listed[0])
	if p.Mapping.Destination.Role == p.Mapping.Source.Role || p.Relay {
		return samples, nil
	}
	if c, err = p.open(p.Mapping.Destination.Role, at, p.sourceSetting()); c == nil || err != nil {
		return samples, err
	}
	p.probeObjects(ctx, c, listed, access.Writer)
	p.probeTags(ctx, c, listed[0], access.Writer)
	p.probeAnnotations(ctx, c, listed[0], access.Writer)
	return samples, nil
}

// probeObjects reads the first byte of one object of each kind of encryption. HEAD needs no
// permission on the key, so a failed HEAD means that S3 denied the request. A response to HEAD
// contains no reason, so probeObjects then sends a GET to obtain the reason.
func (p *sourceProber) probeObjects(ctx context.Context, c *bucketClient, listed []sample, by access.Actor) (samples []sample) {
	read, open := p.ask(by, "s3:GetObject", access.SourceObjects), p.ask(by, "kms:Decrypt", access.SourceKey)
	if open != nil {
		open.excused = "none of the tested objects is encrypted with a KMS key"
	}
	for _, s := range p.look(ctx, c, listed, read) {
		err := bounded(ctx, func(ctx context.Context) error { return c.firstByte(ctx, s) })
		if class := awserr.Classify(err); class == awserr.Archived || class == awserr.Gone {
			continue // archived or deleted since the listing: inconclusive
		}
		p.record("GetObject", err, read, p.narrow(open, s))
		samples = append(samples, s)
	}
	return samples
}

func (p *sourceProber) probeTags(ctx context.Context, c *bucketClient, s sample, by access.Actor) {
	k := p.ask(by, "s3:GetObjectTagging", access.SourceObjects)
	if k == nil {
		return
	}
	p.try(ctx, "GetObjectTagging", func(ctx context.Context) error {
		_, err := c.client.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{
			Bucket: &c.place.Bucket, Key: &s.object, ExpectedBucketOwner: c.place.ExpectedOwner(), RequestPayer: c.payer(),
		})
		return missing(err)
	}, k)
}

// probeAnnotations lists annotations, and requests one that does not exist.
func (p *sourceProber) probeAnnotations(ctx context.Context, c *bucketClient, s sample, by access.Actor) {
	if k := p.ask(by, "s3:ListObjectAnnotations", access.SourceObjects); k != nil {
		p.try(ctx, "ListObjectAnnotations", func(ctx context.Context) error {
			_, err := c.client.ListObjectAnnotations(ctx, &s3.ListObjectAnnotationsInput{
				Bucket: &c.place.Bucket, Key: &s.object, MaxAnnotationResults: aws.Int32(1), ExpectedBucketOwner: c.place.ExpectedOwner(), RequestPayer: c.payer(),
			})
			return missing(err)
		}, k)
	}
	if k := p.ask(by, "s3:GetObjectAnnotation", access.SourceObjects); k != nil {
		p.try(ctx, "GetObjectAnnotation", func(ctx context.Context) error {
			_, err := c.client.GetObjectAnnotation(ctx, &s3.GetObjectAnnotationInput{
				Bucket: &c.place.Bucket, Key: &s.object, AnnotationName: aws.String(probeAnnotation), ExpectedBucketOwner: c.place.ExpectedOwner(), RequestPayer: c.payer(),
			})
			return absent(err)
		}, k)
	}
}

// probeAnnotation is the name of an annotation that no object has.
const probeAnnotation = "syncd-doctor-probe"

// probeLocks requests the retention and the legal hold of an object. If the object has no lock, S3
// returns 404 to callers that have the permission.
func (p *sourceProber) probeLocks(ctx context.Context, c *bucketClient, s sample) {
	if k := p.ask(access.Reader, "s3:GetObjectRetention", access.SourceObjects); k != nil {
		p.try(ctx, "GetObjectRetention", func(ctx context.Context) error {
			_, err := c.client.GetObjectRetention(ctx, &s3.GetObjectRetentionInput{
				Bucket: &c.place.Bucket, Key: aws.String(s.object), ExpectedBucketOwner: c.place.ExpectedOwner(), RequestPayer: c.payer(),
			})
			return unlocked(err)
		}, k)
	}
	if k := p.ask(access.Reader, "s3:GetObjectLegalHold", access.SourceObjects); k != nil {
		p.try(ctx, "GetObjectLegalHold", func(ctx context.Context) error {
			_, err := c.client.GetObjectLegalHold(ctx, &s3.GetObjectLegalHoldInput{
				Bucket: &c.place.Bucket, Key: aws.String(s.object), ExpectedBucketOwner: c.place.ExpectedOwner(), RequestPayer: c.payer(),
			})
			return unlocked(err)
		}, k)
	}
}

// unlocked returns nil for the error that an object or bucket has no lock.
func unlocked(err error) error {
	if code := awserr.Code(err); code == "NoSuchObjectLockConfiguration" || code == "ObjectLockConfigurationNotFoundError" {
		return nil
	}
	return missing(err)
}
