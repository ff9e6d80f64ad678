package doctor

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/access"
	"syncd/internal/awserr"
	"syncd/internal/transfer"
)

// destinationProber probes the permissions for writing copies.
type destinationProber struct {
	*prober
	samples []sample // samples of the source
}

// writes contains the asks that several write requests test. An ask that the mapping does not need
// is nil.
type writes struct{ put, acl, seal, open *ask }

// probeDestination probes all permissions for writing copies, without leaving an object behind.
func (p *destinationProber) probeDestination(ctx context.Context) error {
	m, at := p.Mapping.Destination, p.Scope(access.DestinationBucket)
	c, err := p.open(m.Role, at, s3Setting{url: m.EndpointURL, pathStyle: m.PathStyle})
	if c == nil || err != nil {
		return err
	}
	read := p.ask(access.Writer, "s3:GetObject", access.DestinationObjects)
	to := writes{
		p.ask(access.Writer, "s3:PutObject", access.DestinationObjects), p.ask(access.Writer, "s3:PutObjectAcl", access.DestinationObjects),
		p.ask(access.Writer, "kms:GenerateDataKey", access.DestinationKey), p.ask(access.Writer, "kms:Decrypt", access.DestinationKey),
	}
	e := form{key: m.KMSKey, bucketKey: m.BucketKey}
	if p.ACL != "" {
		e.acl = types.ObjectCannedACLBucketOwnerFullControl
	}
	listed, away := p.probeList(ctx, c, p.ask(access.Writer, "s3:ListBucket", access.DestinationBucket))
	if away != "" {
		p.excuse(away, access.DestinationBucket, access.DestinationObjects, access.DestinationKey)
		return nil
	}
	p.probeCopies(ctx, c, listed, read, to.open)
	p.probePut(ctx, c, e, to, read)
	begin := func(ctx context.Context) (string, error) { return c.begin(ctx, e, nil) }
	p.probeUpload(ctx, c, begin, func(id string) {
		p.try(ctx, "UploadPart", func(ctx context.Context) error { return c.part(ctx, id) }, to.put, to.open)
		if !p.Relay {
			p.probePartCopy(ctx, c, id, to)
		}
	}, to.put, to.acl, to.seal)
	p.probeUploads(ctx, c)
	p.probeExtras(ctx, c, e, to)
	return nil
}

// probePut tries to write with the configured key. If the write is denied, it tries again twice:
// once without a key and once with an ACL. If the write without a key succeeds, probePut reports
// that a Deny statement of the bucket policy denies the configured key. If the write with an ACL
// succeeds, it reports that the mapping must set copy.acl.
func (p *destinationProber) probePut(ctx context.Context, c *bucketClient, e form, to writes, read *ask) {
	a := p.try(ctx, "PutObject", func(ctx context.Context) error { return c.put(ctx, e) }, to.put, to.acl, read)
	if a.class != awserr.Denied || to.put == nil {
		return
	}
	try := func(other form) error {
		return bounded(ctx, func(ctx context.Context) error { return c.put(ctx, other) })
	}
	if !strings.HasPrefix(a.said.action, "kms:") && try(form{acl: e.acl}) == nil {
		why := "the same write is allowed without a key: a Deny checks the encryption and must exempt " + e.key
		a.known = append(a.known, p.explain.resourceCause(to.put, CauseKind(access.KindBucket), Certain, why))
	}
	if e.acl != "" {
		return
	}
	e.acl = types.ObjectCannedACLBucketOwnerFullControl
	switch err := try(e); {
	case err == nil:
		a.known = append(a.known, misconfigured("mappings."+p.Mapping.Name+".copy.acl",
			"the same write is allowed with an ACL that gives the bucket owner full control: set copy.acl: bucket-owner-full-control"))
	case readReason(err).action == "s3:PutObjectAcl" && a.said.action != "":
		a.known = append(a.known, misconfigured("mappings."+p.Mapping.Name+".copy.acl",
			"with an ACL that gives the bucket owner full control, the same write lacks only s3:PutObjectAcl: set copy.acl: bucket-owner-full-control, and allow that action"))
	}
}

