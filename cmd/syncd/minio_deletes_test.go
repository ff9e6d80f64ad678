package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/invocation"
	"syncd/internal/syncer"
)

// TestDeletesOnMinIO deletes most objects of a real MinIO server from the source, and overwrites a copy. It
// checks that the other copies are deleted, in a versioned bucket with delete markers. MinIO may ignore the
// condition of a delete.
func TestDeletesOnMinIO(t *testing.T) {
	needMinIO(t)
	server := startMinIO(t, minioCopyKey)
	client := minioClient(server)
	for _, versioned := range []bool{false, true} {
		t.Run(fmt.Sprint("versioned ", versioned), func(t *testing.T) { deletesOn(t, server, client, versioned) })
	}
}

func deletesOn(t *testing.T, server string, client *s3.Client, versioned bool) {
	t.Helper()
	source, destination := fmt.Sprintf("source-%t", versioned), fmt.Sprintf("copy-%t", versioned)
	for _, bucket := range []string{source, destination} {
		if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
			t.Fatal(err)
		}
	}
	if versioned {
		_, err := client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
			Bucket: &destination, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put := func(bucket, key string) {
		if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(bucket)}); err != nil {
			t.Fatalf("put %s: %v", key, err)
		}
	}
	keys := []string{"kept", "a b", "a+b", "ünïcode", "a&<>'b", "dir/%2F"}
	for i := range 100 {
		keys = append(keys, fmt.Sprintf("k%03d", i))
	}
	for _, key := range keys {
		put(source, key)
	}
	config := filepath.Join(t.TempDir(), "syncd.yaml")
	text := fmt.Sprintf(`state: "file:%s"
aws: {endpoint_url: %q, path_style: true}
mappings:
  - name: m
    source: {bucket: %s, region: us-east-1, account: ""}
    destination: {bucket: %s, region: us-east-1, account: "", kms_key: "%s%s"}
    delete: {enabled: true, max_objects: 1000, max_percent: 100}
`, filepath.Join(t.TempDir(), "state"), server, source, destination, minioKeyARN, minioCopyKey)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	pass := func() (got syncer.Summary) {
		t.Helper()
		var stdout, stderr lockedBuffer
		p := invocation.Process{Stdout: &stdout, Stderr: &stderr, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: time.Now}
		code := run(t.Context(), []string{"backfill", "--json", "--config", config}, p)
		if err := json.Unmarshal([]byte(stdout.String()), &got); err != nil || code != 0 {
			t.Fatalf("got exit %d, %v; stderr:\n%s", code, err, stderr.String())
		}
		return got
	}
	pass()
	for _, key := range keys[1:] {
		if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &source, Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	put(destination, "k050")
	pass()
	if got := pass(); got.Deleted != int64(len(keys)-2) || got.Undeleted["overwritten"] != 1 {
		t.Errorf("got %+v, want all copies deleted but one", got)
	}
	out, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &destination})
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, o := range out.Contents {
		left = append(left, aws.ToString(o.Key))
	}
	if !slices.Equal(left, []string{"k050", "kept"}) {
		t.Errorf("got %q at the destination, want the object of the other writer and the kept copy", left)
	}
	versions, err := client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &destination})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(versions.DeleteMarkers); versioned && n != len(keys)-2 || !versioned && n != 0 {
		t.Errorf("got %d delete markers", n)
	}
	if got := pass(); got.Deleted != 0 || len(got.Undeleted) > 0 {
		t.Errorf("got %+v, want nothing to delete", got)
	}
}
