package object

import (
	"maps"
	"net/http"
	"slices"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

// tagSet is the XML form of tags.
type tagSet struct {
	Tags []struct{ Key, Value string } `xml:"TagSet>Tag"`
}

func getObjectTagging(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	o, err := q.Open(q.Target(b, "s3:GetObjectTagging"))
	if err != nil {
		return nil, err
	}
	x := wire.NewXML()
	x.OpenNS("Tagging", call.Namespace)
	x.Open("TagSet")
	for _, k := range slices.Sorted(maps.Keys(o.Tags)) {
		x.Open("Tag")
		x.Element("Key", k)
		x.Element("Value", o.Tags[k])
		x.Close("Tag")
	}
	x.Close("TagSet")
	x.Close("Tagging")
	res := wire.AnswerXML(x)
	call.SetVersion(res.Header, b, o)
	return res, nil
}

func putObjectTagging(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	var in tagSet
	if err := q.ReadXML(&in); err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, t := range in.Tags {
		if _, twice := tags[t.Key]; twice {
			return nil, wire.Refuse(http.StatusBadRequest, "InvalidTag", "Cannot provide multiple Tags with the same key")
		}
		tags[t.Key] = t.Value
	}
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	return retag(q, b, "s3:PutObjectTagging", tags, http.StatusOK)
}

func deleteObjectTagging(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	return retag(q, b, "s3:DeleteObjectTagging", nil, http.StatusNoContent)
}

// retag replaces a version with one that has different tags.
func retag(q *call.Request, b *store.Bucket, action string, tags map[string]string, status int) (*wire.Response, error) {
	for {
		o, err := q.Open(q.Target(b, action))
		if err != nil {
			return nil, err
		}
		changed := *o
		changed.Tags = tags
		if b.Replace(o, &changed) {
			res := wire.Answer(status)
			call.SetVersion(res.Header, b, o)
			return res, nil
		}
	}
}
