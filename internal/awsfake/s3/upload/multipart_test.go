package upload_test

import (
	"bytes"
	"io"
	"runtime"
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

// TestTwoTebibytes checks that copying 2 TiB of synthetic data in parts needs almost no memory or
// time.
func TestTwoTebibytes(t *testing.T) {
	const size = 2 << 40
	w := awsfaketest.New(t, awsfake.Options{})
	source := w.Source.Put("k", awsfake.SyntheticBody(size, 7), awsfake.PutOptions{Multipart: true})
	w.Client.Transport = w.Cloud.RoundTripper()
	client := awsfaketest.S3Client(w.Assume(t, nil))
	if _, err := client.CopyObject(t.Context(), awsfaketest.CopyKey("k")); awsfaketest.Code(err) != "InvalidRequest" {
		t.Errorf("one copy of 2 TiB: got %v, want InvalidRequest", err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m := awsfaketest.StartUpload(t, client, nil)
	const part = 5 << 30
	for n := range int64((size + part - 1) / part) {
		if err := m.Copy(t, int32(n+1), n*part, min((n+1)*part, size)-1); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Complete(t, func(in *s3.CompleteMultipartUploadInput) { in.MpuObjectSize = aws.Int64(size) }); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("the copy holds %d bytes", grown)
	}
	got, _ := w.Destination.Object("k")
	if got.Size != size || got.Checksum != source.Checksum || !strings.HasSuffix(got.ETag, "-410") {
		t.Errorf("got %d bytes, checksum %s, ETag %s; want %d, %s, ...-410", got.Size, got.Checksum, got.ETag, int64(size), source.Checksum)
	}
	get, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), Range: aws.String("bytes=1000-1099")})
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 1100)
	_, _ = io.ReadFull(awsfake.SyntheticBody(size, 7).Reader(), want)
	if got := awsfaketest.BodyOf(t, get.Body); got != string(want[1000:]) {
		t.Error("a range of the copy holds other bytes than the source")
	}
}

// TestSwappedPartsShow checks that swapping two parts of a synthetic body changes the checksum.
func TestSwappedPartsShow(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	source := w.Source.Put("k", awsfake.SyntheticBody(16*awsfaketest.Mebi, 7), awsfake.PutOptions{})
	m := awsfaketest.StartUpload(t, awsfaketest.S3Client(w.Assume(t, nil)), nil)
	for n, from := range []int64{8 * awsfaketest.Mebi, 0} {
		if err := m.Copy(t, int32(n+1), from, from+8*awsfaketest.Mebi-1); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Complete(t, nil); err != nil {
		t.Fatal(err)
	}
	if got, _ := w.Destination.Object("k"); got.Checksum == source.Checksum {
		t.Error("the checksum did not change")
	}
}

// TestRelayOfASyntheticBody checks that a synthetic body uploaded with PutObject is recognised and
// uses no memory.
func TestRelayOfASyntheticBody(t *testing.T) {
	const size = 2 * awsfaketest.Mebi
	for _, tt := range []struct {
		name  string
		spoil int // index of the byte to change, or -1
	}{
		{"unchanged", -1}, {"first byte changed", 0}, {"last byte changed", size - 1}, {"a byte in the middle changed", size / 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := awsfaketest.New(t, awsfake.Options{})
			source := w.Source.Put("k", awsfake.SyntheticBody(size, 9), awsfake.PutOptions{})
			body, err := w.Source.Read("k")
			if err != nil {
				t.Fatal(err)
			}
			if tt.spoil >= 0 {
				body[tt.spoil] ^= 1
			}
			_, err = awsfaketest.S3Client(w.UserConfig(w.Base)).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), Body: bytes.NewReader(body)})
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.Destination.Read("k")
			if err != nil || !bytes.Equal(got, body) {
				t.Errorf("stored other bytes (%v)", err)
			}
			info, _ := w.Destination.Object("k")
			if same := info.Checksum == source.Checksum; same != (tt.spoil < 0) {
				t.Errorf("checksum equal: %v", same)
			}
		})
	}
}

