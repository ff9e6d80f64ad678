package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
)

const minioTLS = "it accepts customer keys only over TLS"

// encryptionKinds returns source objects that are encrypted with every kind of key that S3
// supports.
func encryptionKinds() []kind {
	kms := func(bucketKey *bool) s3.PutObjectInput {
		return s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String(ownersKey), BucketKeyEnabled: bucketKey}
	}
	return []kind{
		{name: "under the default of the bucket"},
		{name: "under SSE-S3", put: s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAes256}},
		{name: "under SSE-S3 in parts", sizes: []int64{5 * mebibyte, 1}, put: s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAes256}},
		{name: "under SSE-KMS", put: kms(aws.Bool(false))},
		{name: "under SSE-KMS with a bucket key", put: kms(aws.Bool(true))},
		{
			name: "under DSSE-KMS", minio: "DSSE is refused",
			put: s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAwsKmsDsse, SSEKMSKeyId: aws.String(ownersKey)},
		},
		// Other accounts cannot use the key aws/s3, whatever the policies allow. In a relay, a role
		// of the owner's account reads the object, and that role can use the key.
		{name: "under the owner's aws key", want: quarantined("denied"), relayed: copied, minio: "there is no such key", put: s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAwsKms}},
		{name: "under SSE-C", want: quarantined("sse_c"), minio: minioTLS, hand: &awsfake.PutOptions{SSEC: true}},
		{
			name: "under a key disabled later", want: quarantined("key_disabled"), minio: "it has one static key",
			put: s3.PutObjectInput{ServerSideEncryption: types.ServerSideEncryptionAwsKms, SSEKMSKeyId: aws.String(laterKey)},
		},
	}
}

// laterKey stands for a KMS key of the source that is disabled after all objects are put.
const laterKey = "{later-key}"

func algorithm(a types.ChecksumAlgorithm) s3.PutObjectInput {
	return s3.PutObjectInput{ChecksumAlgorithm: a}
}

// checksumKinds returns objects that were uploaded in one piece, one for each checksum algorithm
// that S3 supports.
func checksumKinds() []kind {
	return []kind{
		{name: "CRC32", put: algorithm(types.ChecksumAlgorithmCrc32)},
		{name: "CRC32C", put: algorithm(types.ChecksumAlgorithmCrc32c)},
		{name: "SHA1", put: algorithm(types.ChecksumAlgorithmSha1)},
		{name: "SHA256", put: algorithm(types.ChecksumAlgorithmSha256)},
		{name: "CRC64NVME", put: algorithm(types.ChecksumAlgorithmCrc64nvme)},
		{name: "CRC64NVME of nothing", size: empty, put: algorithm(types.ChecksumAlgorithmCrc64nvme)},
		{name: "CRC64NVME beyond a relayed part", size: relayPart + 1, put: algorithm(types.ChecksumAlgorithmCrc64nvme)},
	}
}

// uploadKinds returns objects that were uploaded in parts. The checksum of such an object is
// composite, which means computed from the checksums of its parts, except for CRC64NVME.
func uploadKinds() []kind {
	two, relayed := []int64{5 * mebibyte, 3}, []int64{5 * mebibyte, relayPart - 5*mebibyte + 1}
	return []kind{
		{name: "in parts", sizes: two, put: everyHeader(), tags: oddTags()},
		{name: "in parts of other sizes", sizes: []int64{5*mebibyte + 1, 6 * mebibyte, 1}},
		{name: "in one part, CRC32", sizes: []int64{3}, put: algorithm(types.ChecksumAlgorithmCrc32)},
		{name: "in one part, CRC32C", sizes: []int64{3}, put: algorithm(types.ChecksumAlgorithmCrc32c)},
		{name: "in one part, SHA1", sizes: []int64{3}, put: algorithm(types.ChecksumAlgorithmSha1)},
		{name: "in parts, SHA256", sizes: two, put: algorithm(types.ChecksumAlgorithmSha256)},
		{name: "in parts, CRC64NVME", sizes: two, put: algorithm(types.ChecksumAlgorithmCrc64nvme)},
		{name: "in parts, CRC64NVME, beyond a relayed part", sizes: relayed, put: algorithm(types.ChecksumAlgorithmCrc64nvme)},
		{name: "in parts, SHA256, beyond a relayed part", sizes: relayed, put: algorithm(types.ChecksumAlgorithmSha256)},
	}
}

func overwritten(o *owner, key string) error {
	return o.put(key, kind{name: "the newer version", size: 77, put: everyHeader(), tags: oddTags()})
}

func oddKinds() []kind {
	return []kind{
		{name: "overwritten", put: metadata("old", "x"), then: overwritten},
		{name: "put, removed and put again", then: func(o *owner, key string) error {
			if err := o.remove(key); err != nil {
				return err
			}
			return overwritten(o, key)
		}},
		{name: "removed", want: notListed, then: (*owner).remove},
	}
}

