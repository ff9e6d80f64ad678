package object_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

// locking returns a world whose consumer has another bucket, "vault", with object lock.
func locking(tb testing.TB, clock *awsfaketest.ManualClock) (*awsfaketest.World, *awsfake.Bucket) {
	tb.Helper()
	clock.Store(time.Now().UnixNano())
	w := awsfaketest.New(tb, awsfake.Options{Now: clock.Now})
	return w, w.Consumer.CreateBucket("vault", awsfaketest.Region, awsfake.BucketOptions{ObjectLock: true})
}

func TestLockedVersions(t *testing.T) {
	year := 365 * 24 * time.Hour
	for _, tt := range []struct {
		name           string
		lock           awsfake.Lock // if Mode is set, the test sets Until to a year from now
		bypass         bool
		without        string // the action that the caller lacks
		want, nextYear string
	}{
		{"no lock", awsfake.Lock{}, false, "x:y", "", ""},
		{"governance", awsfake.Lock{Mode: awsfake.Governance}, false, "x:y", "AccessDenied", ""},
		{"governance bypassed", awsfake.Lock{Mode: awsfake.Governance}, true, "x:y", "", ""},
		{"governance without the right to bypass", awsfake.Lock{Mode: awsfake.Governance}, true, "s3:BypassGovernanceRetention", "AccessDenied", "AccessDenied"},
		{"compliance is not bypassed", awsfake.Lock{Mode: awsfake.Compliance}, true, "x:y", "AccessDenied", ""},
		{"event hold does not expire", awsfake.Lock{EventHold: true, HoldDays: 1}, true, "x:y", "AccessDenied", "AccessDenied"},
		{"legal hold does not expire", awsfake.Lock{LegalHold: true}, true, "x:y", "AccessDenied", "AccessDenied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock := &awsfaketest.ManualClock{}
			w, vault := locking(t, clock)
			w.Role.SetPolicies(awsfaketest.AllowBut(tt.without))
			if tt.lock.Mode != "" {
				tt.lock.Until = clock.Now().Add(year)
			}
			info := vault.Put("k", awsfake.BytesBody(nil), awsfake.PutOptions{Lock: tt.lock})
			remove := func() string {
				_, err := awsfaketest.S3Client(w.Assume(t, nil)).DeleteObject(t.Context(), &s3.DeleteObjectInput{
					Bucket: aws.String("vault"), Key: aws.String("k"), VersionId: &info.VersionID, BypassGovernanceRetention: &tt.bypass,
				})
				return awsfaketest.Code(err)
			}
			if got := remove(); got != tt.want {
				t.Errorf("delete of the version: got %q, want %q", got, tt.want)
			}
			if _, err := awsfaketest.S3Client(w.Assume(t, nil)).DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("vault"), Key: aws.String("k")}); err != nil {
				t.Errorf("a delete marker over it: %v", err)
			}
			clock.Advance(year)
			if got := remove(); got != tt.nextYear {
				t.Errorf("a year later: got %q, want %q", got, tt.nextYear)
			}
		})
	}
}