// probeCopies reads existing copies, because their encryption context can differ from the
// encryption context of new copies.
func (p *destinationProber) probeCopies(ctx context.Context, c *bucketClient, listed []sample, read, open *ask) {
	for _, s := range p.look(ctx, c, listed, read) {
		if s.key == p.Mapping.Destination.KMSKey {
			p.try(ctx, "GetObject", func(ctx context.Context) error { return c.firstByte(ctx, s) }, read, p.narrow(open, s))
		}
	}
}

// probePartCopy copies the samples from the source into parts of an upload, reading the smallest
// possible range of each.
func (p *destinationProber) probePartCopy(ctx context.Context, c *bucketClient, id string, to writes) {
	source := p.Scope(access.SourceObjects).Place
	read, open := p.ask(access.Writer, "s3:GetObject", access.SourceObjects), p.ask(access.Writer, "kms:Decrypt", access.SourceKey)
	for i, s := range p.samples {
		if s.size == 0 {
			continue
		}
		in := &s3.UploadPartCopyInput{
			Bucket: &c.place.Bucket, Key: &c.probe, UploadId: &id, PartNumber: aws.Int32(int32(2 + i)), //nolint:gosec // samples are few
			ExpectedBucketOwner: c.place.ExpectedOwner(), CopySource: aws.String(transfer.CopySource(source.Bucket, s.object)), RequestPayer: types.RequestPayer(source.Payer()),
			ExpectedSourceBucketOwner: source.ExpectedOwner(),
		}
		if s.size > transfer.MinRangeSource {
			in.CopySourceRange = aws.String("bytes=0-0")
		}
		p.try(ctx, "UploadPartCopy", func(ctx context.Context) error {
			_, err := c.client.UploadPartCopy(ctx, in)
			return missing(err)
		}, read, p.narrow(open, s), to.put, to.open)
	}
}

// probeUploads probes the permissions to find and abort the uploads of an earlier session. The
// session that started an upload may always list and abort it, so these requests use an upload that
// does not exist.
func (p *destinationProber) probeUploads(ctx context.Context, c *bucketClient) {
	if k := p.ask(access.Writer, "s3:ListBucketMultipartUploads", access.DestinationBucket); k != nil {
		p.try(ctx, "ListMultipartUploads", func(ctx context.Context) error {
			_, err := c.client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{
				Bucket: &c.place.Bucket, Prefix: optionally(c.place.Prefix), MaxUploads: aws.Int32(1), ExpectedBucketOwner: c.place.ExpectedOwner(),
			})
			return err
		}, k)
	}
	if k := p.ask(access.Writer, "s3:ListMultipartUploadParts", access.DestinationObjects); k != nil {
		p.try(ctx, "ListParts", func(ctx context.Context) error {
			_, err := c.client.ListParts(ctx, &s3.ListPartsInput{
				Bucket: &c.place.Bucket, Key: &c.probe, UploadId: aws.String(absentUpload), ExpectedBucketOwner: c.place.ExpectedOwner(),
			})
			return absent(err)
		}, k)
	}
	if k := p.ask(access.Writer, "s3:AbortMultipartUpload", access.DestinationObjects); k != nil {
		p.try(ctx, "AbortMultipartUpload", func(ctx context.Context) error { return absent(c.abort(ctx, absentUpload)) }, k)
	}
}

