package setting

import (
	"net/http"
	"slices"
	"strings"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

// Limits of lifecycle rules and bucket tags (Amazon S3 User Guide).
const (
	maxLifecycleRules = 1000
	maxBucketTags     = 50
)

func getBucketOwnershipControls(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	return setting(q, b, "s3:GetBucketOwnershipControls", func(x *wire.XML) {
		x.OpenNS("OwnershipControls", call.Namespace)
		x.Open("Rule")
		x.Element("ObjectOwnership", "BucketOwnerEnforced")
		x.Close("Rule")
		x.Close("OwnershipControls")
	})
}

// putBucketOwnershipControls accepts only the current setting: the fake has no ACLs.
func putBucketOwnershipControls(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:PutBucketOwnershipControls", "", nil); err != nil {
		return nil, err
	}
	var in struct {
		Rule []struct{ ObjectOwnership string }
	}
	if err := q.ReadXML(&in); err != nil {
		return nil, err
	}
	switch {
	case len(in.Rule) != 1:
		return nil, call.ErrMalformedXML()
	case in.Rule[0].ObjectOwnership == "BucketOwnerEnforced":
		return wire.Answer(http.StatusOK), nil
	case in.Rule[0].ObjectOwnership == "BucketOwnerPreferred" || in.Rule[0].ObjectOwnership == "ObjectWriter":
		return nil, wire.ErrNotImplemented("ObjectOwnership " + in.Rule[0].ObjectOwnership)
	}
	return nil, call.ErrMalformedXML()
}

func deleteBucketEncryption(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:PutEncryptionConfiguration", "", nil); err != nil {
		return nil, err
	}
	b.Configure(func(set *store.Settings) { set.Rule = store.EncryptionRule{} })
	return wire.Answer(http.StatusNoContent), nil
}

func getBucketLifecycle(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:GetLifecycleConfiguration", "", nil); err != nil {
		return nil, err
	}
	set := b.Settings()
	if len(set.Lifecycle) == 0 {
		return nil, wire.Refuse(http.StatusNotFound, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist").With("BucketName", b.Name())
	}
	x := wire.NewXML()
	x.OpenNS("LifecycleConfiguration", call.Namespace)
	for _, r := range set.Lifecycle {
		x.Open("Rule")
		x.Raw([]byte(r.Text))
		x.Close("Rule")
	}
	x.Close("LifecycleConfiguration")
	return wire.AnswerXML(x), nil
}

func putBucketLifecycle(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:PutLifecycleConfiguration", "", nil); err != nil {
		return nil, err
	}
	var in struct{ Rule []store.LifecycleRule }
	if err := q.ReadXML(&in); err != nil {
		return nil, err
	}
	if len(in.Rule) == 0 || len(in.Rule) > maxLifecycleRules {
		return nil, call.ErrMalformedXML()
	}
	var ids []string
	for _, r := range in.Rule {
		if r.Status != "Enabled" && r.Status != "Disabled" {
			return nil, call.ErrMalformedXML()
		}
		if !acts(r.Text) {
			return nil, wire.ErrInvalidRequest("At least one action needs to be specified in a rule")
		}
		if r.ID != "" && slices.Contains(ids, r.ID) {
			return nil, wire.ErrInvalidArgument("Rule ID must be unique. Found same ID for more than one rule")
		}
		ids = append(ids, r.ID)
	}
	b.Configure(func(set *store.Settings) { set.Lifecycle = in.Rule })
	res := wire.Answer(http.StatusOK)
	res.Header.Set("X-Amz-Transition-Default-Minimum-Object-Size", "all_storage_classes_128K")
	return res, nil
}

// acts reports whether a lifecycle rule has an action.
func acts(rule string) bool {
	return slices.ContainsFunc([]string{"Expiration", "Transition", "AbortIncompleteMultipartUpload"}, func(action string) bool {
		return strings.Contains(rule, action)
	})
}

func deleteBucketLifecycle(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:PutLifecycleConfiguration", "", nil); err != nil {
		return nil, err
	}
	b.Configure(func(set *store.Settings) { set.Lifecycle = nil })
	return wire.Answer(http.StatusNoContent), nil
}

func getBucketTagging(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:GetBucketTagging", "", nil); err != nil {
		return nil, err
	}
	set := b.Settings()
	if len(set.Tags) == 0 {
		return nil, wire.Refuse(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist").With("BucketName", b.Name())
	}
	x := wire.NewXML()
	x.OpenNS("Tagging", call.Namespace)
	x.Open("TagSet")
	for _, t := range set.Tags {
		x.Open("Tag")
		x.Element("Key", t.Key)
		x.Element("Value", t.Value)
		x.Close("Tag")
	}
	x.Close("TagSet")
	x.Close("Tagging")
	return wire.AnswerXML(x), nil
}

func putBucketTagging(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:PutBucketTagging", "", nil); err != nil {
		return nil, err
	}
	var in struct {
		Tags []store.Tag `xml:"TagSet>Tag"`
	}
	if err := q.ReadXML(&in); err != nil {
		return nil, err
	}
	if len(in.Tags) > maxBucketTags {
		return nil, wire.Refuse(http.StatusBadRequest, "BadRequest", "Bucket tag count cannot be greater than %d", maxBucketTags)
	}
	var keys []string
	for _, t := range in.Tags {
		if slices.Contains(keys, t.Key) {
			return nil, wire.Refuse(http.StatusBadRequest, "InvalidTag", "Cannot provide multiple Tags with the same key")
		}
		if !wire.ValidTag(t.Key, t.Value) {
			return nil, wire.Refuse(http.StatusBadRequest, "InvalidTag", "The TagKey or TagValue you have provided is invalid").With("TagKey", t.Key)
		}
		keys = append(keys, t.Key)
	}
	b.Configure(func(set *store.Settings) { set.Tags = in.Tags })
	return wire.Answer(http.StatusNoContent), nil
}

func deleteBucketTagging(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:PutBucketTagging", "", nil); err != nil {
		return nil, err
	}
	b.Configure(func(set *store.Settings) { set.Tags = nil })
	return wire.Answer(http.StatusNoContent), nil
}

func getObjectLockConfiguration(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	locked := b.Settings().ObjectLock
	if err := q.Allow(b, "s3:GetBucketObjectLockConfiguration", "", nil); err != nil {
		return nil, err
	}
	if !locked {
		return nil, wire.Refuse(http.StatusNotFound, "ObjectLockConfigurationNotFoundError",
			"Object Lock configuration does not exist for this bucket").With("BucketName", b.Name())
	}
	x := wire.NewXML()
	x.OpenNS("ObjectLockConfiguration", call.Namespace)
	x.Element("ObjectLockEnabled", "Enabled")
	x.Close("ObjectLockConfiguration")
	return wire.AnswerXML(x), nil
}
