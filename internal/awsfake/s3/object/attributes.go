package object

import (
	"net/http"
	"strings"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

func getObjectAttributes(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	o, err := q.Open(q.Target(b, "s3:GetObject"))
	if err != nil {
		return nil, err
	}
	if err := q.Allow(b, q.Target(b, "s3:GetObjectAttributes").Permission(), q.Key, nil); err != nil {
		return nil, err
	}
	if err := refuseSSEC(q, o); err != nil {
		return nil, err
	}
	if _, err := q.OpenDataKey(o.Crypt, b.Region); err != nil {
		return nil, err
	}
	x := wire.NewXML()
	x.OpenNS("GetObjectAttributesResponse", call.Namespace)
	for name := range strings.SplitSeq(strings.Join(q.HTTP.Header.Values("X-Amz-Object-Attributes"), ","), ",") {
		attribute(o, x, strings.TrimSpace(name))
	}
	x.Close("GetObjectAttributesResponse")
	res := wire.AnswerXML(x)
	res.Header.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	call.SetVersion(res.Header, b, o)
	return res, nil
}

func attribute(o *store.Object, x *wire.XML, name string) {
	switch name {
	case "ETag":
		x.Element("ETag", o.ETag)
	case "ObjectSize":
		x.Number("ObjectSize", o.Size)
	case "StorageClass":
		x.Element("StorageClass", o.StorageClass)
	case "Checksum":
		if o.Checksum.Algorithm == "" {
			return
		}
		x.Open("Checksum")
		o.Checksum.Write(x)
		x.Element("ChecksumType", o.Checksum.Kind())
		x.Close("Checksum")
	case "ObjectParts":
		if len(o.Parts) > 0 {
			x.Open("ObjectParts")
			x.Number("PartsCount", int64(len(o.Parts)))
			x.Close("ObjectParts")
		}
	}
}
