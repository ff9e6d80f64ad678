package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
)

// The results of an object: it is copied, quarantined or skipped for a reason, or not listed by the
// source.
const (
	copied    = "copied"
	notListed = "not listed"
)

func quarantined(reason string) string { return "quarantined: " + reason }
func skipped(reason string) string     { return "skipped: " + reason }

// empty is the size of a kind without content. Size 0 means a few bytes that are different for each
// kind.
const empty = -1

const (
	kibibyte = 1 << 10
	mebibyte = 1 << 20
	gibibyte = 1 << 30
)

// kind is one kind of object: what its owner puts, and the expected result. The zero value of a
// field is the usual case.
type kind struct {
	name string
	// in is the name of the setting. key is the object's key, by default the name of the kind.
	in, key string
	// put is the request without bucket, key and content. An SSEKMSKeyId of ownersKey is replaced
	// by the owner's key.
	put s3.PutObjectInput
	// size is the size of the content in bytes. sizes are the sizes of the parts, for a multipart
	// upload.
	size  int64
	sizes []int64
	// headers are sent exactly as given, which the SDK would not do; tags are set afterwards.
	headers, tags map[string]string
	// hand, if set, puts the object directly into the fake, because no request can create it.
	hand *awsfake.PutOptions
	// then is called after the object was put.
	then func(o *owner, key string) error
	// want is the expected result; relayed is the result in a relay if it is different.
	want, relayed string
	// serverSide, minio, minioCopy and versity are the reasons for which the kind is left out of
	// the relay, of a real MinIO server, of the copies within such a server, and of a real Versity
	// gateway.
	serverSide, minio, minioCopy, versity string
}

// ownersKey stands for the KMS key of the source.
const ownersKey = "{owners-key}"

func (k kind) path() string {
	if k.key != "" {
		return k.key
	}
	return k.name
}

func (k kind) fate(relay bool) string {
	want := k.want
	if relay && k.relayed != "" {
		want = k.relayed
	}
	if want == "" {
		want = copied
	}
	return want
}

// length returns the size of the content in bytes.
func (k kind) length() (n int64) {
	if k.size == 0 && k.sizes == nil {
		return int64(len(k.name))
	}
	for _, size := range k.sizes {
		n += size
	}
	return n + max(k.size, 0)
}

// setting is a mapping with which kinds of objects are copied. No other setting uses its two
// buckets.
type setting struct {
	name string
	// prefix and toPrefix are the prefixes of both sides.
	prefix, toPrefix string
	// source, destination and more are YAML of the mapping: source and destination are inside the
	// braces of that section, and more follows them.
	source, destination, more string
	// class and inPartsAbove are the settings for storage classes and for copies in parts; "" if
	// not set.
	class        string
	inPartsAbove int64
	// versioned applies to both buckets, requesterPays to the source. sourceLock and
	// destinationLock allow locked versions.
	versioned, requesterPays, sourceLock, destinationLock bool
	// Whether the copies have no tags, have no metadata, keep the object lock, use no bucket key,
	// and keep the annotations.
	noTags, noMetadata, carriesLock, noBucketKey, carriesAnnotations bool
	// minio and versity are the reasons for which the setting is left out of the tests with a real
	// MinIO server and with a real Versity gateway.
	minio, versity string
}

// settings returns the configurations that determine the properties of a copy.
func settings() []setting {
	return []setting{
		{name: "plain"},
		{name: "prefixed", prefix: "exports/", toPrefix: "copies/of/the/exports/"},
		{name: "stripped", prefix: "exports/"},
		{name: "in-parts", more: "copy: {multipart_above: 5MiB, part_size: 5MiB}", inPartsAbove: 5 * mebibyte},
		{name: "no-bucket-key", destination: "bucket_key: false", noBucketKey: true},
		{name: "class-configured", destination: "storage_class: STANDARD_IA", class: "STANDARD_IA", minio: "STANDARD_IA is refused"},
		{name: "class-kept", destination: "storage_class: keep", class: "keep"},
		{name: "class-kept-in-parts", destination: "storage_class: keep", class: "keep", more: "copy: {multipart_above: 5MiB}", inPartsAbove: 5 * mebibyte},
		{name: "no-tags", more: "copy: {tags: omit}", noTags: true},
		{name: "no-metadata", more: "copy: {metadata: omit}", noMetadata: true},
		{name: "lock-omitted", sourceLock: true},
		{
			name: "lock-copied", sourceLock: true, destinationLock: true, carriesLock: true,
			more: "copy: {object_lock: copy, multipart_above: 5MiB}", inPartsAbove: 5 * mebibyte,
		},
		{
			name: "annotations-copied", carriesAnnotations: true, minio: "it has no annotations",
			more: "copy: {annotations: copy, multipart_above: 5MiB}", inPartsAbove: 5 * mebibyte,
		},
		{name: "requester-pays", source: "request_payer: true", requesterPays: true, minio: "it has no requester pays"},
		{name: "versioned", versioned: true},
		{name: "filtered", more: `filter: {include: ["**"], exclude: ["private/**"], min_size: 2, max_size: 1KiB}`},
	}
}

// in returns kinds with their setting set to the given name.
func in(setting string, kinds ...kind) []kind {
	for i := range kinds {
		kinds[i].in = setting
	}
	return kinds
}

// kinds is the whole table.
func kinds() []kind {
	return slices.Concat(
		in("plain", keyKinds()...), in("prefixed", prefixedKinds()...), in("stripped", strippedKinds()...),
		in("plain", sizeKinds()...), in("plain", metadataKinds()...), in("plain", headerKinds()...), in("plain", tagKinds()...),
		in("plain", classKinds()...), in("plain", encryptionKinds()...), in("plain", uploadKinds()...), in("plain", checksumKinds()...),
		in("plain", oddKinds()...), partsKinds(), omittedKinds(), keptKinds(), lockKinds(), annotationKinds(), bucketKinds(),
	)
}

// TestFidelityTable checks that the table satisfies the assumptions of the other tests.
func TestFidelityTable(t *testing.T) {
	names := map[string]bool{}
	for _, s := range settings() {
		names[s.name] = true
	}
	seen, used := map[string]bool{}, map[string]bool{}
	for _, k := range kinds() {
		if !names[k.in] {
			t.Errorf("%s: got setting %q, want one of the settings", k.name, k.in)
		}
		if k.name == "" || strings.Contains(k.name, "/") && k.key == "" {
			t.Errorf("%q: want a name without a slash; a kind whose key has a slash must set key", k.name)
		}
		for _, id := range []string{k.in + " name " + k.name, k.in + " key " + k.path()} {
			if seen[id] {
				t.Errorf("%s: there are two", id)
			}
			seen[id] = true
		}
		used[k.in] = true
	}
	if len(used) != len(names) {
		t.Errorf("got kinds under %d settings, want each of the %d used", len(used), len(names))
	}
	if n := len(kinds()); n < 60 {
		t.Errorf("got %d kinds, want more than 60", n)
	}
}
