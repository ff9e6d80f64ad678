package awsfake

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// abortMultipartUpload is open to the one who began the upload, unless a policy denies it.
func (q *request) abortMultipartUpload(b *Bucket) (*response, error) {
	u, err := q.findUpload(b)
	if refused := q.allow(b, "s3:AbortMultipartUpload", q.key, nil); refused != nil {
		if err != nil || u.initiator != q.caller.caller.ARN || q.barred(b, "s3:AbortMultipartUpload") {
			return nil, refused
		}
	}
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.uploads, u.id)
	return answer(http.StatusNoContent), nil
}

// barred reports whether a policy denies the action, or the VPC endpoint's does not let it through.
func (q *request) barred(b *Bucket, action string) bool {
	return slices.ContainsFunc(way{b, q.point}.questions(action, q.key, nil), func(x question) bool {
		d := q.decide(x)
		return d.Explicit || !d.Allowed && d.Source == sourceEndpoint
	})
}

func (q *request) listParts(b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:ListMultipartUploadParts", q.key, nil); err != nil {
		return nil, err
	}
	u, err := q.findUpload(b)
	if err != nil {
		return nil, err
	}
	if _, err := q.openDataKey(u.crypt, b.region); err != nil {
		return nil, err
	}
	l, err := q.readListing("max-parts")
	if err != nil {
		return nil, err
	}
	marker, err := strconv.Atoi(cmp.Or(q.query.Get("part-number-marker"), "0"))
	if err != nil {
		return nil, errInvalidArgument("Argument part-number-marker must be an integer")
	}
	parts := b.partsBehind(u, marker)
	truncated := len(parts) > l.max
	parts = parts[:min(len(parts), l.max)]
	x := newXML()
	x.openNS("ListPartsResult", s3Namespace)
	x.element("Bucket", b.name)
	x.element("Key", l.encode(u.key))
	x.element("UploadId", u.id)
	u.describe(x, b)
	x.number("PartNumberMarker", int64(marker))
	x.number("MaxParts", int64(l.max))
	x.boolean("IsTruncated", truncated)
	if len(parts) > 0 {
		x.number("NextPartNumberMarker", int64(parts[len(parts)-1].number))
	}
	for _, p := range parts {
		p.element(x)
	}
	x.close("ListPartsResult")
	return answerXML(x), nil
}

func (b *Bucket) partsBehind(u *upload, number int) []*part {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []*part
	for _, n := range slices.Sorted(maps.Keys(u.parts)) {
		if n > number {
			out = append(out, u.parts[n])
		}
	}
	return out
}

func (p *part) element(x *xmlWriter) {
	x.open("Part")
	x.number("PartNumber", int64(p.number))
	x.time("LastModified", p.modified)
	x.element("ETag", `"`+p.etag+`"`)
	x.number("Size", p.size)
	x.element(checksumElement(p.checksum.algorithm), p.checksum.value)
	x.close("Part")
}

func (q *request) listMultipartUploads(b *Bucket) (*response, error) {
	if err := q.allowList(b, "s3:ListBucketMultipartUploads"); err != nil {
		return nil, err
	}
	l, err := q.readListing("max-uploads")
	if err != nil {
		return nil, err
	}
	if l.delimiter != "" {
		return nil, errNotImplemented("ListMultipartUploads with a delimiter")
	}
	keyMarker, idMarker := q.query.Get("key-marker"), q.query.Get("upload-id-marker")
	uploads := b.uploadsBehind(l.prefix, keyMarker, idMarker)
	truncated := len(uploads) > l.max
	uploads = uploads[:min(len(uploads), l.max)]
	x := newXML()
	x.openNS("ListMultipartUploadsResult", s3Namespace)
	x.element("Bucket", b.name)
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
		u.element(x, l, b)
	}
	x.close("ListMultipartUploadsResult")
	return answerXML(x), nil
}

func (u *upload) element(x *xmlWriter, l *listing, b *Bucket) {
	x.open("Upload")
	x.element("Key", l.encode(u.key))
	x.element("UploadId", u.id)
	u.describe(x, b)
	x.time("Initiated", u.initiated)
	x.close("Upload")
}

// describe writes what both listings say of an upload. The initiator is a user or a session by its ARN.
func (u *upload) describe(x *xmlWriter, b *Bucket) {
	ownerElement(x, "Initiator", u.initiator)
	ownerElement(x, "Owner", b.account.id)
	x.element("StorageClass", u.draft.storageClass)
	if u.draft.algorithm != "" {
		x.element("ChecksumAlgorithm", u.draft.algorithm)
		x.element("ChecksumType", checksum{composite: u.composite}.kind())
	}
}

// uploadsBehind are the uploads by key and then id, behind the marker. A key marker alone leaves out
// that key's uploads; with an id marker, those up to it.
func (b *Bucket) uploadsBehind(prefix, key, id string) []*upload {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []*upload
	for _, u := range b.uploads {
		behind := u.key > key || u.key == key && id != "" && u.id > id
		if strings.HasPrefix(u.key, prefix) && (key == "" || behind) {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b *upload) int {
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.id, b.id))
	})
	return out
}
