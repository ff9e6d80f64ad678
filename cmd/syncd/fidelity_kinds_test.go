package main

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
)

const (
	throughTheProcess = "5 GiB through this process take too long"
	onlyByHand        = "no request can make it"
)

// relayPart is the size of the parts of a relayed object.
const relayPart = 8 * mebibyte

func contentType(value string) s3.PutObjectInput {
	return s3.PutObjectInput{ContentType: &value}
}

func metadata(name, value string) s3.PutObjectInput {
	return s3.PutObjectInput{Metadata: map[string]string{name: value}}
}

func sizeKinds() []kind {
	large := &awsfake.PutOptions{
		ContentType: "application/x-tar", Headers: map[string]string{"Cache-Control": "no-store"},
		Metadata: map[string]string{"origin": "large"}, Tags: map[string]string{"class": "large"},
	}
	return []kind{
		{name: "no content", size: empty},
		{name: "one byte", size: 1},
		{name: "5 MiB and one", size: 5*mebibyte + 1},
		{name: "a relayed part less one", size: relayPart - 1},
		{name: "a relayed part", size: relayPart},
		{name: "a relayed part and one", size: relayPart + 1, put: everyHeader(), tags: oddTags()},
		{name: "two relayed parts and one", size: 2*relayPart + 1},
		{name: "5 GiB", size: 5 * gibibyte, hand: large, serverSide: throughTheProcess, minio: throughTheProcess},
		{name: "5 GiB and one", size: 5*gibibyte + 1, hand: large, serverSide: throughTheProcess, minio: throughTheProcess},
	}
}

func metadataKinds() []kind {
	word := "=?UTF-8?B?Z3LDvMOfZSDml6XmnKzoqp4=?=" // RFC 2047 encoding of words in two scripts
	return []kind{
		{name: "metadata in ASCII", put: metadata("row-count", "10")},
		{name: "metadata in upper case", put: metadata("Row-COUNT", "Ten")},
		{name: "metadata with marks in its name", put: metadata("a.b_c-d!e", "x")},
		{name: "metadata with consecutive spaces", put: metadata("note", "a  b   c")},
		{name: "metadata with punctuation", put: metadata("note", `a, b; "c" = <d> & 'e' \ %41 + ?`)},
		{name: "metadata beyond ASCII, raw", put: metadata("note", "grüße 日本語")},
		{name: "metadata beyond ASCII, encoded", put: metadata("note", word)},
		{name: "metadata beyond ASCII, quoted-printable", put: metadata("note", "=?utf-8?q?gr=C3=BC=C3=9Fe?=")},
		{name: "metadata beyond ASCII, long", put: metadata("note", strings.Repeat(word+" ", 20)+word)},
		{name: "metadata that looks encoded", put: metadata("note", "=?x?")},
		{name: "metadata of 2 KiB", put: metadata("note", strings.Repeat("m", 2*kibibyte-len("note"))), minio: "MetadataTooLarge: it counts x-amz-meta- as well"},
		{name: "metadata of 2 KiB with its headers", put: metadata("note", strings.Repeat("m", 2*kibibyte-len("x-amz-meta-note")))},
		{name: "metadata of many names", put: s3.PutObjectInput{Metadata: manyNames(60)}},
		{name: "metadata without a value", put: metadata("note", "")},
		{name: "metadata with the names of headers", put: s3.PutObjectInput{Metadata: map[string]string{
			"content-type": "a", "cache-control": "b", "x-amz-meta-x": "c", "content-length": "7", "s3cmd-attrs": "uid:0/mode:33188",
		}}},
		{
			name: "metadata that no header can show", minio: onlyByHand, relayed: quarantined("hidden_metadata"),
			hand: &awsfake.PutOptions{Metadata: map[string]string{"shown": "x", "hidden": "a\nb"}},
		},
	}
}

func manyNames(n int) map[string]string {
	names := map[string]string{}
	for i := range n {
		names[fmt.Sprintf("name-%02d", i)] = fmt.Sprint(i)
	}
	return names
}

// everyHeader returns a request with every header that is stored with an object, and with metadata.
func everyHeader() s3.PutObjectInput {
	return s3.PutObjectInput{
		CacheControl: aws.String("max-age=3600, must-revalidate"), ContentDisposition: aws.String(`attachment; filename="a b.csv"`),
		ContentEncoding: aws.String("gzip"), ContentLanguage: aws.String("de, fr-CH"), ContentType: aws.String("text/csv; charset=utf-8"),
		Metadata: map[string]string{"row-count": "10", "note": "a  b"},
	}
}

const minioExpires = "CopyObject does not copy Expires"

