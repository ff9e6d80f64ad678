package awsfake

import (
	"errors"
	"net/http"
	"strconv"
)

func deleteObject(q *s3Request, b *Bucket) (*response, error) {
	version := q.query.Get("versionId")
	action, facts := "s3:DeleteObject", map[string][]string(nil)
	if version != "" {
		action, facts = "s3:DeleteObjectVersion", map[string][]string{"s3:versionid": {version}}
	}
	if err := q.allow(b, action, q.key, facts); err != nil {
		return nil, err
	}
	condition := q.http.Header.Get("If-Match")
	if condition != "" && condition != "*" {
		if err := q.allow(b, "s3:GetObject", q.key, nil); err != nil {
			return nil, err
		}
	}
	d, err := erase(q, b, erasing{q.key, version, condition})
	if err != nil {
		return nil, err
	}
	res := answer(http.StatusNoContent)
	if d.marker {
		res.header.Set("X-Amz-Delete-Marker", "true")
	}
	if d.version != "" {
		res.header.Set("X-Amz-Version-Id", d.version)
	}
	return res, nil
}

// deletion is the body of DeleteObjects.
type deletion struct {
	Quiet  bool
	Object []struct {
		Key, ETag string
		VersionID string `xml:"VersionId"`
	}
}

func deleteObjects(q *s3Request, b *Bucket) (*response, error) {
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
		d, err := deleteOne(q, b, o.Key, o.VersionID, o.ETag)
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
			writeErasure(d, x, o.Key, o.VersionID)
		}
	}
	x.close("DeleteResult")
	return answerXML(x), nil
}

func deleteOne(q *s3Request, b *Bucket, key, version, etag string) (erasure, error) {
	action := "s3:DeleteObject"
	if version != "" {
		action = "s3:DeleteObjectVersion"
	}
	if err := q.allow(b, action, key, nil); err != nil {
		return erasure{}, err
	}
	return erase(q, b, erasing{key, version, etag})
}

func writeErasure(d erasure, x *xmlWriter, key, version string) {
	x.open("Deleted")
	x.element("Key", key)
	x.optional("VersionId", version)
	if d.marker {
		x.element("DeleteMarker", strconv.FormatBool(true))
		x.element("DeleteMarkerVersionId", d.version)
	}
	x.close("Deleted")
}

// erase deletes what the caller may delete.
func erase(q *s3Request, b *Bucket, e erasing) (erasure, error) {
	pass, err := bypass(q, b, e.key)
	if err != nil {
		return erasure{}, err
	}
	return b.erase(e, pass)
}
