package awsfake

import (
	"net/http"
	"strings"
)

func getObjectAttributes(q *s3Request, b *Bucket) (*response, error) {
	o, err := q.open(q.target(b, "s3:GetObject"))
	if err != nil {
		return nil, err
	}
	if err := q.allow(b, q.target(b, "s3:GetObjectAttributes").permission(), q.key, nil); err != nil {
		return nil, err
	}
	if err := refuseSSEC(q, o); err != nil {
		return nil, err
	}
	if _, err := q.openDataKey(o.crypt, b.region); err != nil {
		return nil, err
	}
	x := newXML()
	x.openNS("GetObjectAttributesResponse", s3Namespace)
	for name := range strings.SplitSeq(strings.Join(q.http.Header.Values("X-Amz-Object-Attributes"), ","), ",") {
		attribute(o, x, strings.TrimSpace(name))
	}
	x.close("GetObjectAttributesResponse")
	res := answerXML(x)
	res.header.Set("Last-Modified", o.modified.UTC().Format(http.TimeFormat))
	setVersion(res.header, b, o)
	return res, nil
}

func attribute(o *object, x *xmlWriter, name string) {
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