func TestCompleteErrors(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Destination.Put("k", awsfake.BytesBody([]byte("there")), awsfake.PutOptions{})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	m := awsfaketest.StartUpload(t, client, nil)
	m.Upload(t, 1, make([]byte, 5*awsfaketest.Mebi))
	m.Upload(t, 2, make([]byte, 10))
	m.Upload(t, 3, make([]byte, 10))
	one, two, three := m.Parts[0], m.Parts[1], m.Parts[2]
	for _, tt := range []struct {
		name   string
		parts  []types.CompletedPart
		change func(*s3.CompleteMultipartUploadInput)
		want   string
	}{
		{"small part in the middle", []types.CompletedPart{one, two, three}, nil, "EntityTooSmall"},
		{"wrong order", []types.CompletedPart{two, one}, nil, "InvalidPartOrder"},
		{"unknown part", []types.CompletedPart{one, {PartNumber: aws.Int32(9), ETag: two.ETag}}, nil, "InvalidPart"},
		{"wrong ETag", []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: two.ETag}}, nil, "InvalidPart"},
		{"wrong size", []types.CompletedPart{one, three}, func(in *s3.CompleteMultipartUploadInput) { in.MpuObjectSize = aws.Int64(1) }, "InvalidRequest"},
		{"exists already", []types.CompletedPart{one, three}, func(in *s3.CompleteMultipartUploadInput) { in.IfNoneMatch = aws.String("*") }, "PreconditionFailed"},
		{"unknown upload", []types.CompletedPart{one}, func(in *s3.CompleteMultipartUploadInput) { in.UploadId = aws.String("x") }, "NoSuchUpload"},
		{"another key's upload", []types.CompletedPart{one}, func(in *s3.CompleteMultipartUploadInput) { in.Key = aws.String("kk") }, "NoSuchUpload"},
		{"wrong checksum of the whole", []types.CompletedPart{one, three}, func(in *s3.CompleteMultipartUploadInput) {
			in.ChecksumCRC64NVME, in.ChecksumType = aws.String("AAAAAAAAAAA="), types.ChecksumTypeFullObject
		}, "BadDigest"},
		{"small last part", []types.CompletedPart{one, three}, nil, ""},
		{"again", []types.CompletedPart{one, three}, nil, ""},
	} {
		m.Parts = tt.parts
		if got := awsfaketest.Code(m.Complete(t, tt.change)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := w.Destination.Uploads(); got != 0 {
		t.Errorf("%d uploads left", got)
	}
}

// TestCompleteTakesTheObjectChecksum checks that the checksum in a CompleteMultipartUpload request
// is the checksum of the object, not of the request body.
func TestCompleteTakesTheObjectChecksum(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	content := make([]byte, 5*awsfaketest.Mebi+10)
	want := w.Source.Put("k", awsfake.BytesBody(content), awsfake.PutOptions{}).Checksum
	m := awsfaketest.StartUpload(t, awsfaketest.S3Client(w.UserConfig(w.Base)), nil)
	m.Upload(t, 1, content[:5*awsfaketest.Mebi])
	m.Upload(t, 2, content[5*awsfaketest.Mebi:])
	err := m.Complete(t, func(in *s3.CompleteMultipartUploadInput) {
		in.ChecksumCRC64NVME, in.ChecksumType = &want, types.ChecksumTypeFullObject
	})
	if err != nil {
		t.Errorf("got %v, want the right checksum accepted", err)
	}
}

func TestUploadPartCopyErrors(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("k", awsfake.SyntheticBody(20<<30, 1), awsfake.PutOptions{})
	m := awsfaketest.StartUpload(t, awsfaketest.S3Client(w.Assume(t, nil)), nil)
	for _, tt := range []struct {
		name     string
		number   int32
		from, to int64
		want     string
	}{
		{"range after the end", 1, 0, 20 << 30, "InvalidArgument"},
		{"range ends before it starts", 1, 10, 9, "InvalidArgument"},
		{"more than 5 GiB", 1, 0, 5 << 30, "InvalidRequest"},
		{"exactly 5 GiB", 1, 0, 5<<30 - 1, ""},
		{"part 10,001", 10001, 0, 9, "InvalidArgument"},
		{"part 10,000", 10000, 0, 9, ""},
	} {
		if got := awsfaketest.Code(m.Copy(t, tt.number, tt.from, tt.to)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	w.Source.Put("k", awsfake.BytesBody([]byte("small")), awsfake.PutOptions{})
	if got := awsfaketest.Code(m.Copy(t, 1, 0, 1)); got != "InvalidRequest" {
		t.Errorf("range of a small source: got %q", got)
	}
}

// TestPartsNeedDecrypt checks that uploading parts with KMS requires kms:Decrypt on the
// destination's key, unlike a single CopyObject.
func TestPartsNeedDecrypt(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Role.SetPolicies(awsfaketest.AllowBut("kms:Decrypt"))
	client := awsfaketest.S3Client(w.Assume(t, nil))
	if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), Body: strings.NewReader("x")}); err != nil {
		t.Errorf("put: %v", err)
	}
	m := awsfaketest.StartUpload(t, client, nil)
	_, err := client.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: aws.String("consumer-copy"), Key: aws.String("k"), UploadId: m.ID, PartNumber: aws.Int32(1), Body: strings.NewReader("x"),
	})
	if awsfaketest.Code(err) != "AccessDenied" || !strings.Contains(awsfaketest.Message(err), "kms:Decrypt") {
		t.Errorf("part: got %v", err)
	}
}