func TestLockHeaders(t *testing.T) {
	clock := &awsfaketest.ManualClock{}
	w, _ := locking(t, clock)
	w.Source.Put("key", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	until := clock.Now().Add(time.Hour).UTC().Truncate(time.Second)
	retain := func(in *s3.CopyObjectInput) {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate = types.ObjectLockModeCompliance, &until
	}
	for _, tt := range []struct {
		name    string
		without string
		change  func(*s3.CopyObjectInput)
		want    string
	}{
		{"nothing", "x:y", func(*s3.CopyObjectInput) {}, ""},
		{"retention", "x:y", retain, ""},
		{"retention without permission", "s3:PutObjectRetention", retain, "AccessDenied"},
		{"legal hold without permission", "s3:PutObjectLegalHold", func(in *s3.CopyObjectInput) { in.ObjectLockLegalHoldStatus = "ON" }, "AccessDenied"},
		{"legal hold off", "x:y", func(in *s3.CopyObjectInput) { in.ObjectLockLegalHoldStatus = "OFF" }, ""},
		{"no such hold", "x:y", func(in *s3.CopyObjectInput) { in.ObjectLockLegalHoldStatus = "on" }, "InvalidArgument"},
		{"no such mode", "x:y", func(in *s3.CopyObjectInput) { retain(in); in.ObjectLockMode = "STRICT" }, "InvalidArgument"},
		{"mode without a date", "x:y", func(in *s3.CopyObjectInput) { in.ObjectLockMode = "COMPLIANCE" }, "InvalidArgument"},
		{"date in the past", "x:y", func(in *s3.CopyObjectInput) {
			retain(in)
			in.ObjectLockRetainUntilDate = aws.Time(until.Add(-2 * time.Hour))
		}, "InvalidArgument"},
		{"event hold", "x:y", func(in *s3.CopyObjectInput) {
			in.ObjectLockEventHold, in.ObjectLockEventHoldDurationDays = "ON", aws.Int32(30)
		}, ""},
		{"event hold without permission", "s3:PutObjectRetention", func(in *s3.CopyObjectInput) { in.ObjectLockEventHold = "ON" }, "AccessDenied"},
		{"no such event hold", "x:y", func(in *s3.CopyObjectInput) { in.ObjectLockEventHold = "on" }, "InvalidArgument"},
		{"event hold for days and years", "x:y", func(in *s3.CopyObjectInput) {
			in.ObjectLockEventHold, in.ObjectLockEventHoldDurationDays, in.ObjectLockEventHoldDurationYears = "ON", aws.Int32(30), aws.Int32(1)
		}, "InvalidArgument"},
		{"event hold for no days", "x:y", func(in *s3.CopyObjectInput) {
			in.ObjectLockEventHold, in.ObjectLockEventHoldDurationDays = "ON", aws.Int32(0)
		}, "InvalidArgument"},
		{"event hold without object lock", "x:y", func(in *s3.CopyObjectInput) { in.ObjectLockEventHold, in.Bucket = "ON", aws.String("consumer-copy") }, "InvalidRequest"},
		{"bucket without object lock", "x:y", func(in *s3.CopyObjectInput) { retain(in); in.Bucket = aws.String("consumer-copy") }, "InvalidRequest"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.Role.SetPolicies(awsfaketest.AllowBut(tt.without))
			in := awsfaketest.CopyKey("key")
			in.Bucket = aws.String("vault")
			tt.change(in)
			_, err := awsfaketest.S3Client(w.Assume(t, nil)).CopyObject(t.Context(), in)
			if got := awsfaketest.Code(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

// TestLockHeadersNeedPermission checks that callers without permission get the object without its
// lock headers.
func TestLockHeadersNeedPermission(t *testing.T) {
	clock := &awsfaketest.ManualClock{}
	w, vault := locking(t, clock)
	until := clock.Now().Add(time.Hour).UTC().Truncate(time.Second)
	client := awsfaketest.S3Client(w.Assume(t, nil))
	upload, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{
		Bucket: aws.String("vault"), Key: aws.String("k"), ObjectLockMode: types.ObjectLockModeGovernance, ObjectLockRetainUntilDate: &until, ObjectLockLegalHoldStatus: "ON",
	})
	if err != nil {
		t.Fatal(err)
	}
	part, err := client.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: aws.String("vault"), Key: aws.String("k"), UploadId: upload.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("x"),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: aws.String("vault"), Key: aws.String("k"), UploadId: upload.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := awsfake.Lock{Mode: awsfake.Governance, Until: until, LegalHold: true}
	if info, _ := vault.Object("k"); info.Lock != want {
		t.Errorf("got %+v, want %+v", info.Lock, want)
	}
	for without, want := range map[string]string{
		"x:y": "GOVERNANCE " + until.Format(time.RFC3339) + " ON", "s3:GetObjectRetention": "  ON", "s3:GetObjectLegalHold": "GOVERNANCE " + until.Format(time.RFC3339) + " ",
	} {
		w.Role.SetPolicies(awsfaketest.AllowBut(without))
		head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("vault"), Key: aws.String("k")})
		if err != nil {
			t.Fatal(err)
		}
		date := ""
		if head.ObjectLockRetainUntilDate != nil {
			date = head.ObjectLockRetainUntilDate.Format(time.RFC3339)
		}
		if got := string(head.ObjectLockMode) + " " + date + " " + string(head.ObjectLockLegalHoldStatus); got != want {
			t.Errorf("without %s: got %q, want %q", without, got, want)
		}
	}
}

// TestLockedBucket checks that overwriting creates another version, that versioning cannot be
// suspended, and that a copy does not inherit the lock.
func TestLockedBucket(t *testing.T) {
	clock := &awsfaketest.ManualClock{}
	w, vault := locking(t, clock)
	vault.Put("k", awsfake.BytesBody([]byte("1")), awsfake.PutOptions{Lock: awsfake.Lock{Mode: awsfake.Compliance, Until: clock.Now().Add(time.Hour)}})
	c := w.UserConfig(w.Base)
	client := awsfaketest.S3Client(c)
	if _, err := client.CopyObject(t.Context(), &s3.CopyObjectInput{
		Bucket: aws.String("vault"), Key: aws.String("k"), CopySource: aws.String("vault/k"), MetadataDirective: "REPLACE",
	}); err != nil {
		t.Fatal(err)
	}
	if versions := vault.Versions("k"); len(versions) != 2 || versions[0].Lock.Mode != "" || versions[1].Lock.Mode != awsfake.Compliance {
		t.Errorf("versions: %+v", versions)
	}
	_, err := client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: aws.String("vault"), VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusSuspended},
	})
	if got := awsfaketest.Code(err); got != "InvalidBucketState" {
		t.Errorf("suspend versioning: got %q", got)
	}
	for bucket, want := range map[string]string{"vault": "", "consumer-copy": "ObjectLockConfigurationNotFoundError"} {
		_, err := client.GetObjectLockConfiguration(t.Context(), &s3.GetObjectLockConfigurationInput{Bucket: &bucket})
		if got := awsfaketest.Code(err); got != want {
			t.Errorf("configuration of %s: got %q, want %q", bucket, got, want)
		}
	}
	c.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	bare := awsfaketest.SignedRequest(t, c, "PUT", w.Endpoint+"/vault/k", map[string]string{"x-amz-object-lock-legal-hold": "ON"})
	if got := awsfaketest.RoundTrip(t, w, bare).String(); got != "400 InvalidRequest" {
		t.Errorf("a locked PUT without a checksum: got %s", got)
	}
}
