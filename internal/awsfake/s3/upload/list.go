package upload

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/content"
	"syncd/internal/awsfake/s3/listing"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

// abortMultipartUpload aborts an upload. The initiator of the upload needs no policy that allows
// the abort: the abort is rejected only if a policy denies it explicitly or the policy of the VPC
// endpoint does not allow it.
func abortMultipartUpload(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	u, err := b.Upload(q.Query.Get("uploadId"), q.Key)
	if refused := q.Allow(b, "s3:AbortMultipartUpload", q.Key, nil); refused != nil {
		if err != nil || u.Initiator != q.Caller.Caller.ARN || barred(q, b, "s3:AbortMultipartUpload") {
			return nil, refused
		}
	}
	if err != nil {
		return nil, err
	}
	b.Abort(u)
	return wire.Answer(http.StatusNoContent), nil
}

// barred reports whether a policy denies the action explicitly, or the VPC endpoint policy does not
// allow it.
func barred(q *call.Request, b *store.Bucket, action string) bool {
	return slices.ContainsFunc(call.Way{Bucket: b, Point: q.Point}.Questions(action, q.Key, nil), func(x core.Question) bool {
		d := q.Decide(x)
		return d.Explicit || !d.Allowed && d.Source == core.SourceEndpoint
	})
}

func listParts(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:ListMultipartUploadParts", q.Key, nil); err != nil {
		return nil, err
	}
	u, err := b.Upload(q.Query.Get("uploadId"), q.Key)
	if err != nil {
		return nil, err
	}
	if _, err := q.OpenDataKey(u.Crypt, b.Region); err != nil {
		return nil, err
	}
	l, err := listing.ReadListing(q, "max-parts")
	if err != nil {
		return nil, err
	}
	marker, err := strconv.Atoi(cmp.Or(q.Query.Get("part-number-marker"), "0"))
	if err != nil {
		return nil, wire.ErrInvalidArgument("Argument part-number-marker must be an integer")
	}
	parts := partsAfter(b, u, marker)
	truncated := len(parts) > l.Max
	parts = parts[:min(len(parts), l.Max)]
	x := wire.NewXML()
	x.OpenNS("ListPartsResult", call.Namespace)
	x.Element("Bucket", b.Name())
	x.Element("Key", l.Encode(u.Key))
	x.Element("UploadId", u.ID)
	describeUpload(u, x, b)
	x.Number("PartNumberMarker", int64(marker))
	x.Number("MaxParts", int64(l.Max))
	x.Boolean("IsTruncated", truncated)
	if len(parts) > 0 {
		x.Number("NextPartNumberMarker", int64(parts[len(parts)-1].Number))
	}
	for _, p := range parts {
		writePart(p, x)
	}
	x.Close("ListPartsResult")
	return wire.AnswerXML(x), nil
}

func writePart(p *store.Part, x *wire.XML) {
	x.Open("Part")
	x.Number("PartNumber", int64(p.Number))
	x.Time("LastModified", p.Modified)
	x.Element("ETag", `"`+p.ETag+`"`)
	x.Number("Size", p.Size)
	p.Checksum.Write(x)
	x.Close("Part")
}

func listMultipartUploads(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := listing.AllowList(q, b, "s3:ListBucketMultipartUploads"); err != nil {
		return nil, err
	}
	l, err := listing.ReadListing(q, "max-uploads")
	if err != nil {
		return nil, err
	}
	if l.Delimiter != "" {
		return nil, wire.ErrNotImplemented("ListMultipartUploads with a delimiter")
	}
	keyMarker, idMarker := q.Query.Get("key-marker"), q.Query.Get("upload-id-marker")
	uploads := b.UploadsAfter(l.Prefix, keyMarker, idMarker)
	truncated := len(uploads) > l.Max
	uploads = uploads[:min(len(uploads), l.Max)]
	x := wire.NewXML()
	x.OpenNS("ListMultipartUploadsResult", call.Namespace)
	x.Element("Bucket", b.Name())
	x.Element("KeyMarker", l.Encode(keyMarker))
	x.Element("UploadIdMarker", idMarker)
	x.Optional("EncodingType", q.Query.Get("encoding-type"))
	x.Element("Prefix", l.Encode(l.Prefix))
	x.Number("MaxUploads", int64(l.Max))
	x.Boolean("IsTruncated", truncated)
	if truncated {
		x.Element("NextKeyMarker", l.Encode(uploads[len(uploads)-1].Key))
		x.Element("NextUploadIdMarker", uploads[len(uploads)-1].ID)
	}
	for _, u := range uploads {
		writeUpload(u, x, l, b)
	}
	x.Close("ListMultipartUploadsResult")
	return wire.AnswerXML(x), nil
}

func writeUpload(u *store.Upload, x *wire.XML, l *listing.Listing, b *store.Bucket) {
	x.Open("Upload")
	x.Element("Key", l.Encode(u.Key))
	x.Element("UploadId", u.ID)
	describeUpload(u, x, b)
	x.Time("Initiated", u.Initiated)
	x.Close("Upload")
}

// describeUpload writes the elements that ListParts and ListMultipartUploads both return for an
// upload. The initiator is the ARN of a user or of a session.
func describeUpload(u *store.Upload, x *wire.XML, b *store.Bucket) {
	listing.OwnerElement(x, "Initiator", u.Initiator)
	listing.OwnerElement(x, "Owner", b.Account.ID())
	x.Element("StorageClass", u.Draft.StorageClass)
	if u.Draft.Algorithm != "" {
		x.Element("ChecksumAlgorithm", u.Draft.Algorithm)
		x.Element("ChecksumType", content.Checksum{Composite: u.Composite}.Kind())
	}
}

// partsAfter returns the parts of an upload with a larger part number than number, in order.
func partsAfter(b *store.Bucket, u *store.Upload, number int) []*store.Part {
	var out []*store.Part
	parts := b.Parts(u)
	for _, n := range slices.Sorted(maps.Keys(parts)) {
		if n > number {
			out = append(out, parts[n])
		}
	}
	return out
}
