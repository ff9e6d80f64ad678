package awsfake

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// abortMultipartUpload is open to the one who began the upload, unless a policy denies it.
func abortMultipartUpload(q *s3Request, b *Bucket) (*response, error) {
	u, err := b.upload(q.query.Get("uploadId"), q.key)
	if refused := q.allow(b, "s3:AbortMultipartUpload", q.key, nil); refused != nil {
		if err != nil || u.initiator != q.caller.caller.ARN || barred(q, b, "s3:AbortMultipartUpload") {
			return nil, refused
		}
	}
	if err != nil {
		return nil, err
	}
	b.abort(u)
	return answer(http.StatusNoContent), nil
}

// barred reports whether a policy denies the action, or the VPC endpoint's does not let it through.
func barred(q *s3Request, b *Bucket, action string) bool {
	return slices.ContainsFunc(way{b, q.point}.questions(action, q.key, nil), func(x question) bool {
		d := q.decide(x)
		return d.Explicit || !d.Allowed && d.Source == sourceEndpoint
	})
}

func listParts(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:ListMultipartUploadParts", q.key, nil); err != nil {
		return nil, err
	}
	u, err := b.upload(q.query.Get("uploadId"), q.key)
	if err != nil {
		return nil, err
	}
	if _, err := q.openDataKey(u.crypt, b.region); err != nil {
		return nil, err
	}
	l, err := readListing(q, "max-parts")
	if err != nil {
		return nil, err
	}
	marker, err := strconv.Atoi(cmp.Or(q.query.Get("part-number-marker"), "0"))
	if err != nil {
		return nil, errInvalidArgument("Argument part-number-marker must be an integer")
	}
	parts := partsAfter(b, u, marker)
	truncated := len(parts) > l.max
	parts = parts[:min(len(parts), l.max)]
	x := newXML()
	x.openNS("ListPartsResult", s3Namespace)
	x.element("Bucket", b.Name())
	x.element("Key", l.encode(u.key))
	x.element("UploadId", u.id)
	describeUpload(u, x, b)
	x.number("PartNumberMarker", int64(marker))
	x.number("MaxParts", int64(l.max))
	x.boolean("IsTruncated", truncated)
	if len(parts) > 0 {
		x.number("NextPartNumberMarker", int64(parts[len(parts)-1].number))
	}
	for _, p := range parts {
		writePart(p, x)
	}
	x.close("ListPartsResult")
	return answerXML(x), nil
}

func writePart(p *part, x *xmlWriter) {
	x.open("Part")
	x.number("PartNumber", int64(p.number))
	x.time("LastModified", p.modified)
	x.element("ETag", `"`+p.etag+`"`)
	x.number("Size", p.size)
	x.element(checksumElement(p.checksum.algorithm), p.checksum.value)
	x.close("Part")
}

func listMultipartUploads(q *s3Request, b *Bucket) (*response, error) {
	if err := allowList(q, b, "s3:ListBucketMultipartUploads"); err != nil {
		return nil, err
	}
	l, err := readListing(q, "max-uploads")
	if err != nil {
		return nil, err
	}
	if l.delimiter != "" {
		return nil, errNotImplemented("ListMultipartUploads with a delimiter")
	}
	keyMarker, idMarker := q.query.Get("key-marker"), q.query.Get("upload-id-marker")
	uploads := b.uploadsAfter(l.prefix, keyMarker, idMarker)
	truncated := len(uploads) > l.max
	uploads = uploads[:min(len(uploads), l.max)]
	x := newXML()
	x.openNS("ListMultipartUploadsResult", s3Namespace)
	x.element("Bucket", b.Name())
	x.element("KeyMarker", l.encode(keyMarker))
	x.element("UploadIdMarker", idMarker)
	x.optional("EncodingType", q.query.Get("encoding-type"))
	x.element("Prefix", l.encode(l.prefix))
	x.number("MaxUploads", int64(l.max))
	x.boolean("IsTruncated", truncated)
	if truncated {
		x.element("NextKeyMarker", l.encode(uploads[len(uploads)-1].key))
		x.element("NextUploadIdMarker", uploads[len(uploads)-1].id)
	}
	for _, u := range uploads {
		writeUpload(u, x, l, b)
	}
	x.close("ListMultipartUploadsResult")
	return answerXML(x), nil
}

func writeUpload(u *upload, x *xmlWriter, l *listing, b *Bucket) {
	x.open("Upload")
	x.element("Key", l.encode(u.key))
	x.element("UploadId", u.id)
	describeUpload(u, x, b)
	x.time("Initiated", u.initiated)
	x.close("Upload")
}

// describe writes what both listings say of an upload. The initiator is a user or a session by its ARN.
func describeUpload(u *upload, x *xmlWriter, b *Bucket) {
	ownerElement(x, "Initiator", u.initiator)
	ownerElement(x, "Owner", b.account.ID())
	x.element("StorageClass", u.draft.storageClass)
	if u.draft.algorithm != "" {
		x.element("ChecksumAlgorithm", u.draft.algorithm)
		x.element("ChecksumType", checksum{composite: u.composite}.kind())
	}
}

// partsAfter are the parts of an upload after that number, in order.
func partsAfter(b *Bucket, u *upload, number int) []*part {
	var out []*part
	parts := b.parts(u)
	for _, n := range slices.Sorted(maps.Keys(parts)) {
		if n > number {
			out = append(out, parts[n])
		}
	}
	return out
}
