package copier

import (
	"context"
	"maps"
	"mime"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"syncd/internal/listing"
)

// draft is what a copy gets beside its content where the service does not carry it over.
type draft struct {
	cacheControl, contentDisposition, contentEncoding, contentLanguage, contentType, expires *string

	metadata map[string]string
	class    types.StorageClass
	lock     lock
	tags     tags
	notes    []string
}

// lock is the Object Lock of a version.
type lock struct {
	mode      types.ObjectLockMode
	until     *time.Time
	hold      types.ObjectLockLegalHoldStatus
	eventHold types.ObjectLockEventHold
	days      *int32 // of the retention that begins when the event hold ends; or years
	years     *int32
	cut       bool // it lasts as long as it may, and less long than the source's
}

// setLock gives the copy a lock.
func (d *draft) setLock(l lock) {
	d.lock = l
	if l.cut {
		d.notes = append(d.notes, NoteRetentionCut)
	}
}

// draft makes the draft of a copy from the source's head, and reads the source's tags.
func (c *Copier) draft(ctx context.Context, object listing.Object, head *s3.HeadObjectOutput) (*draft, error) {
	found, err := c.readTags(ctx, object.Key)
	if err != nil {
		return nil, err
	}
	d, err := c.draftOf(object, head, found)
	if err != nil {
		return nil, c.failed("copy", object.Key, err)
	}
	return d, nil
}

func (c *Copier) draftOf(object listing.Object, head *s3.HeadObjectOutput, found tags) (*draft, error) {
	d := &draft{class: types.StorageClass(c.o.ClassOf(object.StorageClass)), tags: found, notes: notesOf(head)}
	d.setLock(c.lockOf(head))
	if c.o.OmitMetadata {
		return d, nil
	}
	if aws.ToInt32(head.MissingMeta) > 0 {
		return nil, errHidden
	}
	d.cacheControl, d.contentDisposition, d.contentEncoding = head.CacheControl, head.ContentDisposition, encoding(head.ContentEncoding)
	d.contentLanguage, d.contentType, d.expires = head.ContentLanguage, head.ContentType, head.ExpiresString
	d.metadata = c.encodedMetadata(head.Metadata)
	return d, nil
}

// encodedMetadata is metadata as the destination takes it. Beyond ASCII, S3 shows and takes it encoded as RFC 2047 has it, and reads
// other bytes as ISO 8859-1 ("Working with object metadata", Amazon S3 User Guide); other services show it as it is, in UTF-8.
func (c *Copier) encodedMetadata(metadata map[string]string) map[string]string {
	if c.o.ToS3 != nil && !c.o.ToS3() {
		return metadata
	}
	encoded := maps.Clone(metadata)
	for name, value := range metadata {
		if utf8.ValidString(value) && strings.ContainsFunc(value, func(r rune) bool { return r > unicode.MaxASCII }) {
			encoded[name] = mime.BEncoding.Encode("UTF-8", value)
		}
	}
	return encoded
}

func (c *Copier) lockOf(head *s3.HeadObjectOutput) (l lock) {
	if !c.o.ObjectLock {
		return lock{}
	}
	// No service takes a retention that has run out.
	if until := head.ObjectLockRetainUntilDate; until != nil && until.After(c.o.Now()) {
		l.mode, l.until = head.ObjectLockMode, until
	}
	l.hold = head.ObjectLockLegalHoldStatus
	if head.ObjectLockEventHold == types.ObjectLockEventHoldOn {
		l.eventHold, l.days, l.years = head.ObjectLockEventHold, head.ObjectLockEventHoldDurationDays, head.ObjectLockEventHoldDurationYears
	}
	if longest := c.o.ObjectLockMax; longest > 0 {
		l.shorten(c.o.Now(), longest)
	}
	return l
}

// shorten has a retention end no later than that long after now: one in compliance mode nobody can shorten any more, and its object
// is paid for until its end ("S3 Object Lock", Amazon S3 User Guide). A legal hold has no end, and whoever may set it may lift it.
func (l *lock) shorten(now time.Time, longest time.Duration) {
	const day = 24 * time.Hour
	if latest := now.UTC().Add(longest).Truncate(time.Second); l.until != nil && l.until.After(latest) {
		l.until, l.cut = &latest, true
	}
	days := int64(aws.ToInt32(l.days)) + 365*int64(aws.ToInt32(l.years))
	if most := int64(longest / day); days > most {
		l.days, l.years, l.cut = aws.Int32(int32(most)), nil, true //nolint:gosec // less than what came in 32 bits
	}
}

