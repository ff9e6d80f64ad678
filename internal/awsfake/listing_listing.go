package awsfake

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
)

func readListing(q *s3Request, maxName string) (*listing, error) {
	l := &listing{
		walk:   walk{prefix: q.query.Get("prefix"), delimiter: q.query.Get("delimiter"), max: maxPage},
		encode: func(s string) string { return s },
	}
	switch q.query.Get("encoding-type") {
	case "":
	case "url":
		l.encode = encodeKey
	default:
		return nil, errInvalidArgument("Invalid Encoding Method specified in Request")
	}
	if s := q.query.Get(maxName); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return nil, errInvalidArgument("Argument %s must be an integer between 0 and 2147483647", maxName)
		}
		l.max = min(n, maxPage)
	}
	return l, nil
}

// encodeKey is encoding-type=url: form encoding that leaves the slash alone.
func encodeKey(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/") }

// allowList authorises a listing; a prefix that is not sent is a key that is not there.
func allowList(q *s3Request, b *Bucket, action string) error {
	facts := map[string][]string{}
	for _, name := range []string{"prefix", "delimiter", "max-keys"} {
		if q.query.Has(name) {
			facts["s3:"+name] = []string{q.query.Get(name)}
		}
	}
	return q.allow(b, action, "", facts)
}

func listObjectsV2(q *s3Request, b *Bucket) (*response, error) {
	l, err := readListing(q, "max-keys")
	if err != nil {
		return nil, err
	}
	token, startAfter := q.query.Get("continuation-token"), q.query.Get("start-after")
	l.after = startAfter
	if q.query.Has("continuation-token") {
		if l.after, err = readToken(token); err != nil {
			return nil, err
		}
	}
	if err := allowList(q, b, "s3:ListBucket"); err != nil {
		return nil, err
	}
	p := b.list(&l.walk)
	x := newXML()
	x.openNS("ListBucketResult", s3Namespace)
	listingHead(q, x, l)
	x.number("KeyCount", int64(p.count()))
	x.optional("StartAfter", l.encode(startAfter))
	x.optional("ContinuationToken", token)
	x.boolean("IsTruncated", p.truncated)
	if p.truncated {
		x.element("NextContinuationToken", writeToken(p.last))
	}
	listingBody(q, x, b, l, p)
	x.close("ListBucketResult")
	return answerXML(x), nil
}

func listObjects(q *s3Request, b *Bucket) (*response, error) {
	l, err := readListing(q, "max-keys")
	if err != nil {
		return nil, err
	}
	l.after = q.query.Get("marker")
	if err := allowList(q, b, "s3:ListBucket"); err != nil {
		return nil, err
	}
	p := b.list(&l.walk)
	x := newXML()
	x.openNS("ListBucketResult", s3Namespace)
	listingHead(q, x, l)
	x.element("Marker", l.encode(l.after))
	x.boolean("IsTruncated", p.truncated)
	if p.truncated && l.delimiter != "" {
		x.element("NextMarker", l.encode(p.last))
	}
	listingBody(q, x, b, l, p)
	x.close("ListBucketResult")
	return answerXML(x), nil
}

func listingHead(q *s3Request, x *xmlWriter, l *listing) {
	x.element("Name", q.bucket)
	x.element("Prefix", l.encode(l.prefix))
	x.optional("Delimiter", l.encode(l.delimiter))
	x.number("MaxKeys", int64(l.max))
	x.optional("EncodingType", q.query.Get("encoding-type"))
}

func listingBody(q *s3Request, x *xmlWriter, b *Bucket, l *listing, p *page) {
	owner := q.operation == "ListObjects" || q.query.Get("fetch-owner") == "true"
	const roughly = 400 // bytes an object
	x.grow(roughly * len(p.objects))
	for _, o := range p.objects {
		x.open("Contents")
		x.element("Key", l.encode(o.key))
		listed(x, o)
		restoreStatus(q, x, o)
		if owner {
			ownerElement(x, "Owner", cmp.Or(o.owner, b.account.ID()))
		}
		x.close("Contents")
	}
	commonPrefixes(x, l, p.prefixes)
}

// listed writes what every listing says of an object behind its key.
func listed(x *xmlWriter, o *object) {
	x.time("LastModified", o.modified)
	x.element("ETag", `"`+o.etag+`"`)
	if o.checksum.algorithm != "" {
		x.element("ChecksumAlgorithm", o.checksum.algorithm)
		x.element("ChecksumType", o.checksum.kind())
	}
	x.number("Size", o.size)
	x.element("StorageClass", o.storageClass)
}

func ownerElement(x *xmlWriter, name, account string) {
	x.open(name)
	x.element("ID", account)
	x.close(name)
}

func commonPrefixes(x *xmlWriter, l *listing, prefixes []string) {
	for _, prefix := range prefixes {
		x.open("CommonPrefixes")
		x.element("Prefix", l.encode(prefix))
		x.close("CommonPrefixes")
	}
}

// tokenMark makes continuation tokens opaque enough that nobody takes them for keys.
const tokenMark = "1/"

func writeToken(last string) string {
	return base64.StdEncoding.EncodeToString([]byte(tokenMark + last))
}

func readToken(token string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(token)
	last, ours := strings.CutPrefix(string(b), tokenMark)
	if err != nil || !ours {
		return "", errInvalidArgument("The continuation token provided is incorrect")
	}
	return last, nil
}

func listObjectVersions(q *s3Request, b *Bucket) (*response, error) {
	l, err := readListing(q, "max-keys")
	if err != nil {
		return nil, err
	}
	l.after = q.query.Get("key-marker")
	versionMarker := q.query.Get("version-id-marker")
	if err := allowList(q, b, "s3:ListBucketVersions"); err != nil {
		return nil, err
	}
	p := b.listVersions(&l.walk, versionMarker)
	x := newXML()
	x.openNS("ListVersionsResult", s3Namespace)
	listingHead(q, x, l)
	x.element("KeyMarker", l.encode(l.after))
	x.element("VersionIdMarker", versionMarker)
	x.boolean("IsTruncated", p.truncated)
	if p.truncated {
		x.element("NextKeyMarker", l.encode(p.nextKey))
		x.optional("NextVersionIdMarker", p.nextVersion)
	}
	for _, v := range p.versions {
		versionElement(x, b, l, v)
	}
	commonPrefixes(x, l, p.prefixes)
	x.close("ListVersionsResult")
	return answerXML(x), nil
}

func versionElement(x *xmlWriter, b *Bucket, l *listing, o listedVersion) {
	name := "Version"
	if o.marker {
		name = "DeleteMarker"
	}
	x.open(name)
	x.element("Key", l.encode(o.key))
	x.element("VersionId", o.versionID)
	x.boolean("IsLatest", o.latest)
	if o.marker {
		x.time("LastModified", o.modified)
	} else {
		listed(x, o.object)
	}
	ownerElement(x, "Owner", b.account.ID())
	x.close(name)
}

func listBuckets(q *s3Request, _ *Bucket) (*response, error) {
	a := q.caller.account
	if err := q.allowAnything("s3:ListAllMyBuckets"); err != nil {
		return nil, err
	}
	x := newXML()
	x.openNS("ListAllMyBucketsResult", s3Namespace)
	ownerElement(x, "Owner", a.id)
	x.open("Buckets")
	for _, b := range q.s3.bucketsOf(a) {
		x.open("Bucket")
		x.element("Name", b.Name())
		x.time("CreationDate", b.created)
		x.element("BucketRegion", b.region)
		x.close("Bucket")
	}
	x.close("Buckets")
	x.close("ListAllMyBucketsResult")
	return answerXML(x), nil
}

// listing is a page of keys as a request asks for it.
type listing struct {
	walk
	encode func(string) string
}

// restoreStatus is what a listing that was asked for it says of a restored object.
func restoreStatus(q *s3Request, x *xmlWriter, o *object) {
	if !o.inArchive() || o.archived(q.cloud.now()) ||
		!strings.Contains(q.http.Header.Get("X-Amz-Optional-Object-Attributes"), "RestoreStatus") {
		return
	}
	x.open("RestoreStatus")
	x.boolean("IsRestoreInProgress", false)
	x.time("RestoreExpiryDate", o.restoredUntil)
	x.close("RestoreStatus")
}
