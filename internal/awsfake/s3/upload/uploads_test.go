package upload_test

import (
	"bytes"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

// TestListingUploads checks all pages of a listing of uploads with awkward keys. Each key has two
// uploads, one started by a session and one by a user.
func TestListingUploads(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	session, user := awsfaketest.S3Client(w.Assume(t, nil)), awsfaketest.S3Client(w.UserConfig(w.Base))
	keys := []string{"p/a b", "p/a+b", "p/a\nb", "p/é", "q"}
	for _, key := range keys {
		for _, client := range []*s3.Client{session, user} {
			awsfaketest.StartUpload(t, client, func(in *s3.CreateMultipartUploadInput) { in.Key = &key })
		}
	}
	type listed struct{ Key, Initiator string }
	want := map[listed]int{}
	for _, key := range keys[:4] {
		want[listed{key, "arn:aws:sts::222222222222:assumed-role/syncd/test"}] = 1
		want[listed{key, w.Base.ARN}] = 1
	}
	for page := range int32(10) {
		in := &s3.ListMultipartUploadsInput{
			Bucket: aws.String("consumer-copy"), Prefix: aws.String("p/"), MaxUploads: aws.Int32(page + 1), EncodingType: types.EncodingTypeUrl,
		}
		got := map[listed]int{}
		last := ""
		for {
			out, err := user.ListMultipartUploads(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range out.Uploads {
				key := awsfaketest.Unescape(t, *u.Key)
				got[listed{key, *u.Initiator.ID}]++
				if key < last || time.Since(*u.Initiated) > time.Minute || u.UploadId == nil {
					t.Errorf("%q after %q, initiated %v", key, last, u.Initiated)
				}
				last = key
			}
			if !*out.IsTruncated {
				break
			}
			marker, err := url.QueryUnescape(*out.NextKeyMarker)
			if err != nil {
				t.Fatal(err)
			}
			in.KeyMarker, in.UploadIdMarker = &marker, out.NextUploadIdMarker
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d: %s", page+1, diff)
		}
	}
}

func TestListingParts(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.S3Client(w.Assume(t, nil))
	upload := awsfaketest.StartUpload(t, client, func(in *s3.CreateMultipartUploadInput) { in.ChecksumAlgorithm = types.ChecksumAlgorithmCrc32 })
	for _, number := range []int32{1, 2, 7, 9, 10000} {
		upload.Upload(t, number, bytes.Repeat([]byte{byte(number)}, int(number)))
	}
	var got []string
	in := &s3.ListPartsInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k"), UploadId: upload.ID, MaxParts: aws.Int32(2)}
	for {
		out, err := client.ListParts(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if *out.Initiator.ID != "arn:aws:sts::222222222222:assumed-role/syncd/test" || out.ChecksumAlgorithm != types.ChecksumAlgorithmCrc32 || out.ChecksumType != types.ChecksumTypeComposite {
			t.Errorf("top of the page: %+v", out)
		}
		for _, p := range out.Parts {
			got = append(got, fmt.Sprintf("%d: %d bytes, checksum %d", *p.PartNumber, *p.Size, len(aws.ToString(p.ChecksumCRC32))))
		}
		if !*out.IsTruncated {
			break
		}
		in.PartNumberMarker = out.NextPartNumberMarker
	}
	want := []string{"1: 1 bytes, checksum 8", "2: 2 bytes, checksum 8", "7: 7 bytes, checksum 8", "9: 9 bytes, checksum 8", "10000: 10000 bytes, checksum 8"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestConditionsOnCopiesAndUploads checks writes that require the destination to be absent, or to
// have a given ETag.
func TestConditionsOnCopiesAndUploads(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("k", awsfake.SyntheticBody(awsfaketest.Mebi, 1), awsfake.PutOptions{})
	client := awsfaketest.S3Client(w.Assume(t, nil))
	ways := map[string]func(*testing.T, *string, *string) error{
		"CopyObject": func(t *testing.T, match, noneMatch *string) error {
			t.Helper()
			in := awsfaketest.CopyKey("k")
			in.IfMatch, in.IfNoneMatch = match, noneMatch
			_, err := client.CopyObject(t.Context(), in)
			return err
		},
		"CompleteMultipartUpload": func(t *testing.T, match, noneMatch *string) error {
			t.Helper()
			upload := awsfaketest.StartUpload(t, client, nil)
			upload.Upload(t, 1, []byte("x"))
			return upload.Complete(t, func(in *s3.CompleteMultipartUploadInput) { in.IfMatch, in.IfNoneMatch = match, noneMatch })
		},
	}
	for way, write := range ways {
		for _, tt := range []struct {
			name      string
			there     bool
			without   string
			match     string // If-Match: "" for none, "it" for the current ETag
			noneMatch string
			want      string
		}{
			{"must be absent, is absent", false, "x:y", "", "*", ""},
			{"must be absent, exists", true, "x:y", "", "*", "PreconditionFailed"},
			{"ETag matches", true, "x:y", "it", "", ""},
			{"ETag differs", true, "x:y", `"other"`, "", "PreconditionFailed"},
			{"must exist, is absent", false, "x:y", `"other"`, "", "NoSuchKey"},
			{"If-Match without s3:GetObject", true, "s3:GetObject", "it", "", "AccessDenied"},
			{"If-None-Match with an ETag", true, "x:y", "", `"other"`, "NotImplemented"},
		} {
			t.Run(way+" "+tt.name, func(t *testing.T) {
				w.Role.SetPolicies(awsfaketest.ExceptIn("consumer-copy", tt.without))
				w.Destination.Delete("k")
				match, noneMatch := optional(tt.match), optional(tt.noneMatch)
				if tt.there {
					info := w.Destination.Put("k", awsfake.BytesBody([]byte("there")), awsfake.PutOptions{})
					if tt.match == "it" {
						match = &info.ETag
					}
				}
				if got := awsfaketest.Code(write(t, match, noneMatch)); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		}
	}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
