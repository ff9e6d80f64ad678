package object_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

func TestArchivedObjects(t *testing.T) {
	for _, tt := range []struct {
		name     string
		put      awsfake.PutOptions
		archived string // the error code of every read; "" if reads succeed
		header   string // the archive status that HEAD returns
	}{
		{"GLACIER", awsfake.PutOptions{StorageClass: "GLACIER"}, "InvalidObjectState", ""},
		{"DEEP_ARCHIVE", awsfake.PutOptions{StorageClass: "DEEP_ARCHIVE"}, "InvalidObjectState", ""},
		{"GLACIER_IR is read at once", awsfake.PutOptions{StorageClass: "GLACIER_IR"}, "", ""},
		{"INTELLIGENT_TIERING", awsfake.PutOptions{StorageClass: "INTELLIGENT_TIERING"}, "", ""},
		{"INTELLIGENT_TIERING archive tier", awsfake.PutOptions{StorageClass: "INTELLIGENT_TIERING", ArchiveTier: true}, "InvalidObjectState", "ARCHIVE_ACCESS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := awsfaketest.New(t, awsfake.Options{})
			info := w.Source.Put("k", awsfake.SyntheticBody(6*awsfaketest.Mebi, 1), tt.put)
			if info.Archived != (tt.archived != "") {
				t.Errorf("archived: got %v", info.Archived)
			}
			client := awsfaketest.S3Client(w.Assume(t, nil))
			for operation, got := range readEveryWay(t, client) {
				if got != tt.archived {
					t.Errorf("%s: got %q, want %q", operation, got, tt.archived)
				}
			}
			head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("k")})
			if err != nil {
				t.Fatal(err)
			}
			if string(head.StorageClass) != tt.put.StorageClass || string(head.ArchiveStatus) != tt.header {
				t.Errorf("HEAD shows class %q and status %q", head.StorageClass, head.ArchiveStatus)
			}
		})
	}
}

// readEveryWay returns the error code of each operation that reads the bytes of owner-data/k.
func readEveryWay(tb testing.TB, client *s3.Client) map[string]string {
	tb.Helper()
	out, err := client.GetObject(tb.Context(), &s3.GetObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("k")})
	if err == nil {
		_ = out.Body.Close()
	}
	codes := map[string]string{"GetObject": awsfaketest.Code(err)}
	_, err = client.CopyObject(tb.Context(), awsfaketest.CopyKey("k"))
	codes["CopyObject"] = awsfaketest.Code(err)
	codes["UploadPartCopy"] = awsfaketest.Code(awsfaketest.StartUpload(tb, client, nil).Copy(tb, 1, 0, 5*awsfaketest.Mebi-1))
	return codes
}

func TestRestore(t *testing.T) {
	clock := &awsfaketest.ManualClock{}
	clock.Store(time.Now().UnixNano())
	w := awsfaketest.New(t, awsfake.Options{Now: clock.Now})
	w.Source.Put("k", awsfake.SyntheticBody(6*awsfaketest.Mebi, 1), awsfake.PutOptions{StorageClass: "GLACIER"})
	w.Source.Restore("k")
	client := awsfaketest.S3Client(w.Assume(t, nil))
	for operation, got := range readEveryWay(t, client) {
		if got != "" {
			t.Errorf("%s of a restored object: got %q", operation, got)
		}
	}
	head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("k")})
	want := `ongoing-request="false", expiry-date="` + clock.Now().Add(7*24*time.Hour).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT") + `"`
	if err != nil || aws.ToString(head.Restore) != want || head.StorageClass != types.StorageClassGlacier {
		t.Errorf("HEAD: %v, restore %q, want %q, class %s", err, aws.ToString(head.Restore), want, head.StorageClass)
	}
	list := &s3.ListObjectsV2Input{Bucket: aws.String("owner-data"), OptionalObjectAttributes: []types.OptionalObjectAttributes{"RestoreStatus"}}
	listed, err := client.ListObjectsV2(t.Context(), list)
	if err != nil || listed.Contents[0].RestoreStatus == nil || listed.Contents[0].RestoreStatus.RestoreExpiryDate == nil {
		t.Errorf("listing: %v, %+v", err, listed)
	}
	clock.Advance(7 * 24 * time.Hour)
	for operation, got := range readEveryWay(t, awsfaketest.S3Client(w.Assume(t, nil))) {
		if got != "InvalidObjectState" {
			t.Errorf("%s after the copy expired: got %q", operation, got)
		}
	}
	w.Source.Put("k", awsfake.SyntheticBody(6*awsfaketest.Mebi, 1), awsfake.PutOptions{StorageClass: "INTELLIGENT_TIERING", ArchiveTier: true})
	w.Source.Restore("k")
	if info, _ := w.Source.Object("k"); info.Archived {
		t.Error("an object restored from the archive tier is archived")
	}
}
