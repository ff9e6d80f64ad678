package awsfake

import (
	"maps"
	"net/http"
	"slices"
)

// tagSet is tags on the wire.
type tagSet struct {
	Tags []struct{ Key, Value string } `xml:"TagSet>Tag"`
}

func getObjectTagging(q *s3Request, b *Bucket) (*response, error) {
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

func putObjectTagging(q *s3Request, b *Bucket) (*response, error) {
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
	return retag(q, b, "s3:PutObjectTagging", tags, http.StatusOK)
}

func deleteObjectTagging(q *s3Request, b *Bucket) (*response, error) {
	return retag(q, b, "s3:DeleteObjectTagging", nil, http.StatusNoContent)
}

// retag puts a version with other tags in the place of the one there is.
func retag(q *s3Request, b *Bucket, action string, tags map[string]string, status int) (*response, error) {
	for {
		o, err := q.open(q.target(b, action))
		if err != nil {
			return nil, err
		}
		changed := *o
		changed.tags = tags
		if b.replace(o, &changed) {
			res := answer(status)
			setVersion(res.header, b, o)
			return res, nil
		}
	}
}
