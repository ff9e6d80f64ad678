package copier

import (
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

	"syncd/internal/awserr"
	"syncd/internal/copier/content"
	"syncd/internal/copier/request"
	"syncd/internal/copier/upload"
	"syncd/internal/listing"
)

// draft contains the properties of a copy that the service does not copy by itself: metadata, tags
// and lock.
type draft struct {
	o   *Options
	key string // at the destination

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
	days      *int32 // length in days of the retention that begins when the event hold ends; nil if years is set or there is no such retention
	years     *int32
	cut       bool // whether the retention was shortened to the longest allowed retention
}

// setLock sets the lock of the copy.
func (d *draft) setLock(l lock) {
	d.lock = l
	if l.cut {
		d.notes = append(d.notes, NoteRetentionCut)
	}
}

// draftOf returns the draft of a copy from the source's head and tags.
func draftOf(o *Options, key string, object listing.Object, head *s3.HeadObjectOutput, found tags) (*draft, error) {
	d := &draft{o: o, key: key, class: types.StorageClass(o.ClassOf(object.StorageClass)), tags: found, notes: notesOf(head)}
	d.setLock(lockOf(o, head, o.Now()))
	if o.OmitMetadata {
		return d, nil
	}
	if aws.ToInt32(head.MissingMeta) > 0 {
		return nil, errHidden
	}
	d.cacheControl, d.contentDisposition, d.contentEncoding = head.CacheControl, head.ContentDisposition, content.Encoding(head.ContentEncoding)
	d.contentLanguage, d.contentType, d.expires = head.ContentLanguage, head.ContentType, head.ExpiresString
	d.metadata = encodedMetadata(o, head.Metadata)
	return d, nil
}

