package plan

import (
	"iter"

	"syncd/internal/awserr"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// The operations of S3 and KMS that a pass sends, as the APIs name them.
const (
	listObjects     = "ListObjectsV2"
	headObject      = "HeadObject"
	getObject       = "GetObject"
	getTagging      = "GetObjectTagging"
	listAnnotations = "ListObjectAnnotations"
	getAnnotation   = "GetObjectAnnotation"
	putAnnotation   = "PutObjectAnnotation"
	copyObject      = "CopyObject"
	putObject       = "PutObject"
	createUpload    = "CreateMultipartUpload"
	uploadPart      = "UploadPart"
	uploadPartCopy  = "UploadPartCopy"
	completeUpload  = "CompleteMultipartUpload"
	listParts       = "ListParts"
	listUploads     = "ListMultipartUploads"
	putTagging      = "PutObjectTagging"
	decrypt         = "Decrypt"
	generateDataKey = "GenerateDataKey"
)

// tier is how S3 prices a request.
type tier int

const (
	free tier = iota
	reads
	writes
)

// act is what one request is charged for.
type act struct {
	tier     tier
	atSource bool
	// opens is how often it has content of the source decrypted, seals how often the destination's
	// key makes a data key, and reopens how often that is decrypted for a part to be encrypted with
	// it ("kms:Decrypt ... because Amazon S3 must decrypt and read data from the encrypted file
	// parts", Amazon S3 User Guide, "Uploading and copying objects using multipart upload"). How
	// many requests S3 sends for that, AWS does not say: one each is assumed.
	opens, seals, reopens float64
}

// actOf is the table of what requests are charged for. What it does not hold is free: aborts,
// deletes, and requests to STS.
func actOf(operation string) act {
	switch operation {
	case listObjects:
		return act{tier: writes, atSource: true}
	case headObject, getObject:
		// A HEAD asks for the checksum, which lies encrypted too (Amazon S3 API Reference,
		// HeadObject, ChecksumMode).
		return act{tier: reads, atSource: true, opens: 1}
	case getTagging:
		return act{tier: reads, atSource: true}
	case listAnnotations:
		return act{tier: writes, atSource: true} // AWS does not say; other lists are priced so
	case getAnnotation:
		return act{tier: reads, atSource: true, opens: 1}
	case copyObject:
		return act{tier: writes, opens: 1, seals: 1}
	case putObject, createUpload:
		return act{tier: writes, seals: 1}
	case uploadPart:
		return act{tier: writes, reopens: 1}
	case uploadPartCopy:
		return act{tier: writes, opens: 1, reopens: 1}
	case completeUpload:
		return act{tier: writes, reopens: 1}
	case listParts, listUploads, putTagging, putAnnotation:
		return act{tier: writes}
	default:
		return act{}
	}
}

// requests yields how often a copy of the object sends each operation when nothing goes wrong.
func (t Terms) requests(o listing.Object) iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for _, r := range t.sent(o) {
			if r.times > 0 && !yield(r.operation, r.times) {
				return
			}
		}
	}
}

type sending struct {
	operation string
	times     int64
}

func (t Terms) sent(o listing.Object) [7]sending {
	when := func(is bool) int64 {
		if is {
			return 1
		}
		return 0
	}
	size := t.PartSizeOf(o.Size)
	inParts := size > 0
	head, tags, annotations := sending{headObject, when(t.ReadsHead(inParts))}, sending{getTagging, when(t.ReadsTags(inParts))},
		sending{listAnnotations, when(t.ReadsAnnotations(inParts))}
	switch parts := (transfer.Parts{Object: o.Size, Size: max(size, 1)}); {
	case !inParts && t.Relay:
		return [7]sending{head, tags, {getObject, 1}, {putObject, 1}, annotations}
	case !inParts:
		return [7]sending{head, tags, {copyObject, 1}}
	case t.Relay:
		n := int64(parts.Count())
		return [7]sending{head, tags, {createUpload, 1}, {uploadPart, n}, {completeUpload, 1}, annotations, {getObject, n}}
	default:
		return [7]sending{head, tags, {createUpload, 1}, {uploadPartCopy, int64(parts.Count())}, {completeUpload, 1}, annotations}
	}
}

// piece returns how much of an object of that size one request moves, at most.
func (t Terms) piece(size int64) int64 {
	if part := t.PartSizeOf(size); part > 0 {
		return part
	}
	return size
}

// Refuses returns why the object will be quarantined before any request is sent for it, "" for one
// that is tried.
func (t Terms) Refuses(o listing.Object) string {
	switch {
	case o.ETag == "":
		return NoETag
	case o.Size > transfer.MaxObject:
		return string(awserr.TooLarge)
	default:
		return ""
	}
}

// Archived reports whether the object can only be read once its owner has restored it. A listing
// does not tell whether that has happened (Amazon S3 User Guide, "Working with archived objects").
func Archived(o listing.Object) bool {
	return o.StorageClass == "GLACIER" || o.StorageClass == "DEEP_ARCHIVE"
}
