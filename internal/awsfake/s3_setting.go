package awsfake

import (
	"net/http"
	"slices"
	"strings"
)

// The limits of lifecycle rules and of the tags of a bucket (Amazon S3 User Guide).
const (
	maxLifecycleRules = 1000
	maxBucketTags     = 50
)

// lifecycleRule is a rule as it came. It is kept and answered, and nothing acts on it.
type lifecycleRule struct {
	ID, Status string
	Text       string `xml:",innerxml"`
}

// bucketTag is a tag of a bucket.
type bucketTag struct{ Key, Value string }

func (q *request) getBucketOwnershipControls(b *Bucket) (*response, error) {
	return q.setting(b, "s3:GetBucketOwnershipControls", func(x *xmlWriter) {
		x.openNS("OwnershipControls", s3Namespace)
		x.open("Rule")
		x.element("ObjectOwnership", "BucketOwnerEnforced")
		x.close("Rule")
		x.close("OwnershipControls")
	})
}

// putBucketOwnershipControls takes what is in force already: the fake has no ACLs.
func (q *request) putBucketOwnershipControls(b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutBucketOwnershipControls", "", nil); err != nil {
		return nil, err
	}
	var in struct {
		Rule []struct{ ObjectOwnership string }
	}
	if err := q.readXML(&in); err != nil {
		return nil, err
	}
	switch {
	case len(in.Rule) != 1:
		return nil, errMalformedXML()
	case in.Rule[0].ObjectOwnership == "BucketOwnerEnforced":
		return answer(http.StatusOK), nil
	case in.Rule[0].ObjectOwnership == "BucketOwnerPreferred" || in.Rule[0].ObjectOwnership == "ObjectWriter":
		return nil, errNotImplemented("ObjectOwnership " + in.Rule[0].ObjectOwnership)
	}
	return nil, errMalformedXML()
}

func (q *request) deleteBucketEncryption(b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutEncryptionConfiguration", "", nil); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rule = encryptionRule{}
	return answer(http.StatusNoContent), nil
}

func (q *request) getBucketLifecycle(b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:GetLifecycleConfiguration", "", nil); err != nil {
		return nil, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if len(b.lifecycle) == 0 {
		return nil, refuse(http.StatusNotFound, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist").with("BucketName", b.name)
	}
	x := newXML()
	x.openNS("LifecycleConfiguration", s3Namespace)
	for _, r := range b.lifecycle {
		x.open("Rule")
		x.b.WriteString(r.Text)
		x.close("Rule")
	}
	x.close("LifecycleConfiguration")
	return answerXML(x), nil
}

func (q *request) putBucketLifecycle(b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutLifecycleConfiguration", "", nil); err != nil {
		return nil, err
	}
	var in struct{ Rule []lifecycleRule }
	if err := q.readXML(&in); err != nil {
		return nil, err
	}
	if len(in.Rule) == 0 || len(in.Rule) > maxLifecycleRules {
		return nil, errMalformedXML()
	}
	var ids []string
	for _, r := range in.Rule {
		if r.Status != "Enabled" && r.Status != "Disabled" {
			return nil, errMalformedXML()
		}
		if !acts(r.Text) {
			return nil, errInvalidRequest("At least one action needs to be specified in a rule")
		}
		if r.ID != "" && slices.Contains(ids, r.ID) {
			return nil, errInvalidArgument("Rule ID must be unique. Found same ID for more than one rule")
		}
		ids = append(ids, r.ID)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lifecycle = in.Rule
	res := answer(http.StatusOK)
	res.header.Set("X-Amz-Transition-Default-Minimum-Object-Size", "all_storage_classes_128K")
	return res, nil
}

// acts reports whether a lifecycle rule does anything.
func acts(rule string) bool {
	return slices.ContainsFunc([]string{"Expiration", "Transition", "AbortIncompleteMultipartUpload"}, func(action string) bool {
		return strings.Contains(rule, action)
	})
}

func (q *request) deleteBucketLifecycle(b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutLifecycleConfiguration", "", nil); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lifecycle = nil
	return answer(http.StatusNoContent), nil
}

func (q *request) getBucketTagging(b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:GetBucketTagging", "", nil); err != nil {
		return nil, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if len(b.tags) == 0 {
		return nil, refuse(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist").with("BucketName", b.name)
	}
	x := newXML()
	x.openNS("Tagging", s3Namespace)
	x.open("TagSet")
	for _, t := range b.tags {
		x.open("Tag")
		x.element("Key", t.Key)
		x.element("Value", t.Value)
		x.close("Tag")
	}
	x.close("TagSet")
	x.close("Tagging")
	return answerXML(x), nil
}

func (q *request) putBucketTagging(b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutBucketTagging", "", nil); err != nil {
		return nil, err
	}
	var in struct {
		Tags []bucketTag `xml:"TagSet>Tag"`
	}
	if err := q.readXML(&in); err != nil {
		return nil, err
	}
	if len(in.Tags) > maxBucketTags {
		return nil, refuse(http.StatusBadRequest, "BadRequest", "Bucket tag count cannot be greater than %d", maxBucketTags)
	}
	var keys []string
	for _, t := range in.Tags {
		if slices.Contains(keys, t.Key) {
			return nil, refuse(http.StatusBadRequest, "InvalidTag", "Cannot provide multiple Tags with the same key")
		}
		if !validTag(t.Key, t.Value) {
			return nil, refuse(http.StatusBadRequest, "InvalidTag", "The TagKey or TagValue you have provided is invalid").with("TagKey", t.Key)
		}
		keys = append(keys, t.Key)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tags = in.Tags
	return answer(http.StatusNoContent), nil
}

func (q *request) deleteBucketTagging(b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutBucketTagging", "", nil); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tags = nil
	return answer(http.StatusNoContent), nil
}