// encodedMetadata returns the metadata in the form that the destination expects. S3 returns and
// expects metadata beyond ASCII in RFC 2047 encoding, and interprets other bytes as ISO 8859-1
// ("Working with object metadata", Amazon S3 User Guide). Other services use plain UTF-8.
func encodedMetadata(o *Options, metadata map[string]string) map[string]string {
	if o.ToS3 != nil && !o.ToS3() {
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

// lockOf returns the lock of a copy that is made at the given time.
func lockOf(o *Options, head *s3.HeadObjectOutput, now time.Time) (l lock) {
	if !o.ObjectLock {
		return lock{}
	}
	// Services reject a retention date in the past.
	if until := head.ObjectLockRetainUntilDate; until != nil && until.After(now) {
		l.mode, l.until = head.ObjectLockMode, until
	}
	l.hold = head.ObjectLockLegalHoldStatus
	if head.ObjectLockEventHold == types.ObjectLockEventHoldOn {
		l.eventHold, l.days, l.years = head.ObjectLockEventHold, head.ObjectLockEventHoldDurationDays, head.ObjectLockEventHoldDurationYears
	}
	if longest := o.ObjectLockMax; longest > 0 {
		l.shorten(now, longest)
	}
	return l
}

// shorten makes a retention end at the latest at now plus longest. In compliance mode a retention
// cannot be shortened later, so the storage of the object costs money until the retention ends ("S3
// Object Lock", Amazon S3 User Guide). A legal hold is not limited, because it has no end date, and
// a role that has permission to set it can also remove it.
func (l *lock) shorten(now time.Time, longest time.Duration) {
	const day = 24 * time.Hour
	if latest := now.UTC().Add(longest).Truncate(time.Second); l.until != nil && l.until.After(latest) {
		l.until, l.cut = &latest, true
	}
	days := int64(aws.ToInt32(l.days)) + 365*int64(aws.ToInt32(l.years))
	if most := int64(longest / day); days > most {
		l.days, l.years, l.cut = aws.Int32(int32(most)), nil, true //nolint:gosec // less than days, which fit in 32 bits
	}
}

func notesOf(head *s3.HeadObjectOutput) []string {
	if head.WebsiteRedirectLocation != nil {
		return []string{NoteRedirectDropped}
	}
	return nil
}

// create returns the request that creates an upload.
func (d *draft) create() *s3.CreateMultipartUploadInput {
	in := &s3.CreateMultipartUploadInput{
		Bucket: &d.o.DestinationPlace.Bucket, Key: &d.key, ExpectedBucketOwner: d.o.DestinationPlace.ExpectedOwner(),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &d.o.KeyARN, BucketKeyEnabled: &d.o.BucketKey,
		ACL: types.ObjectCannedACL(d.o.ACL), StorageClass: d.class, Tagging: request.Optional(d.tags.header), Metadata: d.metadata,
		CacheControl: d.cacheControl, ContentDisposition: d.contentDisposition, ContentEncoding: d.contentEncoding,
		ContentLanguage: d.contentLanguage, ContentType: d.contentType,
		ObjectLockMode: d.lock.mode, ObjectLockRetainUntilDate: d.lock.until, ObjectLockLegalHoldStatus: d.lock.hold,
		ObjectLockEventHold: d.lock.eventHold, ObjectLockEventHoldDurationDays: d.lock.days, ObjectLockEventHoldDurationYears: d.lock.years,
	}
	if d.o.Relay {
		in.ChecksumAlgorithm, in.ChecksumType = types.ChecksumAlgorithmCrc64nvme, types.ChecksumTypeFullObject
	}
	return in
}

// put returns the request that writes a whole object, without its content.
func (d *draft) put() *s3.PutObjectInput {
	contentType := d.contentType
	if contentType == nil {
		// S3 uses binary/octet-stream for an object without a content type. If the request has no
		// content type, the SDK sends a different one.
		contentType = aws.String(content.DefaultType)
	}
	return &s3.PutObjectInput{
		Bucket: &d.o.DestinationPlace.Bucket, Key: &d.key, ExpectedBucketOwner: d.o.DestinationPlace.ExpectedOwner(),
		ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &d.o.KeyARN, BucketKeyEnabled: &d.o.BucketKey,
		ACL: types.ObjectCannedACL(d.o.ACL), StorageClass: d.class, Tagging: request.Optional(d.tags.header), Metadata: d.metadata,
		CacheControl: d.cacheControl, ContentDisposition: d.contentDisposition, ContentEncoding: d.contentEncoding,
		ContentLanguage: d.contentLanguage, ContentType: contentType,
		ObjectLockMode: d.lock.mode, ObjectLockRetainUntilDate: d.lock.until, ObjectLockLegalHoldStatus: d.lock.hold,
		ObjectLockEventHold: d.lock.eventHold, ObjectLockEventHoldDurationDays: d.lock.days, ObjectLockEventHoldDurationYears: d.lock.years,
	}
}

// options returns client options that send the Expires header with the same text as at the source.
// The SDK accepts only a date, but S3 stores any text.
func (d *draft) options() []func(*s3.Options) {
	if d.expires == nil {
		return nil
	}
	return []func(*s3.Options){s3.WithAPIOptions(smithyhttp.SetHeaderValue("Expires", *d.expires))}
}

// DeferTags reports whether the request may have been refused for its tagging header. If so,
// DeferTags arranges that the tags are set after the copy.
func (d *draft) DeferTags(refused error) bool {
	switch awserr.Code(refused) {
	case "RequestHeaderSectionTooLarge", "InvalidTag":
	default:
		return false
	}
	if d.tags.header == "" {
		return false
	}
	d.tags.header, d.tags.late = "", true
	return true
}

// Create returns the request that creates an upload, and its options.
func (d *draft) Create() (*s3.CreateMultipartUploadInput, []func(*s3.Options)) {
	return d.create(), d.options()
}

// TagsLate reports whether the tags are set after the copy.
func (d *draft) TagsLate() bool { return d.tags.late }

// SetTagsLate arranges that the tags are set after the copy.
func (d *draft) SetTagsLate() { d.tags.late = true }

var _ upload.Draft = (*draft)(nil)

// headOf returns the head from a response with the object's content. It omits the lock.
func headOf(out *s3.GetObjectOutput) *s3.HeadObjectOutput {
	return &s3.HeadObjectOutput{
		CacheControl: out.CacheControl, ContentDisposition: out.ContentDisposition, ContentEncoding: out.ContentEncoding,
		ContentLanguage: out.ContentLanguage, ContentType: out.ContentType, ExpiresString: out.ExpiresString,
		Metadata: out.Metadata, MissingMeta: out.MissingMeta, WebsiteRedirectLocation: out.WebsiteRedirectLocation,
		ChecksumCRC64NVME: out.ChecksumCRC64NVME, ChecksumType: out.ChecksumType,
	}
}
