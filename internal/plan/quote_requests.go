package plan

import (
	"iter"

	"syncd/internal/awserr"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// The operations of S3 and KMS that a pass uses, by API name.
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
	deleteObjects   = "DeleteObjects"
	decrypt         = "Decrypt"
	generateDataKey = "GenerateDataKey"
)

// tier is S3's price tier of a request.
type tier int

const (
	free tier = iota
	reads
	writes
)

// act describes what S3 charges for one request.
type act struct {
	tier     tier
	atSource bool
	// opens is the number of times that the request decrypts content of the source. seals is the
	// number of times that it generates a data key with the destination's KMS key, and reopens the
	// number of times that it decrypts that data key to encrypt a part ("kms:Decrypt ... because
	// Amazon S3 must decrypt and read data from the encrypted file parts", Amazon S3 User Guide,
	// "Uploading and copying objects using multipart upload"). AWS does not say how many KMS
	// requests S3 sends each time; one is assumed.
	opens, seals, reopens float64
}

// actOf returns what S3 charges for a request of an operation. Operations not listed are free:
// aborts, deletes and requests to STS.
func actOf(operation string) act {
	switch operation {
	case listObjects:
		return act{tier: writes, atSource: true}
	case headObject, getObject:
		// A HEAD request asks for the checksum, which is also encrypted (Amazon S3 API Reference,
		// HeadObject, ChecksumMode).
		return act{tier: reads, atSource: true, opens: 1}
	case getTagging:
		return act{tier: reads, atSource: true}
	case listAnnotations:
		return act{tier: writes, atSource: true} // AWS does not state the price; assumed to equal the price of other list requests
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

// requests yields each operation that a copy of the object uses, with the number of requests of
// this operation if nothing fails.
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

// piece returns the most bytes that one request moves for an object of that size.
func (t Terms) piece(size int64) int64 {
	if part := t.PartSizeOf(size); part > 0 {
		return part
	}
	return size
}

// Refuses returns why the object will be quarantined without sending any request, or "" if it will
// be tried.
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

// Archived reports whether the object can be read only after its owner restores it. A listing does
// not show whether it has been restored (Amazon S3 User Guide, "Working with archived objects").
func Archived(o listing.Object) bool {
	return o.StorageClass == "GLACIER" || o.StorageClass == "DEEP_ARCHIVE"
}
