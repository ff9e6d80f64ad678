package object

import (
	"errors"
	"net/http"
	"strconv"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/content"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

func deleteObject(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	version := q.Query.Get("versionId")
	action, facts := "s3:DeleteObject", map[string][]string(nil)
	if version != "" {
		action, facts = "s3:DeleteObjectVersion", map[string][]string{"s3:versionid": {version}}
	}
	if err := q.Allow(b, action, q.Key, facts); err != nil {
		return nil, err
	}
	condition := q.HTTP.Header.Get("If-Match")
	if condition != "" && condition != "*" {
		if err := q.Allow(b, "s3:GetObject", q.Key, nil); err != nil {
			return nil, err
		}
	}
	d, err := erase(q, b, store.Erasing{Key: q.Key, Version: version, Condition: condition})
	if err != nil {
		return nil, err
	}
	res := wire.Answer(http.StatusNoContent)
	if d.Marker {
		res.Header.Set("X-Amz-Delete-Marker", "true")
	}
	if d.Version != "" {
		res.Header.Set("X-Amz-Version-Id", d.Version)
	}
	return res, nil
}

// deletion is the request body of DeleteObjects.
type deletion struct {
	Quiet  bool
	Object []struct {
		Key, ETag string
		VersionID string `xml:"VersionId"`
	}
}

func deleteObjects(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if algorithm, _ := content.SentChecksum(q.HTTP.Header); algorithm == "" && q.HTTP.Header.Get("Content-Md5") == "" {
		return nil, wire.ErrInvalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
	}
	var in deletion
	if err := q.ReadXML(&in); err != nil {
		return nil, err
	}
	if len(in.Object) == 0 || len(in.Object) > call.MaxPage {
		return nil, call.ErrMalformedXML()
	}
	x := wire.NewXML()
	x.OpenNS("DeleteResult", call.Namespace)
	for _, o := range in.Object {
		d, err := deleteOne(q, b, o.Key, o.VersionID, o.ETag)
		if refused, ok := errors.AsType[*wire.Error](err); ok {
			x.Open("Error")
			x.Element("Key", o.Key)
			x.Optional("VersionId", o.VersionID)
			x.Element("Code", refused.Code)
			x.Element("Message", refused.Message)
			x.Close("Error")
			continue
		} else if err != nil {
			return nil, err
		}
		if !in.Quiet {
			writeErasure(d, x, o.Key, o.VersionID)
		}
	}
	x.Close("DeleteResult")
	return wire.AnswerXML(x), nil
}

func deleteOne(q *call.Request, b *store.Bucket, key, version, etag string) (store.Erasure, error) {
	action := "s3:DeleteObject"
	if version != "" {
		action = "s3:DeleteObjectVersion"
	}
	if err := q.Allow(b, action, key, nil); err != nil {
		return store.Erasure{}, err
	}
	return erase(q, b, store.Erasing{Key: key, Version: version, Condition: etag})
}

func writeErasure(d store.Erasure, x *wire.XML, key, version string) {
	x.Open("Deleted")
	x.Element("Key", key)
	x.Optional("VersionId", version)
	if d.Marker {
		x.Element("DeleteMarker", strconv.FormatBool(true))
		x.Element("DeleteMarkerVersionId", d.Version)
	}
	x.Close("Deleted")
}

// erase deletes a key or version if the caller is allowed to delete it.
func erase(q *call.Request, b *store.Bucket, e store.Erasing) (store.Erasure, error) {
	pass, err := bypass(q, b, e.Key)
	if err != nil {
		return store.Erasure{}, err
	}
	return b.Erase(e, pass)
}