// partsKinds returns objects that are copied in parts because they have more than 5 MiB. In a
// multipart copy, S3 does not copy the properties of the source object.
func partsKinds() []kind {
	return in("in-parts", []kind{
		{name: "no content", size: empty},
		{name: "5 MiB less one", size: 5*mebibyte - 1, put: everyHeader(), tags: oddTags()},
		{name: "5 MiB", size: 5 * mebibyte, put: everyHeader(), tags: oddTags()},
		{name: "5 MiB and one", size: 5*mebibyte + 1, put: everyHeader(), headers: map[string]string{"Expires": "Thu, 01 Dec 1994 16:00:00 GMT"}, tags: oddTags()},
		{
			name: "Expires that is no date, odd metadata", size: 5*mebibyte + 1, headers: map[string]string{"Expires": "0"},
			put: s3.PutObjectInput{Metadata: map[string]string{"empty": "", "word": "=?UTF-8?B?Z3LDvMOfZQ==?="}},
		},
		{name: "every control character", key: "c" + controls(), size: 5*mebibyte + 1, versity: versityControls},
		{name: "plus and percent", key: "a+b%2B c?d#e", size: 5*mebibyte + 1},
		{name: "10 MiB and one", size: 10*mebibyte + 1},
		{name: "uploaded in parts", sizes: []int64{5 * mebibyte, 1}, put: everyHeader(), tags: oddTags()},
		{name: "longest tags", size: 5*mebibyte + 1, tags: manyTags("t")},
		{name: "longest tags in three bytes", size: 5*mebibyte + 1, tags: manyTags("語"), minio: minioTags},
		{name: "website redirect", size: 5*mebibyte + 1, put: s3.PutObjectInput{WebsiteRedirectLocation: aws.String("/elsewhere")}},
		{
			name: "metadata that no header can show", size: 5*mebibyte + 1, minio: onlyByHand, want: quarantined("hidden_metadata"),
			hand: &awsfake.PutOptions{Metadata: map[string]string{"hidden": "a\nb"}},
		},
		{name: "GLACIER", size: 5*mebibyte + 1, put: class(types.StorageClassGlacier), want: quarantined("archived"), minio: minioClasses},
		{
			name: "under SSE-C", size: 5*mebibyte + 1, want: quarantined("sse_c"), minio: minioTLS,
			hand: &awsfake.PutOptions{SSEC: true},
		},
		{name: "tags that are denied", size: 5*mebibyte + 1, tags: oddTags(), want: quarantined("denied"), minio: minioPolicy},
	}...)
}

// omittedKinds returns objects that are copied with settings that omit a property or change how the
// copy is stored.
func omittedKinds() []kind {
	whole := kind{name: "every header", put: everyHeader(), tags: oddTags()}
	parts := kind{name: "every header in relayed parts", size: relayPart + 1, put: everyHeader(), tags: oddTags()}
	all := in("no-tags", whole, parts, kind{name: "tags that are denied", tags: oddTags(), minio: minioPolicy})
	all = append(all, in("no-metadata", whole, parts, kind{
		name: "metadata that no header can show", minio: onlyByHand, hand: &awsfake.PutOptions{Metadata: map[string]string{"hidden": "a\nb"}},
	})...)
	return append(all, in("no-bucket-key", whole, parts)...)
}

// keptKinds returns an object for each storage class of a copy.
func keptKinds() []kind {
	all := in("class-configured",
		kind{name: "STANDARD"}, kind{name: "GLACIER_IR", put: class(types.StorageClassGlacierIr)}, kind{name: "in relayed parts", size: relayPart + 1})
	classes := []kind{
		{name: "STANDARD"},
		{name: "REDUCED_REDUNDANCY", put: class(types.StorageClassReducedRedundancy)},
		{name: "STANDARD_IA", put: class(types.StorageClassStandardIa), minio: minioClasses},
		{name: "ONEZONE_IA", put: class(types.StorageClassOnezoneIa), minio: minioClasses},
		{name: "INTELLIGENT_TIERING", put: class(types.StorageClassIntelligentTiering), minio: minioClasses},
		{name: "GLACIER_IR", put: class(types.StorageClassGlacierIr), minio: minioClasses},
		{name: "GLACIER", put: class(types.StorageClassGlacier), want: quarantined("archived"), minio: minioClasses},
		{name: "GLACIER, restored", put: class(types.StorageClassGlacier), then: restored, minio: minioClasses},
	}
	all = append(all, in("class-kept", classes...)...)
	all = append(all, in("class-kept", kind{name: "in relayed parts", size: relayPart + 1, put: class(types.StorageClassStandardIa), minio: minioClasses})...)
	return append(all, in("class-kept-in-parts",
		kind{name: "STANDARD", size: 5*mebibyte + 1},
		kind{name: "STANDARD_IA", size: 5*mebibyte + 1, put: class(types.StorageClassStandardIa), minio: minioClasses})...)
}

