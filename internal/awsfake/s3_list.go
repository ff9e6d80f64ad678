package awsfake

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// listing is a page of keys as a request asks for it.
type listing struct {
	prefix, delimiter string
	max               int
	after             string // keys up to and including this one are left out
	encode            func(string) string
}

func (q *request) readListing(maxName string) (*listing, error) {
	l := &listing{
		prefix: q.query.Get("prefix"), delimiter: q.query.Get("delimiter"), max: maxPage,
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
func (q *request) allowList(b *Bucket, action string) error {
	facts := map[string][]string{}
	for _, name := range []string{"prefix", "delimiter", "max-keys"} {
		if q.query.Has(name) {
			facts["s3:"+name] = []string{q.query.Get(name)}
		}
	}
	return q.allow(b, action, "", facts)
}

// page is what a listing found.
type page struct {
	objects   []*object
	prefixes  []string
	truncated bool
	last      string // the key or common prefix that the next page begins behind
}

func (p *page) count() int { return len(p.objects) + len(p.prefixes) }

// list walks the keys in byte order. Keys that share a prefix up to the delimiter count as one, and
// the walk jumps over them.
func (b *Bucket) list(l *listing) *page {
	b.mu.RLock()
	defer b.mu.RUnlock()
	p := &page{}
	if l.max == 0 {
		return p
	}
	at, more := l.start()
	for more {
		more = false
		for e := range b.index.from(at) {
			if !strings.HasPrefix(e.key, l.prefix) {
				break
			}
			o := e.current()
			if o == nil {
				continue
			}
			if p.count() == l.max {
				p.truncated = true
				break
			}
			if common := l.common(e.key); common != "" {
				p.prefixes, p.last = append(p.prefixes, common), common
				at, more = behind(common)
				break
			}
			p.objects, p.last = append(p.objects, o), o.key
		}
	}
	return p
}

// start is the first key that may be on the page; false when none can.
func (l *listing) start() (string, bool) {
	if l.after == "" || l.after < l.prefix {
		return l.prefix, true
	}
	if l.delimiter != "" && strings.HasSuffix(l.after, l.delimiter) && l.common(l.after) == l.after {
		return behind(l.after) // the page before ended with this common prefix
	}
	return l.after + "\x00", true
}

// common is the common prefix that a key belongs to, "" for none.
func (l *listing) common(key string) string {
	if l.delimiter == "" || !strings.HasPrefix(key, l.prefix) {
		return ""
	}
	i := strings.Index(key[len(l.prefix):], l.delimiter)
	if i < 0 {
		return ""
	}
	return key[:len(l.prefix)+i+len(l.delimiter)]
}

func (q *request) listObjectsV2(b *Bucket) (*response, error) {
	l, err := q.readListing("max-keys")
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
	if err := q.allowList(b, "s3:ListBucket"); err != nil {
		return nil, err
	}
	p := b.list(l)
	x := newXML()
	x.openNS("ListBucketResult", s3Namespace)
	q.listingHead(x, l)
	x.number("KeyCount", int64(p.count()))
	x.optional("StartAfter", l.encode(startAfter))
	x.optional("ContinuationToken", token)
	x.boolean("IsTruncated", p.truncated)
	if p.truncated {
		x.element("NextContinuationToken", writeToken(p.last))
	}
	q.listingBody(x, b, l, p)
	x.close("ListBucketResult")
	return answerXML(x), nil
}

func (q *request) listObjects(b *Bucket) (*response, error) {
	l, err := q.readListing("max-keys")
	if err != nil {
		return nil, err
	}
	l.after = q.query.Get("marker")
	if err := q.allowList(b, "s3:ListBucket"); err != nil {
		return nil, err
	}
	p := b.list(l)
	x := newXML()
	x.openNS("ListBucketResult", s3Namespace)
	q.listingHead(x, l)
	x.element("Marker", l.encode(l.after))
	x.boolean("IsTruncated", p.truncated)
	if p.truncated && l.delimiter != "" {
		x.element("NextMarker", l.encode(p.last))
	}
	q.listingBody(x, b, l, p)
	x.close("ListBucketResult")
	return answerXML(x), nil
}

func (q *request) listingHead(x *xmlWriter, l *listing) {
	x.element("Name", q.bucket)
	x.element("Prefix", l.encode(l.prefix))
	x.optional("Delimiter", l.encode(l.delimiter))
	x.number("MaxKeys", int64(l.max))
	x.optional("EncodingType", q.query.Get("encoding-type"))
}

func (q *request) listingBody(x *xmlWriter, b *Bucket, l *listing, p *page) {
	owner := q.operation == "ListObjects" || q.query.Get("fetch-owner") == "true"
	const roughly = 400 // bytes an object
	x.b.Grow(roughly * len(p.objects))
	for _, o := range p.objects {
		x.open("Contents")
		x.element("Key", l.encode(o.key))
		listed(x, o)
		q.restoreStatus(x, o)
		if owner {
			ownerElement(x, "Owner", cmp.Or(o.owner, b.account.id))
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

// versionPage is a page of ListObjectVersions.
type versionPage struct {
	versions             []*object
	prefixes             []string
	truncated            bool
	nextKey, nextVersion string
}

func (p *versionPage) count() int { return len(p.versions) + len(p.prefixes) }

func (q *request) listObjectVersions(b *Bucket) (*response, error) {
	l, err := q.readListing("max-keys")
	if err != nil {
		return nil, err
	}
	l.after = q.query.Get("key-marker")
	versionMarker := q.query.Get("version-id-marker")
	if err := q.allowList(b, "s3:ListBucketVersions"); err != nil {
		return nil, err
	}
	p := b.listVersions(l, versionMarker)
	x := newXML()
	x.openNS("ListVersionsResult", s3Namespace)
	q.listingHead(x, l)
	x.element("KeyMarker", l.encode(l.after))
	x.element("VersionIdMarker", versionMarker)
	x.boolean("IsTruncated", p.truncated)
	if p.truncated {
		x.element("NextKeyMarker", l.encode(p.nextKey))
		x.optional("NextVersionIdMarker", p.nextVersion)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, o := range p.versions {
		b.versionElement(x, l, o)
	}
	commonPrefixes(x, l, p.prefixes)
	x.close("ListVersionsResult")
	return answerXML(x), nil
}

func (b *Bucket) versionElement(x *xmlWriter, l *listing, o *object) {
	name := "Version"
	if o.marker {
		name = "DeleteMarker"
	}
	x.open(name)
	x.element("Key", l.encode(o.key))
	x.element("VersionId", o.versionID)
	e := b.index.get(o.key)
	x.boolean("IsLatest", e != nil && e.versions[0] == o)
	if o.marker {
		x.time("LastModified", o.modified)
	} else {
		listed(x, o)
	}
	ownerElement(x, "Owner", b.account.id)
	x.close(name)
}

// listVersions walks all versions, by key and then newest first. With a version marker the page
// begins inside the key of the marker.
func (b *Bucket) listVersions(l *listing, versionMarker string) *versionPage {
	b.mu.RLock()
	defer b.mu.RUnlock()
	p := &versionPage{}
	if l.max == 0 {
		return p
	}
	at, more := l.start()
	if versionMarker != "" {
		at = cmp.Or(l.after, at)
	}
	for more {
		more = false
		for e := range b.index.from(at) {
			if !strings.HasPrefix(e.key, l.prefix) {
				break
			}
			if p.count() == l.max {
				p.truncated = true
				break
			}
			if common := l.common(e.key); common != "" {
				p.prefixes, p.nextKey, p.nextVersion = append(p.prefixes, common), common, ""
				at, more = behind(common)
				break
			}
			if !p.add(e, l, versionMarker) {
				break
			}
		}
	}
	return p
}

// add takes a key's versions onto the page; false when it is full before they end.
func (p *versionPage) add(e *entry, l *listing, versionMarker string) bool {
	skipping := versionMarker != "" && e.key == l.after
	for _, o := range e.versions {
		if skipping {
			skipping = o.versionID != versionMarker
			continue
		}
		if p.count() == l.max {
			p.truncated = true
			return false
		}
		p.versions, p.nextKey, p.nextVersion = append(p.versions, o), o.key, o.versionID
	}
	return true
}

func (q *request) listBuckets(*Bucket) (*response, error) {
	a := q.caller.account
	if err := q.allowAnything("s3:ListAllMyBuckets"); err != nil {
		return nil, err
	}
	x := newXML()
	x.openNS("ListAllMyBucketsResult", s3Namespace)
	ownerElement(x, "Owner", a.id)
	x.open("Buckets")
	for _, b := range q.cloud.bucketsOf(a) {
		x.open("Bucket")
		x.element("Name", b.name)
		x.time("CreationDate", b.created)
		x.element("BucketRegion", b.region)
		x.close("Bucket")
	}
	x.close("Buckets")
	x.close("ListAllMyBucketsResult")
	return answerXML(x), nil
}

// allowAnything authorises an S3 action that has no bucket yet, within the caller's account.
func (q *request) allowAnything(action string) error {
	d := q.decide(question{action: action, resource: "*", account: q.caller.account.id})
	if d.Allowed {
		return nil
	}
	return refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s %s", q.caller.caller.ARN, action, d.Reason())
}
