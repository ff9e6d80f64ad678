package object_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

// TestAwkwardKeys checks that keys that programs easily mangle can be put, listed, copied and read,
// as in S3.
func TestAwkwardKeys(t *testing.T) {
	var all []byte
	for c := range byte(0x80) {
		if c != 0 {
			all = append(all, c)
		}
	}
	keys := []string{
		"a//b", "/lead", "//lead", "trail/", ".", "..", "./a", "a/./b", "a/../b", "../../x", "+", "a+b", "a b", " ", "%", "%2F", "a%20b", "100%",
		"é", "e\u0301", "日本/語", "\U0001F600", "a?b=c&d", "?versionId=x", "#", "a;b", "a:b", "=", "[x]", "\\", "\n", "\r\n", "\t", "\x01\x02\x7f",
		string(all), strings.Repeat("k", 1024), "&lt;", "<tag>", "a'b\"c", "~", "*", "consumer-copy/x",
	}
	w := awsfaketest.New(t, awsfake.Options{})
	owner, consumer := awsfaketest.S3Client(w.UserConfig(w.Owner.AdminUser())), awsfaketest.S3Client(w.Assume(t, nil))
	for i, key := range keys {
		if _, err := owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("owner-data"), Key: &key, Body: strings.NewReader(keys[i])}); err != nil {
			t.Fatalf("put %q: %v", key, err)
		}
	}
	listed, _ := awsfaketest.ListAll(t, consumer, &s3.ListObjectsV2Input{Bucket: aws.String("owner-data"), MaxKeys: aws.Int32(7)})
	if diff := cmp.Diff(w.Source.Keys(), listed); diff != "" || len(listed) != len(keys) {
		t.Fatalf("%d keys listed, %d put: %s", len(listed), len(keys), diff)
	}
	for _, key := range listed {
		in := awsfaketest.CopyKey(key)
		in.CopySource = aws.String("owner-data/" + strings.ReplaceAll(url.PathEscape(key), "+", "%2B"))
		if _, err := consumer.CopyObject(t.Context(), in); err != nil {
			t.Errorf("copy %q: %v", key, err)
			continue
		}
		out, err := consumer.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("consumer-copy"), Key: &key})
		if err != nil {
			t.Errorf("get %q: %v", key, err)
			continue
		}
		if got := awsfaketest.BodyOf(t, out.Body); got != key {
			t.Errorf("get %q: got the body of %q", key, got)
		}
	}
	_, err := owner.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("owner-data"), Key: aws.String(strings.Repeat("k", 1025)), Body: strings.NewReader("")})
	if got := awsfaketest.Code(err); got != "KeyTooLongError" {
		t.Errorf("1,025 bytes: got %q", got)
	}
}

// TestPlusInCopySource checks that S3 decodes a plus in x-amz-copy-source as a space.
func TestPlusInCopySource(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("a+b", awsfake.BytesBody(nil), awsfake.PutOptions{})
	_, err := awsfaketest.S3Client(w.Assume(t, nil)).CopyObject(t.Context(), awsfaketest.CopyKey("a+b"))
	if got := awsfaketest.Code(err); got != "NoSuchKey" {
		t.Errorf("got %q, want NoSuchKey", got)
	}
}

func TestUploadsOverHTTPAndHTTPS(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{"HTTP": httptest.NewServer, "HTTPS": httptest.NewTLSServer} {
		for _, size := range []int{0, 1, 65536, 300_000} {
			for _, algorithm := range []types.ChecksumAlgorithm{"", "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"} {
				t.Run(name+" "+string(algorithm), func(t *testing.T) {
					w := awsfaketest.New(t, awsfake.Options{})
					server := start(w.Cloud)
					defer server.Close()
					w.Endpoint, w.Client = server.URL, server.Client()
					body := bytes.Repeat([]byte("x"), size)
					client := awsfaketest.S3Client(w.UserConfig(w.Base))
					if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{
						Bucket: aws.String("consumer-copy"), Key: aws.String("k"), Body: bytes.NewReader(body), ChecksumAlgorithm: algorithm,
					}); err != nil {
						t.Fatal(err)
					}
					got, err := w.Destination.Read("k")
					if err != nil || !bytes.Equal(got, body) {
						t.Fatalf("stored %d bytes of %d, %v", len(got), len(body), err)
					}
					head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), ChecksumMode: types.ChecksumModeEnabled})
					if err != nil || head.ChecksumType != types.ChecksumTypeFullObject {
						t.Errorf("head: %v, checksum type %q", err, head.ChecksumType)
					}
					get, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k")})
					if err != nil {
						t.Fatal(err)
					}
					if got := awsfaketest.BodyOf(t, get.Body); len(got) != size { // the SDK verifies the checksum at the end of the body
						t.Errorf("got %d bytes, want %d", len(got), size)
					}
				})
			}
		}
	}
}

