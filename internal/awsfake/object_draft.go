package awsfake

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
)

func readDraft(q *s3Request, b *Bucket) (*draft, error) {
	h := q.http.Header
	d := &draft{headers: systemHeaders(h), metadata: userMetadata(h), storageClass: cmp.Or(h.Get("X-Amz-Storage-Class"), classStandard), acl: h.Get("X-Amz-Acl")}
	if err := refuseForeignHeaders(h); err != nil {
		return nil, err
	}
	if !slices.Contains(storageClasses(), d.storageClass) {
		return nil, refuse(http.StatusBadRequest, "InvalidStorageClass", "The storage class you specified is not valid")
	}
	err := checkMetadata(d.metadata)
	if err != nil {
		return nil, err
	}
	if d.redirect, err = readRedirect(h); err != nil {
		return nil, err
	}
	if d.lock, err = readLock(q, b); err != nil {
		return nil, err
	}
	if d.tags, err = parseTagging(h.Get("X-Amz-Tagging")); err != nil {
		return nil, err
	}
	if d.rule, err = readEncryption(q, b); err != nil {
		return nil, err
	}
	d.algorithm = strings.ToUpper(h.Get("X-Amz-Checksum-Algorithm"))
	if d.algorithm != "" && newHash(d.algorithm) == nil {
		return nil, errInvalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	d.conditions, err = readWriteConditions(q)
	return d, err
}

func storageClasses() []string {
	return []string{
		classStandard, "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", classIntelligentTiering, classGlacier, classDeepArchive, "GLACIER_IR",
	}
}

// refuseForeignHeaders names what a request asks for and the fake does not have, instead of dropping it.
func refuseForeignHeaders(h http.Header) error {
	for name := range h {
		lower := strings.ToLower(name)
		if strings.Contains(lower, "server-side-encryption-customer-") || lower == "x-amz-server-side-encryption-context" {
			return errNotImplemented(lower)
		}
		if strings.HasPrefix(lower, "x-amz-grant-") || lower == "x-amz-acl" && h.Get(name) != "bucket-owner-full-control" {
			return refuse(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs")
		}
	}
	return nil
}

func readWriteConditions(q *s3Request) (writeConditions, error) {
	if q.ignoresConditions {
		return writeConditions{}, nil
	}
	w := writeConditions{match: q.http.Header.Get("If-Match"), noneMatch: q.http.Header.Get("If-None-Match")}
	if w.noneMatch != "" && w.noneMatch != "*" {
		return w, errNotImplemented("If-None-Match other than *")
	}
	return w, nil
}

// facts are the condition keys that the draft brings to s3:PutObject. A bucket's default encryption
// is not among them: S3 sees only what the request says.
func writeFacts(q *s3Request, d *draft, creates bool) map[string][]string {
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
		if v := q.http.Header.Get(header); v != "" {
			f[key] = []string{v}
		}
	}
	if d == nil {
		return f
	}
	if q.http.Header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id") != "" {
		f["s3:x-amz-server-side-encryption-aws-kms-key-id"] = []string{d.rule.key.ARN()}
	}
	for k, v := range d.tags {
		f["s3:RequestObjectTag/"+k] = []string{v}
	}
	if len(d.tags) > 0 {
		f["s3:RequestObjectTagKeys"] = slices.Sorted(maps.Keys(d.tags))
	}
	return f
}

// partFacts are the condition keys of a part and of the end of an upload. The ACL is that with which the upload was begun: policies that
// demand one do not refuse the parts, which cannot bring it (as clients that upload in parts under such policies show; no document says so).
func partFacts(q *s3Request, b *Bucket, creates bool) map[string][]string {
	f := writeFacts(q, nil, creates)
	if u, err := b.upload(q.query.Get("uploadId"), q.key); err == nil && u.draft.acl != "" {
		f["s3:x-amz-acl"] = []string{u.draft.acl}
	}
	return f
}

// allowWrite authorises writing the draft under the request's key.
func allowWrite(q *s3Request, b *Bucket, d *draft, creates bool) error {
	facts := writeFacts(q, d, creates)
	if err := q.allow(b, "s3:PutObject", q.key, facts); err != nil {
		return err
	}
	if q.http.Header.Get("X-Amz-Acl") != "" {
		if err := q.allow(b, "s3:PutObjectAcl", q.key, facts); err != nil {
			return err
		}
	}
	if len(d.tags) > 0 {
		if err := q.allow(b, "s3:PutObjectTagging", q.key, facts); err != nil {
			return err
		}
	}
	if err := allowLock(q, b, facts); err != nil {
		return err
	}
	if d.conditions.match != "" {
		return q.allow(b, "s3:GetObject", q.key, nil)
	}
	return nil
}