const noEventHolds = "it has no event holds"

// annotationKinds returns objects with annotations, which are copied only if the configuration
// enables it.
func annotationKinds() []kind {
	few, many := map[string]string{"note": "caf\u00e9", "s p a c e": "2"}, map[string]string{"large": strings.Repeat("x", 1<<20)}
	for i := range 50 {
		many[fmt.Sprint("note ", i)] = fmt.Sprint("payload ", i)
	}
	const none = "it has no annotations"
	return append(in("annotations-copied",
		kind{name: "none"},
		kind{name: "none, in parts", size: relayPart + 1},
		kind{name: "few", minio: none, hand: &awsfake.PutOptions{Annotations: few}},
		kind{name: "many", minio: none, hand: &awsfake.PutOptions{Annotations: many}},
		kind{name: "many, beyond 5 MiB", size: 5*mebibyte + 1, minio: none, hand: &awsfake.PutOptions{Annotations: many}},
		kind{name: "few, under a control character", key: "c\x01", size: relayPart + 1, minio: none, hand: &awsfake.PutOptions{Annotations: few}},
		kind{name: "many, in relayed parts", size: relayPart + 1, minio: none, hand: &awsfake.PutOptions{Annotations: many}},
	), in("plain", kind{name: "annotations", minio: none, hand: &awsfake.PutOptions{Annotations: few}})...)
}

// lockKinds returns objects whose versions must not be deleted.
func lockKinds() []kind {
	until := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)
	retained := func(mode types.ObjectLockMode) s3.PutObjectInput {
		return s3.PutObjectInput{ObjectLockMode: mode, ObjectLockRetainUntilDate: &until}
	}
	held := s3.PutObjectInput{ObjectLockLegalHoldStatus: types.ObjectLockLegalHoldStatusOn}
	both := retained(types.ObjectLockModeGovernance)
	both.ObjectLockLegalHoldStatus = types.ObjectLockLegalHoldStatusOn
	locks := []kind{
		{name: "no lock"},
		{name: "governance", put: retained(types.ObjectLockModeGovernance)},
		{name: "compliance", put: retained(types.ObjectLockModeCompliance)},
		{name: "legal hold", put: held},
		{name: "event hold", minio: noEventHolds, put: s3.PutObjectInput{
			ObjectLockEventHold: types.ObjectLockEventHoldOn, ObjectLockEventHoldDurationDays: aws.Int32(30),
		}},
		{name: "event hold, in relayed parts", minio: noEventHolds, size: relayPart + 1, put: s3.PutObjectInput{
			ObjectLockEventHold: types.ObjectLockEventHoldOn, ObjectLockEventHoldDurationYears: aws.Int32(7),
		}},
		{name: "retention and legal hold", put: both},
		{name: "retention and legal hold, beyond 5 MiB", size: 5*mebibyte + 1, put: both},
		{name: "retention and legal hold, in relayed parts", size: relayPart + 1, put: both},
	}
	for i := range locks {
		// A put into a bucket with Object Lock needs a checksum or Content-MD5.
		locks[i].put.ChecksumAlgorithm = types.ChecksumAlgorithmCrc64nvme
	}
	return append(in("lock-omitted", slices.Clone(locks)...), in("lock-copied", locks...)...)
}

// bucketKinds returns objects that depend on properties of the buckets and the mapping.
func bucketKinds() []kind {
	all := in("requester-pays", kind{name: "small", tags: oddTags()}, kind{name: "in relayed parts", size: relayPart + 1, put: everyHeader(), tags: oddTags()})
	all = append(all, in("versioned",
		kind{name: "one version"},
		kind{name: "two versions", put: metadata("old", "x"), tags: map[string]string{"old": "x"}, then: overwritten},
		kind{name: "delete marker", want: notListed, then: (*owner).remove},
		kind{name: "put over a delete marker", versity: "MethodNotAllowed: it accepts no tags over a delete marker", then: func(o *owner, key string) error {
			if err := o.remove(key); err != nil {
				return err
			}
			return overwritten(o, key)
		}},
		kind{name: "two versions in relayed parts", size: relayPart + 9, then: func(o *owner, key string) error {
			return o.put(key, kind{name: "the newer version", size: relayPart + 1, put: everyHeader()})
		}},
	)...)
	return append(all, in("filtered",
		kind{name: "let through", size: 2},
		kind{name: "excluded", key: "private/a", size: 2, want: skipped("excluded")},
		kind{name: "too small", size: 1, want: skipped("too_small")},
		kind{name: "no content", size: empty, want: skipped("too_small")},
		kind{name: "of the largest size", size: kibibyte},
		kind{name: "too large", size: kibibyte + 1, want: skipped("too_large")},
	)...)
}