// probeExtras probes the permissions that only some mappings need: for tags, annotations, Object
// Lock and deletes.
func (p *destinationProber) probeExtras(ctx context.Context, c *bucketClient, e form, to writes) {
	extra := func(change func(*s3.CreateMultipartUploadInput), k *ask) {
		if k != nil {
			begin := func(ctx context.Context) (string, error) { return c.begin(ctx, e, change) }
			p.probeUpload(ctx, c, begin, nil, to.put, to.acl, to.seal, k)
		}
	}
	extra(func(in *s3.CreateMultipartUploadInput) { in.Tagging = aws.String("syncd-doctor=probe") }, p.ask(access.Writer, "s3:PutObjectTagging", access.DestinationObjects))
	extra(func(in *s3.CreateMultipartUploadInput) {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate = types.ObjectLockModeGovernance, aws.Time(time.Now().Add(time.Hour))
	}, p.ask(access.Writer, "s3:PutObjectRetention", access.DestinationObjects))
	extra(func(in *s3.CreateMultipartUploadInput) {
		in.ObjectLockLegalHoldStatus = types.ObjectLockLegalHoldStatusOn
	}, p.ask(access.Writer, "s3:PutObjectLegalHold", access.DestinationObjects))
	if k := p.ask(access.Writer, "s3:PutObjectVersionTagging", access.DestinationObjects); k != nil {
		p.probeVersionTags(ctx, c, k)
	}
	if k := p.ask(access.Writer, "s3:PutObjectAnnotation", access.DestinationObjects); k != nil {
		// The request annotates an object that does not exist, so it changes nothing even if it is
		// allowed.
		p.try(ctx, "PutObjectAnnotation", func(ctx context.Context) error {
			_, err := c.client.PutObjectAnnotation(ctx, &s3.PutObjectAnnotationInput{
				Bucket: &c.place.Bucket, Key: &c.probe, AnnotationName: aws.String(probeAnnotation), AnnotationPayload: strings.NewReader("probe"),
				ExpectedBucketOwner: c.place.ExpectedOwner(),
			})
			return absent(err)
		}, k)
	}
	if k := p.ask(access.Writer, "s3:DeleteObject", access.DestinationObjects); k != nil {
		p.try(ctx, "DeleteObject", c.remove, k)
	}
	p.probeInspections(ctx, c)
}

// probeInspections probes the permissions to inspect copies, with an object that does not exist.
func (p *destinationProber) probeInspections(ctx context.Context, c *bucketClient) {
	bucket, key, owner := &c.place.Bucket, &c.probe, c.place.ExpectedOwner()
	for operation, send := range map[string]func(ctx context.Context) error{
		"GetObjectTagging": func(ctx context.Context) error {
			_, err := c.client.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: bucket, Key: key, ExpectedBucketOwner: owner})
			return err
		},
		"GetObjectRetention": func(ctx context.Context) error {
			_, err := c.client.GetObjectRetention(ctx, &s3.GetObjectRetentionInput{Bucket: bucket, Key: key, ExpectedBucketOwner: owner})
			return err
		},
		"GetObjectLegalHold": func(ctx context.Context) error {
			_, err := c.client.GetObjectLegalHold(ctx, &s3.GetObjectLegalHoldInput{Bucket: bucket, Key: key, ExpectedBucketOwner: owner})
			return err
		},
		"ListObjectAnnotations": func(ctx context.Context) error {
			_, err := c.client.ListObjectAnnotations(ctx, &s3.ListObjectAnnotationsInput{Bucket: bucket, Key: key, ExpectedBucketOwner: owner})
			return err
		},
		"GetObjectAnnotation": func(ctx context.Context) error {
			_, err := c.client.GetObjectAnnotation(ctx, &s3.GetObjectAnnotationInput{Bucket: bucket, Key: key, AnnotationName: aws.String(probeAnnotation), ExpectedBucketOwner: owner})
			return err
		},
	} {
		if k := p.ask(access.Writer, "s3:"+operation, access.DestinationObjects); k != nil {
			p.tryAbsent(ctx, operation, k, send)
		}
	}
}

// probeVersionTags tries to tag an object version that does not exist.
func (p *destinationProber) probeVersionTags(ctx context.Context, c *bucketClient, k *ask) {
	p.tryAbsent(ctx, "PutObjectTagging", k, func(ctx context.Context) error {
		_, err := c.client.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{
			Bucket: &c.place.Bucket, Key: &c.probe, VersionId: aws.String("null"), ExpectedBucketOwner: c.place.ExpectedOwner(), Tagging: &types.Tagging{TagSet: []types.Tag{}},
		})
		return err
	})
}

// tryAbsent probes a permission with a request for an object that does not exist. S3 returns "not found"
// only to callers that may list the bucket without a prefix. For all other callers, a denial without a
// reason is inconclusive.
func (p *destinationProber) tryAbsent(ctx context.Context, operation string, k *ask, send func(context.Context) error) {
	err := bounded(ctx, send)
	if awserr.Classify(err) == awserr.Denied && readReason(err).action == "" {
		k.excused = "a denial without a reason may mean that the object does not exist"
		return
	}
	p.record(operation, absent(err), k)
}