func TestWrongChecksums(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	for _, tt := range []struct {
		name   string
		change func(*s3.PutObjectInput)
		want   string
	}{
		{"CRC32", func(in *s3.PutObjectInput) { in.ChecksumCRC32 = aws.String("AAAAAA==") }, "BadDigest"},
		{"CRC64NVME", func(in *s3.PutObjectInput) { in.ChecksumCRC64NVME = aws.String("AAAAAAAAAAA=") }, "BadDigest"},
		{"MD5", func(in *s3.PutObjectInput) { in.ContentMD5 = aws.String("AAAAAAAAAAAAAAAAAAAAAA==") }, "BadDigest"},
		{"right CRC64NVME of 123456789", func(in *s3.PutObjectInput) { in.ChecksumCRC64NVME = aws.String("rosUhgp5mIg=") }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := &s3.PutObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), Body: strings.NewReader("123456789")}
			tt.change(in)
			_, err := client.PutObject(t.Context(), in)
			if got := awsfaketest.Code(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

func TestReading(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	info := w.Destination.Put("k", awsfake.BytesBody([]byte("0123456789")), awsfake.PutOptions{LastModified: time.Unix(1_700_000_000, 0)})
	w.Destination.Put("cold", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{StorageClass: "DEEP_ARCHIVE"})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	tests := []struct {
		name   string
		change func(*s3.GetObjectInput)
		want   string
	}{
		{"all", func(*s3.GetObjectInput) {}, "0123456789"},
		{"first byte", func(in *s3.GetObjectInput) { in.Range = aws.String("bytes=0-0") }, "0"},
		{"from", func(in *s3.GetObjectInput) { in.Range = aws.String("bytes=7-") }, "789"},
		{"last", func(in *s3.GetObjectInput) { in.Range = aws.String("bytes=-3") }, "789"},
		{"ends after the end of the object", func(in *s3.GetObjectInput) { in.Range = aws.String("bytes=8-100") }, "89"},
		{"starts after the end of the object", func(in *s3.GetObjectInput) { in.Range = aws.String("bytes=10-") }, "InvalidRange"},
		{"an invalid range is ignored", func(in *s3.GetObjectInput) { in.Range = aws.String("lines=1-2") }, "0123456789"},
		{"part 1 of an object without parts", func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(1) }, "0123456789"},
		{"part 2 of an object without parts", func(in *s3.GetObjectInput) { in.PartNumber = aws.Int32(2) }, "InvalidRange"},
		{"If-Match", func(in *s3.GetObjectInput) { in.IfMatch = aws.String(`"` + info.ETag + `"`) }, "0123456789"},
		{"If-Match fails", func(in *s3.GetObjectInput) { in.IfMatch = aws.String(`"x"`) }, "PreconditionFailed"},
		{"If-None-Match", func(in *s3.GetObjectInput) { in.IfNoneMatch = aws.String(`"x"`) }, "0123456789"},
		{"If-None-Match fails", func(in *s3.GetObjectInput) { in.IfNoneMatch = aws.String(info.ETag) }, "NotModified"},
		{"If-Modified-Since fails", func(in *s3.GetObjectInput) { in.IfModifiedSince = aws.Time(info.LastModified) }, "NotModified"},
		{"If-Unmodified-Since fails", func(in *s3.GetObjectInput) { in.IfUnmodifiedSince = aws.Time(info.LastModified.Add(-time.Second)) }, "PreconditionFailed"},
		{"archived", func(in *s3.GetObjectInput) { in.Key = aws.String("cold") }, "InvalidObjectState"},
		{"no bucket", func(in *s3.GetObjectInput) { in.Bucket = aws.String("absent") }, "NoSuchBucket"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &s3.GetObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k")}
			tt.change(in)
			out, err := client.GetObject(t.Context(), in)
			got := awsfaketest.Code(err)
			if err == nil {
				got = awsfaketest.BodyOf(t, out.Body)
			}
			if got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

func TestConditionalWrites(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	there := w.Destination.Put("there", awsfake.BytesBody([]byte("1")), awsfake.PutOptions{})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	for _, tt := range []struct {
		name, key        string
		match, noneMatch *string
		want             string
	}{
		{"create if absent", "new", nil, aws.String("*"), ""},
		{"create if absent, but it exists", "there", nil, aws.String("*"), "PreconditionFailed"},
		{"replace, ETag differs", "there", aws.String(`"x"`), nil, "PreconditionFailed"},
		{"replace an absent object", "absent", aws.String(`"x"`), nil, "NoSuchKey"},
		{"If-None-Match with an ETag", "there", nil, aws.String(`"x"`), "NotImplemented"},
		{"replace, ETag matches", "there", &there.ETag, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: aws.String("consumer-copy"), Key: &tt.key, Body: strings.NewReader("2"), IfMatch: tt.match, IfNoneMatch: tt.noneMatch,
			})
			if got := awsfaketest.Code(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

func TestETags(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	plain := w.Consumer.CreateBucket("plain", awsfaketest.Region, awsfake.BucketOptions{})
	const md5OfX = "9dd4e461268c8034f5c8564e155c67a6"
	if got := plain.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{}).ETag; got != md5OfX {
		t.Errorf("SSE-S3: got %q, want the MD5", got)
	}
	if got := w.Destination.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{}).ETag; got == md5OfX || len(got) != 32 {
		t.Errorf("SSE-KMS: got %q, want 32 opaque digits", got)
	}
	if got := plain.Put("k", awsfake.SyntheticBody(17<<20, 1), awsfake.PutOptions{Multipart: true}).ETag; !strings.HasSuffix(got, "-3") {
		t.Errorf("multipart: got %q, want ...-3", got)
	}
}

func TestTagging(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), Body: strings.NewReader(""), Tagging: aws.String("a=1&b=x%20y")})
	if err != nil {
		t.Fatal(err)
	}
	read := func() map[string]string {
		out, err := client.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k")})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, tag := range out.TagSet {
			got[*tag.Key] = *tag.Value
		}
		return got
	}
	if diff := cmp.Diff(map[string]string{"a": "1", "b": "x y"}, read()); diff != "" {
		t.Error(diff)
	}
	_, err = client.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{
		Bucket: aws.String("consumer-copy"), Key: aws.String("k"), Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("c"), Value: aws.String("3")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"c": "3"}, read()); diff != "" {
		t.Error(diff)
	}
	if _, err := client.DeleteObjectTagging(t.Context(), &s3.DeleteObjectTaggingInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k")}); err != nil {
		t.Fatal(err)
	}
	if got := read(); len(got) != 0 {
		t.Errorf("after deletion: got %v", got)
	}
}