func notesOf(head *s3.HeadObjectOutput) []string {
	if head.WebsiteRedirectLocation != nil {
		return []string{NoteRedirectDropped}
	}
	return nil
}

// create is the creation of an upload by the draft.
func (d *draft) create(c *Copier, key string) *s3.CreateMultipartUploadInput {
	in := &s3.CreateMultipartUploadInput{
		Bucket: &c.o.DestinationPlace.Bucket, Key: &key, ExpectedBucketOwner: optional(c.o.DestinationPlace.Account),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &c.o.KeyARN, BucketKeyEnabled: &c.o.BucketKey,
		ACL: types.ObjectCannedACL(c.o.ACL), StorageClass: d.class, Tagging: optional(d.tags.header), Metadata: d.metadata,
		CacheControl: d.cacheControl, ContentDisposition: d.contentDisposition, ContentEncoding: d.contentEncoding,
		ContentLanguage: d.contentLanguage, ContentType: d.contentType,
		ObjectLockMode: d.lock.mode, ObjectLockRetainUntilDate: d.lock.until, ObjectLockLegalHoldStatus: d.lock.hold,
		ObjectLockEventHold: d.lock.eventHold, ObjectLockEventHoldDurationDays: d.lock.days, ObjectLockEventHoldDurationYears: d.lock.years,
	}
	if c.o.Relay {
		in.ChecksumAlgorithm, in.ChecksumType = types.ChecksumAlgorithmCrc64nvme, types.ChecksumTypeFullObject
	}
	return in
}

// put is the put of a whole object by the draft, without its content.
func (d *draft) put(c *Copier, key string) *s3.PutObjectInput {
	contentType := d.contentType
	if contentType == nil {
		// What S3 gives an object that is written without a type; the SDK would send another.
		contentType = aws.String("binary/octet-stream")
	}
	return &s3.PutObjectInput{
		Bucket: &c.o.DestinationPlace.Bucket, Key: &key, ExpectedBucketOwner: optional(c.o.DestinationPlace.Account),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &c.o.KeyARN, BucketKeyEnabled: &c.o.BucketKey,
		ACL: types.ObjectCannedACL(c.o.ACL), StorageClass: d.class, Tagging: optional(d.tags.header), Metadata: d.metadata,
		CacheControl: d.cacheControl, ContentDisposition: d.contentDisposition, ContentEncoding: d.contentEncoding,
		ContentLanguage: d.contentLanguage, ContentType: contentType,
		ObjectLockMode: d.lock.mode, ObjectLockRetainUntilDate: d.lock.until, ObjectLockLegalHoldStatus: d.lock.hold,
		ObjectLockEventHold: d.lock.eventHold, ObjectLockEventHoldDurationDays: d.lock.days, ObjectLockEventHoldDurationYears: d.lock.years,
	}
}

// options send the Expires header as the source has it. The SDK takes it as a date only, S3 keeps any text.
func (d *draft) options() []func(*s3.Options) {
	if d.expires == nil {
		return nil
	}
	return []func(*s3.Options){s3.WithAPIOptions(smithyhttp.SetHeaderValue("Expires", *d.expires))}
}

// headOf is the head that came with an object's content, without its lock.
func headOf(out *s3.GetObjectOutput) *s3.HeadObjectOutput {
	return &s3.HeadObjectOutput{
		CacheControl: out.CacheControl, ContentDisposition: out.ContentDisposition, ContentEncoding: out.ContentEncoding,
		ContentLanguage: out.ContentLanguage, ContentType: out.ContentType, ExpiresString: out.ExpiresString,
		Metadata: out.Metadata, MissingMeta: out.MissingMeta, WebsiteRedirectLocation: out.WebsiteRedirectLocation,
		ChecksumCRC64NVME: out.ChecksumCRC64NVME, ChecksumType: out.ChecksumType,
	}
}
