package listing

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

// ReadListing returns the page that a request asks for. MaxName is the name of the parameter that
// limits the number of keys, such as max-keys.
func ReadListing(q *call.Request, maxName string) (*Listing, error) {
	l := &Listing{
		Walk:   store.Walk{Prefix: q.Query.Get("prefix"), Delimiter: q.Query.Get("delimiter"), Max: call.MaxPage},
		Encode: func(s string) string { return s },
	}
	switch q.Query.Get("encoding-type") {
	case "":
	case "url":
		l.Encode = encodeKey
	default:
		return nil, wire.ErrInvalidArgument("Invalid Encoding Method specified in Request")
	}
	if s := q.Query.Get(maxName); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return nil, wire.ErrInvalidArgument("Argument %s must be an integer between 0 and 2147483647", maxName)
		}
		l.Max = min(n, call.MaxPage)
	}
	return l, nil
}

// encodeKey implements encoding-type=url: form encoding, except for the slash.
func encodeKey(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/") }

// AllowList authorises a listing. A parameter that the request does not contain sets no condition
// key.
func AllowList(q *call.Request, b *store.Bucket, action string) error {
	facts := map[string][]string{}
	for _, name := range []string{"prefix", "delimiter", "max-keys"} {
		if q.Query.Has(name) {
			facts["s3:"+name] = []string{q.Query.Get(name)}
		}
	}
	return q.Allow(b, action, "", facts)
}

func listObjectsV2(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	l, err := ReadListing(q, "max-keys")
	if err != nil {
		return nil, err
	}
	token, startAfter := q.Query.Get("continuation-token"), q.Query.Get("start-after")
	l.After = startAfter
	if q.Query.Has("continuation-token") {
		if l.After, err = readToken(token); err != nil {
			return nil, err
		}
	}
	if err := AllowList(q, b, "s3:ListBucket"); err != nil {
		return nil, err
	}
	walk := l.Walk
	if most := b.Settings().PageKeys; most > 0 {
		walk.Max = min(walk.Max, most)
	}
	p := b.List(&walk)
	x := wire.NewXML()
	x.OpenNS("ListBucketResult", call.Namespace)
	listingHead(q, x, l)
	x.Number("KeyCount", int64(p.Count()))
	x.Optional("StartAfter", l.Encode(startAfter))
	x.Optional("ContinuationToken", token)
	x.Boolean("IsTruncated", p.Truncated)
	if p.Truncated {
		x.Element("NextContinuationToken", writeToken(p.Last))
	}
	listingBody(q, x, b, l, p)
	x.Close("ListBucketResult")
	return wire.AnswerXML(x), nil
}

func listObjects(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	l, err := ReadListing(q, "max-keys")
	if err != nil {
		return nil, err
	}
	l.After = q.Query.Get("marker")
	if err := AllowList(q, b, "s3:ListBucket"); err != nil {
		return nil, err
	}
	p := b.List(&l.Walk)
	x := wire.NewXML()
	x.OpenNS("ListBucketResult", call.Namespace)
	listingHead(q, x, l)
	x.Element("Marker", l.Encode(l.After))
	x.Boolean("IsTruncated", p.Truncated)
	if p.Truncated && l.Delimiter != "" {
		x.Element("NextMarker", l.Encode(p.Last))
	}
	listingBody(q, x, b, l, p)
	x.Close("ListBucketResult")
	return wire.AnswerXML(x), nil
}

func listingHead(q *call.Request, x *wire.XML, l *Listing) {
	x.Element("Name", q.Bucket)
	x.Element("Prefix", l.Encode(l.Prefix))
	x.Optional("Delimiter", l.Encode(l.Delimiter))
	x.Number("MaxKeys", int64(l.Max))
	x.Optional("EncodingType", q.Query.Get("encoding-type"))
}

func listingBody(q *call.Request, x *wire.XML, b *store.Bucket, l *Listing, p *store.Page) {
	owner := q.Operation == "ListObjects" || q.Query.Get("fetch-owner") == "true"
	const roughly = 400 // bytes per object
	x.Grow(roughly * len(p.Objects))
	for _, o := range p.Objects {
		x.Open("Contents")
		x.Element("Key", l.Encode(o.Key))
		listed(x, o)
		restoreStatus(q, x, o)
		if owner {
			OwnerElement(x, "Owner", cmp.Or(o.Owner, b.Account.ID()))
		}
		x.Close("Contents")
	}
	commonPrefixes(x, l, p.Prefixes)
}

// listed writes the elements of an object that all listings have in common, except for the key.
func listed(x *wire.XML, o *store.Object) {
	x.Time("LastModified", o.Modified)
	x.Element("ETag", `"`+o.ETag+`"`)
	if o.Checksum.Algorithm != "" {
		x.Element("ChecksumAlgorithm", o.Checksum.Algorithm)
		x.Element("ChecksumType", o.Checksum.Kind())
	}
	x.Number("Size", o.Size)
	x.Element("StorageClass", o.StorageClass)
}

// OwnerElement writes the element of an owner or initiator.
func OwnerElement(x *wire.XML, name, account string) {
	x.Open(name)
	x.Element("ID", account)
	x.Close(name)
}

func commonPrefixes(x *wire.XML, l *Listing, prefixes []string) {
	for _, prefix := range prefixes {
		x.Open("CommonPrefixes")
		x.Element("Prefix", l.Encode(prefix))
		x.Close("CommonPrefixes")
	}
}

// tokenMark makes continuation tokens look different from keys.
const tokenMark = "1/"

func writeToken(last string) string {
	return base64.StdEncoding.EncodeToString([]byte(tokenMark + last))
}

func readToken(token string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(token)
	last, ours := strings.CutPrefix(string(b), tokenMark)
	if err != nil || !ours {
		return "", wire.ErrInvalidArgument("The continuation token provided is incorrect")
	}
	return last, nil
}

func listObjectVersions(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	l, err := ReadListing(q, "max-keys")
	if err != nil {
		return nil, err
	}
	l.After = q.Query.Get("key-marker")
	versionMarker := q.Query.Get("version-id-marker")
	if err := AllowList(q, b, "s3:ListBucketVersions"); err != nil {
		return nil, err
	}
	p := b.ListVersions(&l.Walk, versionMarker)
	x := wire.NewXML()
	x.OpenNS("ListVersionsResult", call.Namespace)
	listingHead(q, x, l)
	x.Element("KeyMarker", l.Encode(l.After))
	x.Element("VersionIdMarker", versionMarker)
	x.Boolean("IsTruncated", p.Truncated)
	if p.Truncated {
		x.Element("NextKeyMarker", l.Encode(p.NextKey))
		x.Optional("NextVersionIdMarker", p.NextVersion)
	}
	for _, v := range p.Versions {
		versionElement(x, b, l, v)
	}
	commonPrefixes(x, l, p.Prefixes)
	x.Close("ListVersionsResult")
	return wire.AnswerXML(x), nil
}

func versionElement(x *wire.XML, b *store.Bucket, l *Listing, o store.ListedVersion) {
	name := "Version"
	if o.Marker {
		name = "DeleteMarker"
	}
	x.Open(name)
	x.Element("Key", l.Encode(o.Key))
	x.Element("VersionId", o.VersionID)
	x.Boolean("IsLatest", o.Latest)
	if o.Marker {
		x.Time("LastModified", o.Modified)
	} else {
		listed(x, o.Object)
	}
	OwnerElement(x, "Owner", b.Account.ID())
	x.Close(name)
}

func listBuckets(q *call.Request, _ *store.Bucket) (*wire.Response, error) {
	a := q.Caller.Account
	if err := q.AllowAnything("s3:ListAllMyBuckets"); err != nil {
		return nil, err
	}
	x := wire.NewXML()
	x.OpenNS("ListAllMyBucketsResult", call.Namespace)
	OwnerElement(x, "Owner", a.ID())
	x.Open("Buckets")
	for _, b := range q.Store.BucketsOf(a) {
		x.Open("Bucket")
		x.Element("Name", b.Name())
		x.Time("CreationDate", b.Created)
		x.Element("BucketRegion", b.Region)
		x.Close("Bucket")
	}
	x.Close("Buckets")
	x.Close("ListAllMyBucketsResult")
	return wire.AnswerXML(x), nil
}

// Listing is one page of keys, as requested.
type Listing struct {
	store.Walk
	Encode func(string) string
}

// restoreStatus writes the status of a restored object, if the listing requested it.
func restoreStatus(q *call.Request, x *wire.XML, o *store.Object) {
	if !o.InArchive() || o.Archived(q.Cloud.Now()) ||
		!strings.Contains(q.HTTP.Header.Get("X-Amz-Optional-Object-Attributes"), "RestoreStatus") {
		return
	}
	x.Open("RestoreStatus")
	x.Boolean("IsRestoreInProgress", false)
	x.Time("RestoreExpiryDate", o.RestoredUntil)
	x.Close("RestoreStatus")
}
