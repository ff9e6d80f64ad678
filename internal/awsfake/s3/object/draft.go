package object

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/content"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

// ReadDraft returns the object that the headers of a write describe.
func ReadDraft(q *call.Request, b *store.Bucket) (*store.Draft, error) {
	h := q.HTTP.Header
	d := &store.Draft{Headers: systemHeaders(h), Metadata: userMetadata(h), StorageClass: cmp.Or(h.Get("X-Amz-Storage-Class"), store.ClassStandard), ACL: h.Get("X-Amz-Acl")}
	if err := refuseForeignHeaders(h); err != nil {
		return nil, err
	}
	if !slices.Contains(storageClasses(), d.StorageClass) {
		return nil, wire.Refuse(http.StatusBadRequest, "InvalidStorageClass", "The storage class you specified is not valid")
	}
	err := checkMetadata(d.Metadata)
	if err != nil {
		return nil, err
	}
	if d.Redirect, err = readRedirect(h); err != nil {
		return nil, err
	}
	if d.Lock, err = readLock(q, b); err != nil {
		return nil, err
	}
	if d.Tags, err = parseTagging(h.Get("X-Amz-Tagging")); err != nil {
		return nil, err
	}
	if d.Rule, err = readEncryption(q, b); err != nil {
		return nil, err
	}
	d.Algorithm = strings.ToUpper(h.Get("X-Amz-Checksum-Algorithm"))
	if d.Algorithm != "" && content.NewHash(d.Algorithm) == nil {
		return nil, wire.ErrInvalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	d.Conditions, err = ReadWriteConditions(q)
	return d, err
}

func storageClasses() []string {
	return []string{
		store.ClassStandard, "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", store.ClassIntelligentTiering, store.ClassGlacier, store.ClassDeepArchive, "GLACIER_IR",
	}
}

// refuseForeignHeaders rejects headers that the fake does not implement, instead of ignoring them.
func refuseForeignHeaders(h http.Header) error {
	for name := range h {
		lower := strings.ToLower(name)
		if strings.Contains(lower, "server-side-encryption-customer-") || lower == "x-amz-server-side-encryption-context" {
			return wire.ErrNotImplemented(lower)
		}
		if strings.HasPrefix(lower, "x-amz-grant-") || lower == "x-amz-acl" && h.Get(name) != "bucket-owner-full-control" {
			return wire.Refuse(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs")
		}
	}
	return nil
}

// ReadWriteConditions returns the conditions of a write.
func ReadWriteConditions(q *call.Request) (store.Conditions, error) {
	if q.IgnoresConditions {
		return store.Conditions{}, nil
	}
	w := store.Conditions{Match: q.HTTP.Header.Get("If-Match"), NoneMatch: q.HTTP.Header.Get("If-None-Match")}
	if w.NoneMatch != "" && w.NoneMatch != "*" {
		return w, wire.ErrNotImplemented("If-None-Match other than *")
	}
	return w, nil
}

// writeFacts returns the condition keys that the draft adds to s3:PutObject. They do not include
// the bucket's default encryption, because S3 evaluates only what the request contains.
func writeFacts(q *call.Request, d *store.Draft, creates bool) map[string][]string {
	f := map[string][]string{"s3:ObjectCreationOperation": {map[bool]string{true: "true", false: "false"}[creates]}}
	for key, header := range map[string]string{
		"s3:x-amz-server-side-encryption": "X-Amz-Server-Side-Encryption",
		"s3:x-amz-storage-class":          "X-Amz-Storage-Class",
		"s3:x-amz-copy-source":            "X-Amz-Copy-Source",
		"s3:x-amz-metadata-directive":     "X-Amz-Metadata-Directive",
		"s3:x-amz-acl":                    "X-Amz-Acl",
		"s3:if-match":                     "If-Match",
		"s3:if-none-match":                "If-None-Match",
	} {
		if v := q.HTTP.Header.Get(header); v != "" {
			f[key] = []string{v}
		}
	}
	if d == nil {
		return f
	}
	if q.HTTP.Header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id") != "" {
		f["s3:x-amz-server-side-encryption-aws-kms-key-id"] = []string{d.Rule.Key.ARN()}
	}
	for k, v := range d.Tags {
		f["s3:RequestObjectTag/"+k] = []string{v}
	}
	if len(d.Tags) > 0 {
		f["s3:RequestObjectTagKeys"] = slices.Sorted(maps.Keys(d.Tags))
	}
	return f
}

// PartFacts returns the condition keys for uploading a part and for completing an upload. The ACL
// is the ACL of the request that started the upload, because requests for parts cannot have an ACL
// header. So policies that require an ACL do not reject parts. AWS does not document this, but
// clients that upload in parts under such policies work.
func PartFacts(q *call.Request, b *store.Bucket, creates bool) map[string][]string {
	f := writeFacts(q, nil, creates)
	if u, err := b.Upload(q.Query.Get("uploadId"), q.Key); err == nil && u.Draft.ACL != "" {
		f["s3:x-amz-acl"] = []string{u.Draft.ACL}
	}
	return f
}

// AllowWrite authorises writing the draft with the request's key.
func AllowWrite(q *call.Request, b *store.Bucket, d *store.Draft, creates bool) error {
	facts := writeFacts(q, d, creates)
	if err := q.Allow(b, "s3:PutObject", q.Key, facts); err != nil {
		return err
	}
	if q.HTTP.Header.Get("X-Amz-Acl") != "" {
		if err := q.Allow(b, "s3:PutObjectAcl", q.Key, facts); err != nil {
			return err
		}
	}
	if len(d.Tags) > 0 {
		if err := q.Allow(b, "s3:PutObjectTagging", q.Key, facts); err != nil {
			return err
		}
	}
	if err := allowLock(q, b, facts); err != nil {
		return err
	}
	if d.Conditions.Match != "" {
		return q.Allow(b, "s3:GetObject", q.Key, nil)
	}
	return nil
}
