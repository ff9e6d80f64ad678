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

func getBucketOwnershipControls(q *s3Request, b *Bucket) (*response, error) {
	return setting(q, b, "s3:GetBucketOwnershipControls", func(x *xmlWriter) {
		x.openNS("OwnershipControls", s3Namespace)
		x.open("Rule")
		x.element("ObjectOwnership", "BucketOwnerEnforced")
		x.close("Rule")
		x.close("OwnershipControls")
	})
}

// putBucketOwnershipControls takes what is in force already: the fake has no ACLs.
func putBucketOwnershipControls(q *s3Request, b *Bucket) (*response, error) {
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

func deleteBucketEncryption(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutEncryptionConfiguration", "", nil); err != nil {
		return nil, err
	}
	b.configure(func(set *settings) { set.rule = encryptionRule{} })
	return answer(http.StatusNoContent), nil
}

func getBucketLifecycle(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:GetLifecycleConfiguration", "", nil); err != nil {
		return nil, err
	}
	set := b.settings()
	if len(set.lifecycle) == 0 {
		return nil, refuse(http.StatusNotFound, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist").with("BucketName", b.Name())
	}
	x := newXML()
	x.openNS("LifecycleConfiguration", s3Namespace)
	for _, r := range set.lifecycle {
		x.open("Rule")
		x.raw([]byte(r.Text))
		x.close("Rule")
	}
	x.close("LifecycleConfiguration")
	return answerXML(x), nil
}

func putBucketLifecycle(q *s3Request, b *Bucket) (*response, error) {
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
	b.configure(func(set *settings) { set.lifecycle = in.Rule })
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

func deleteBucketLifecycle(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutLifecycleConfiguration", "", nil); err != nil {
		return nil, err
	}
	b.configure(func(set *settings) { set.lifecycle = nil })
	return answer(http.StatusNoContent), nil
}

func getBucketTagging(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:GetBucketTagging", "", nil); err != nil {
		return nil, err
	}
	set := b.settings()
	if len(set.tags) == 0 {
		return nil, refuse(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist").with("BucketName", b.Name())
	}
	x := newXML()
	x.openNS("Tagging", s3Namespace)
	x.open("TagSet")
	for _, t := range set.tags {
		x.open("Tag")
		x.element("Key", t.Key)
		x.element("Value", t.Value)
		x.close("Tag")
	}
	x.close("TagSet")
	x.close("Tagging")
	return answerXML(x), nil
}

func putBucketTagging(q *s3Request, b *Bucket) (*response, error) {
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
	b.configure(func(set *settings) { set.tags = in.Tags })
	return answer(http.StatusNoContent), nil
}

func deleteBucketTagging(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutBucketTagging", "", nil); err != nil {
		return nil, err
	}
	b.configure(func(set *settings) { set.tags = nil })
	return answer(http.StatusNoContent), nil
}

func getObjectLockConfiguration(q *s3Request, b *Bucket) (*response, error) {
	locked := b.settings().objectLock
	if err := q.allow(b, "s3:GetBucketObjectLockConfiguration", "", nil); err != nil {
		return nil, err
	}
	if !locked {
		return nil, refuse(http.StatusNotFound, "ObjectLockConfigurationNotFoundError",
			"Object Lock configuration does not exist for this bucket").with("BucketName", b.Name())
	}
	x := newXML()
	x.openNS("ObjectLockConfiguration", s3Namespace)
	x.element("ObjectLockEnabled", "Enabled")
	x.close("ObjectLockConfiguration")
	return answerXML(x), nil
}