func headerKinds() []kind {
	header := func(name, value string) map[string]string { return map[string]string{name: value} }
	return []kind{
		{name: "Cache-Control", put: s3.PutObjectInput{CacheControl: aws.String("no-cache, no-store")}},
		{name: "Content-Disposition", put: s3.PutObjectInput{ContentDisposition: aws.String(`attachment; filename="a b.csv"; filename*=UTF-8''gr%C3%BC%C3%9Fe.csv`)}},
		{name: "Content-Encoding", put: s3.PutObjectInput{ContentEncoding: aws.String("gzip")}},
		{name: "Content-Encoding of two codings", put: s3.PutObjectInput{ContentEncoding: aws.String("gzip, br")}},
		{
			name: "Content-Encoding aws-chunked", minio: onlyByHand,
			hand: &awsfake.PutOptions{Headers: header("Content-Encoding", "aws-chunked,gzip")},
		},
		{name: "Content-Language", put: s3.PutObjectInput{ContentLanguage: aws.String("de, fr-CH")}},
		{name: "Content-Type missing", minio: "the SDK always sends one", hand: &awsfake.PutOptions{}},
		{name: "Content-Type with parameters", put: contentType(`multipart/mixed; boundary="a b"; charset=UTF-8`)},
		{name: "Content-Type that is none", put: contentType("weird")},
		{name: "Expires", headers: header("Expires", "Thu, 01 Dec 1994 16:00:00 GMT"), minioCopy: minioExpires},
		{name: "Expires that is no date", headers: header("Expires", "0")},
		{name: "Expires in another form", headers: header("Expires", "2030-01-02T03:04:05Z")},
		{name: "every header", put: everyHeader(), headers: header("Expires", "Thu, 01 Dec 1994 16:00:00 GMT"), tags: oddTags(), minioCopy: minioExpires},
		{name: "website redirect", put: s3.PutObjectInput{WebsiteRedirectLocation: aws.String("/elsewhere")}},
	}
}

// oddTags returns tags with all special characters that a tag can contain ("Categorizing your
// storage using tags", Amazon S3 User Guide).
func oddTags() map[string]string {
	return map[string]string{"a+b - c=d": "e.f_g:h/i@j", "Case": "1", "case": "2", "empty": ""}
}

// manyTags returns the maximum number of tags with the maximum length; every character of a tag is
// letter, except a first digit that makes the names differ.
func manyTags(letter string) map[string]string {
	tags := map[string]string{}
	for i := range 10 {
		tags[fmt.Sprint(i)+strings.Repeat(letter, 127)] = strings.Repeat(letter, 256)
	}
	return tags
}

func tagKinds() []kind {
	return []kind{
		{name: "no tag"},
		{name: "one tag", tags: map[string]string{"class": "export"}},
		{name: "odd tags", tags: oddTags()},
		{name: "tags beyond ASCII", tags: map[string]string{"größe": "日本語"}, minio: minioTags},
		{name: "tag with spaces at its ends", tags: map[string]string{" a ": " b "}},
		{name: "ten tags", tags: func() map[string]string { t := manyNames(9); t["tenth"] = "x"; return t }()},
		{name: "longest tags", tags: manyTags("t")},
		// The tags would take 34 KB in the x-amz-tagging header, but S3 accepts 8 KB for all
		// headers.
		{name: "longest tags in three bytes", tags: manyTags("語"), minio: minioTags},
		{name: "tags that are denied", tags: oddTags(), want: quarantined("denied"), minio: minioPolicy},
		{name: "object that is denied", want: quarantined("denied"), minio: minioPolicy},
	}
}

const minioTags = "InvalidTag: it allows only ASCII letters"

const minioPolicy = "its bucket policy does not bind the users of its one account"

func class(c types.StorageClass) s3.PutObjectInput { return s3.PutObjectInput{StorageClass: c} }

const minioClasses = "InvalidStorageClass: it supports only STANDARD and REDUCED_REDUNDANCY"

func restored(o *owner, key string) error {
	o.bucket.Restore(key)
	return nil
}

// classKinds returns an object for each storage class of a source. Archived objects cannot be read.
func classKinds() []kind {
	archived := quarantined("archived")
	return []kind{
		{name: "STANDARD", put: class(types.StorageClassStandard)},
		{name: "REDUCED_REDUNDANCY", put: class(types.StorageClassReducedRedundancy)},
		{name: "STANDARD_IA", put: class(types.StorageClassStandardIa), minio: minioClasses},
		{name: "ONEZONE_IA", put: class(types.StorageClassOnezoneIa), minio: minioClasses},
		{name: "INTELLIGENT_TIERING", put: class(types.StorageClassIntelligentTiering), minio: minioClasses},
		{name: "GLACIER_IR", put: class(types.StorageClassGlacierIr), minio: minioClasses},
		{name: "GLACIER", put: class(types.StorageClassGlacier), want: archived, minio: minioClasses},
		{name: "GLACIER, restored", put: class(types.StorageClassGlacier), then: restored, minio: minioClasses},
		{name: "DEEP_ARCHIVE", put: class(types.StorageClassDeepArchive), want: archived, minio: minioClasses},
		{name: "DEEP_ARCHIVE, restored", put: class(types.StorageClassDeepArchive), then: restored, minio: minioClasses},
		{
			name: "INTELLIGENT_TIERING, archive tier", want: archived, minio: minioClasses,
			hand: &awsfake.PutOptions{StorageClass: "INTELLIGENT_TIERING", ArchiveTier: true},
		},
	}
}
