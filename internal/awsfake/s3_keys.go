package awsfake

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// tagSet is tags on the wire.
type tagSet struct {
	Tags []struct{ Key, Value string } `xml:"TagSet>Tag"`
}

func (q *request) getObjectTagging(b *Bucket) (*response, error) {
	o, err := q.open(q.target(b, "s3:GetObjectTagging"))
	if err != nil {
		return nil, err
	}
	x := newXML()
	x.openNS("Tagging", s3Namespace)
	x.open("TagSet")
	for _, k := range slices.Sorted(maps.Keys(o.tags)) {
		x.open("Tag")
		x.element("Key", k)
		x.element("Value", o.tags[k])
		x.close("Tag")
	}
	x.close("TagSet")
	x.close("Tagging")
	res := answerXML(x)
	setVersion(res.header, b, o)
	return res, nil
}

func (q *request) putObjectTagging(b *Bucket) (*response, error) {
	var in tagSet
	if err := q.readXML(&in); err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, t := range in.Tags {
		if _, twice := tags[t.Key]; twice {
			return nil, refuse(http.StatusBadRequest, "InvalidTag", "Cannot provide multiple Tags with the same key")
		}
		tags[t.Key] = t.Value
	}
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	return q.retag(b, "s3:PutObjectTagging", tags, http.StatusOK)
}

func (q *request) deleteObjectTagging(b *Bucket) (*response, error) {
	return q.retag(b, "s3:DeleteObjectTagging", nil, http.StatusNoContent)
}

// retag puts a version with other tags in the place of the one there is.
func (q *request) retag(b *Bucket, action string, tags map[string]string, status int) (*response, error) {
	for {
		o, err := q.open(q.target(b, action))
		if err != nil {
			return nil, err
		}
		changed := *o
		changed.tags = tags
		b.mu.Lock()
		done := b.replace(o, &changed)
		b.mu.Unlock()
		if done {
			res := answer(status)
			setVersion(res.header, b, o)
			return res, nil
		}
	}
}

func (q *request) getObjectAttributes(b *Bucket) (*response, error) {
	o, err := q.open(q.target(b, "s3:GetObject"))
	if err != nil {
		return nil, err
	}
	if err := q.allow(b, q.target(b, "s3:GetObjectAttributes").permission(), q.key, nil); err != nil {
		return nil, err
	}
	if err := q.refuseSSEC(o); err != nil {
		return nil, err
	}
	if _, err := q.openDataKey(o.crypt, b.region); err != nil {
		return nil, err
	}
	x := newXML()
	x.openNS("GetObjectAttributesResponse", s3Namespace)
	for name := range strings.SplitSeq(strings.Join(q.http.Header.Values("X-Amz-Object-Attributes"), ","), ",") {
		o.attribute(x, strings.TrimSpace(name))
	}
	x.close("GetObjectAttributesResponse")
	res := answerXML(x)
	res.header.Set("Last-Modified", o.modified.UTC().Format(http.TimeFormat))
	setVersion(res.header, b, o)
	return res, nil
}

func (o *object) attribute(x *xmlWriter, name string) {
	switch name {
	case "ETag":
		x.element("ETag", o.etag)
	case "ObjectSize":
		x.number("ObjectSize", o.size)
	case "StorageClass":
		x.element("StorageClass", o.storageClass)
	case "Checksum":
		if o.checksum.algorithm == "" {
			return
		}
		x.open("Checksum")
		x.element(checksumElement(o.checksum.algorithm), o.checksum.value)
		x.element("ChecksumType", o.checksum.kind())
		x.close("Checksum")
	case "ObjectParts":
		if len(o.parts) > 0 {
			x.open("ObjectParts")
			x.number("PartsCount", int64(len(o.parts)))
			x.close("ObjectParts")
		}
	}
}

// deletion is the body of DeleteObjects.
type deletion struct {
	Quiet  bool
	Object []struct {
		Key, ETag string
		VersionID string `xml:"VersionId"`
	}
}

func (q *request) deleteObjects(b *Bucket) (*response, error) {
	if algorithm, _ := sentChecksum(q.http.Header); algorithm == "" && q.http.Header.Get("Content-Md5") == "" {
		return nil, errInvalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
	}
	var in deletion
	if err := q.readXML(&in); err != nil {
		return nil, err
	}
	if len(in.Object) == 0 || len(in.Object) > maxPage {
		return nil, errMalformedXML()
	}
	x := newXML()
	x.openNS("DeleteResult", s3Namespace)
	for _, o := range in.Object {
		d, err := q.deleteOne(b, o.Key, o.VersionID, o.ETag)
		if refused, ok := errors.AsType[*apiError](err); ok {
			x.open("Error")
			x.element("Key", o.Key)
			x.optional("VersionId", o.VersionID)
			x.element("Code", refused.code)
			x.element("Message", refused.message)
			x.close("Error")
			continue
		} else if err != nil {
			return nil, err
		}
		if !in.Quiet {
			d.element(x, o.Key, o.VersionID)
		}
	}
	x.close("DeleteResult")
	return answerXML(x), nil
}

func (q *request) deleteOne(b *Bucket, key, version, etag string) (erasure, error) {
	action := "s3:DeleteObject"
	if version != "" {
		action = "s3:DeleteObjectVersion"
	}
	if err := q.allow(b, action, key, nil); err != nil {
		return erasure{}, err
	}
	return q.erase(b, erasing{key, version, etag})
}

func (d erasure) element(x *xmlWriter, key, version string) {
	x.open("Deleted")
	x.element("Key", key)
	x.optional("VersionId", version)
	if d.marker {
		x.element("DeleteMarker", strconv.FormatBool(true))
		x.element("DeleteMarkerVersionId", d.version)
	}
	x.close("Deleted")
}