func TestRequestLimits(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	for _, tt := range []struct {
		name   string
		change func(*s3.PutObjectInput)
		want   string
	}{
		{"metadata of 2 KiB", func(in *s3.PutObjectInput) { in.Metadata = map[string]string{"k": strings.Repeat("v", 2047)} }, ""},
		{"metadata of more than 2 KiB", func(in *s3.PutObjectInput) { in.Metadata = map[string]string{"k": strings.Repeat("v", 2048)} }, "MetadataTooLarge"},
		{"ten tags", func(in *s3.PutObjectInput) { in.Tagging = aws.String("a&b&c&d&e&f&g&h&i&j") }, ""},
		{"eleven tags", func(in *s3.PutObjectInput) { in.Tagging = aws.String("a&b&c&d&e&f&g&h&i&j&k") }, "BadRequest"},
		{"unknown storage class", func(in *s3.PutObjectInput) { in.StorageClass = "LUKEWARM" }, "InvalidStorageClass"},
		{"an ACL", func(in *s3.PutObjectInput) { in.ACL = types.ObjectCannedACLPublicRead }, "AccessControlListNotSupported"},
		{"the owner's ACL", func(in *s3.PutObjectInput) { in.ACL = types.ObjectCannedACLBucketOwnerFullControl }, ""},
		{"a key that does not exist", func(in *s3.PutObjectInput) {
			in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, aws.String("nope")
		}, "KMS.NotFoundException"},
		{"another account's key that does not exist", func(in *s3.PutObjectInput) {
			in.ServerSideEncryption, in.SSEKMSKeyId = types.ServerSideEncryptionAwsKms, aws.String("arn:aws:kms:us-west-2:111111111111:key/nope")
		}, "AccessDenied"},
		{"object lock without a bucket for it", func(in *s3.PutObjectInput) { in.ObjectLockLegalHoldStatus = types.ObjectLockLegalHoldStatusOn }, "InvalidRequest"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := &s3.PutObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), Body: strings.NewReader("x")}
			tt.change(in)
			_, err := client.PutObject(t.Context(), in)
			if got := awsfaketest.Code(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

func TestDeleteObjects(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Destination.Put("a", awsfake.BytesBody(nil), awsfake.PutOptions{})
	w.Destination.Put("b", awsfake.BytesBody(nil), awsfake.PutOptions{})
	out, err := awsfaketest.S3Client(w.UserConfig(w.Base)).DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: aws.String("consumer-copy"), Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String("a")}, {Key: aws.String("absent")}, {Key: aws.String("b"), ETag: aws.String("other")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Deleted) != 2 || len(out.Errors) != 1 || *out.Errors[0].Code != "PreconditionFailed" {
		t.Errorf("got %d deleted and errors %+v", len(out.Deleted), out.Errors)
	}
	if diff := cmp.Diff([]string{"b"}, w.Destination.Keys()); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownOperationsAreNamed(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	_, err := awsfaketest.S3Client(w.UserConfig(w.Base)).GetBucketReplication(t.Context(), &s3.GetBucketReplicationInput{Bucket: aws.String("consumer-copy")})
	if awsfaketest.Code(err) != "NotImplemented" || !strings.Contains(awsfaketest.Message(err), "?replication") {
		t.Errorf("got %v", err)
	}
}