func TestMultipartObject(t *testing.T) {
	var clock awsfaketest.ManualClock
	clock.Store(time.Now().Truncate(time.Second).UnixNano())
	w := awsfaketest.New(t, awsfake.Options{Now: clock.Now})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	began := clock.Now()
	m := awsfaketest.StartUpload(t, client, func(in *s3.CreateMultipartUploadInput) {
		in.Metadata, in.ContentType, in.Tagging = map[string]string{"a": "b"}, aws.String("text/x"), aws.String("t=1")
		in.StorageClass = types.StorageClassStandardIa
	})
	m.Upload(t, 1, bytes.Repeat([]byte("1"), 5*awsfaketest.Mebi))
	m.Upload(t, 2, []byte("22"))
	listed, err := client.ListParts(t.Context(), &s3.ListPartsInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), UploadId: m.ID, MaxParts: aws.Int32(1)})
	if err != nil || len(listed.Parts) != 1 || !*listed.IsTruncated || *listed.NextPartNumberMarker != "1" {
		t.Errorf("first page of parts: %+v, %v", listed, err)
	}
	uploads, err := client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String("consumer-copy"), Prefix: aws.String("k")})
	if err != nil || len(uploads.Uploads) != 1 || *uploads.Uploads[0].UploadId != *m.ID {
		t.Errorf("uploads: %+v, %v", uploads, err)
	}
	clock.Advance(time.Minute)
	if err := m.Complete(t, nil); err != nil {
		t.Fatal(err)
	}
	got, _ := w.Destination.Object("k")
	if !got.LastModified.Equal(began) {
		t.Errorf("LastModified %v, want the beginning of the upload %v", got.LastModified, began)
	}
	if diff := cmp.Diff([]any{"text/x", map[string]string{"a": "b"}, map[string]string{"t": "1"}, "STANDARD_IA", int64(5*awsfaketest.Mebi + 2)},
		[]any{got.ContentType, got.Metadata, got.Tags, got.StorageClass, got.Size}); diff != "" {
		t.Error(diff)
	}
	part, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), PartNumber: aws.Int32(2)})
	if err != nil || awsfaketest.BodyOf(t, part.Body) != "22" || *part.PartsCount != 2 {
		t.Errorf("part 2: %v", err)
	}
	attributes, err := client.GetObjectAttributes(t.Context(), &s3.GetObjectAttributesInput{
		Bucket: aws.String("consumer-copy"), Key: aws.String("k"), ObjectAttributes: []types.ObjectAttributes{"ETag", "ObjectSize", "ObjectParts", "Checksum"},
	})
	if err != nil || *attributes.ObjectSize != 5*awsfaketest.Mebi+2 || *attributes.ObjectParts.TotalPartsCount != 2 || aws.ToString(attributes.Checksum.ChecksumCRC64NVME) != got.Checksum {
		t.Errorf("attributes: %+v, %v", attributes, err)
	}
}

func TestCompositeChecksum(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	m := awsfaketest.StartUpload(t, client, func(in *s3.CreateMultipartUploadInput) { in.ChecksumAlgorithm = types.ChecksumAlgorithmCrc32 })
	m.Upload(t, 1, make([]byte, 5*awsfaketest.Mebi))
	m.Upload(t, 2, []byte("x"))
	if err := m.Complete(t, nil); err != nil {
		t.Fatal(err)
	}
	head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil || head.ChecksumType != types.ChecksumTypeComposite || !strings.HasSuffix(aws.ToString(head.ChecksumCRC32), "-2") {
		t.Errorf("got %q of type %s, %v", aws.ToString(head.ChecksumCRC32), head.ChecksumType, err)
	}
	mismatch := awsfaketest.StartUpload(t, client, func(in *s3.CreateMultipartUploadInput) { in.ChecksumAlgorithm = types.ChecksumAlgorithmSha256 })
	_, err = client.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: aws.String("consumer-copy"), Key: aws.String("k"), UploadId: mismatch.ID, PartNumber: aws.Int32(1), Body: strings.NewReader("x"),
	})
	if got := awsfaketest.Code(err); got != "InvalidRequest" {
		t.Errorf("part with another algorithm: got %q", got)
	}
}

func TestAbort(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Role.SetPolicies(awsfaketest.AllowBut("s3:AbortMultipartUpload"))
	m := awsfaketest.StartUpload(t, awsfaketest.S3Client(w.Assume(t, nil)), nil)
	abort := func(client *s3.Client) string {
		_, err := client.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), UploadId: m.ID})
		return awsfaketest.Code(err)
	}
	stranger := awsfaketest.S3Client(w.UserConfig(w.Consumer.CreateUser("stranger")))
	if got := abort(stranger); got != "AccessDenied" {
		t.Errorf("stranger: got %q", got)
	}
	if got := abort(m.Client); got != "" {
		t.Errorf("initiator without the permission: got %q", got)
	}
	if got := abort(awsfaketest.S3Client(w.UserConfig(w.Base))); got != "NoSuchUpload" {
		t.Errorf("again: got %q", got)
	}
}
