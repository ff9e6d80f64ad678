package object_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

// TestAnnotations checks that annotations can be put, listed page by page, read and deleted.
func TestAnnotations(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	there := w.Destination.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	client := awsfaketest.S3Client(w.Assume(t, nil))
	bucket, key := aws.String("consumer-copy"), aws.String("k")
	put := func(name, payload, match string) string {
		in := &s3.PutObjectAnnotationInput{Bucket: bucket, Key: key, AnnotationName: &name, AnnotationPayload: strings.NewReader(payload)}
		if match != "" {
			in.ObjectIfMatch = &match
		}
		_, err := client.PutObjectAnnotation(t.Context(), in)
		return awsfaketest.Code(err)
	}
	want := map[string]string{}
	for i := range 5 {
		want[fmt.Sprint("note ", i)] = fmt.Sprint("payload ", i)
		if got := put(fmt.Sprint("note ", i), fmt.Sprint("payload ", i), `"`+there.ETag+`"`); got != "" {
			t.Fatalf("put: got %q", got)
		}
	}
	for _, tt := range []struct{ name, payload, match, want string }{
		{"note", "x", `"another"`, "PreconditionFailed"},
		{"AWS note", "x", "", "InvalidAnnotationName"},
		{strings.Repeat("n", 513), "x", "", "AnnotationNameTooLong"},
		{"note", "", "", "EntityTooLarge"},
		{"note", strings.Repeat("x", 1<<20+1), "", "EntityTooLarge"},
		{"note", "\xff", "", "UnsupportedMediaType"},
	} {
		if got := put(tt.name, tt.payload, tt.match); got != tt.want {
			t.Errorf("put %.20q: got %q, want %q", tt.name, got, tt.want)
		}
	}
	got := map[string]string{}
	pages := s3.NewListObjectAnnotationsPaginator(client, &s3.ListObjectAnnotationsInput{Bucket: bucket, Key: key, MaxAnnotationResults: aws.Int32(2)})
	n := 0
	for ; pages.HasMorePages(); n++ {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range page.Annotations {
			out, err := client.GetObjectAnnotation(t.Context(), &s3.GetObjectAnnotationInput{Bucket: bucket, Key: key, AnnotationName: entry.AnnotationName})
			if err != nil {
				t.Fatal(err)
			}
			payload, err := io.ReadAll(out.AnnotationPayload)
			if err != nil {
				t.Fatal(err)
			}
			got[*entry.AnnotationName] = string(payload)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || n != 3 {
		t.Errorf("got %d pages, want 3; annotations (-want +got):\n%s", n, diff)
	}
	if _, err := client.DeleteObjectAnnotation(t.Context(), &s3.DeleteObjectAnnotationInput{Bucket: bucket, Key: key, AnnotationName: aws.String("note 0")}); err != nil {
		t.Fatal(err)
	}
	_, err := client.GetObjectAnnotation(t.Context(), &s3.GetObjectAnnotationInput{Bucket: bucket, Key: key, AnnotationName: aws.String("note 0")})
	if got := awsfaketest.Code(err); got != "NoSuchAnnotation" {
		t.Errorf("a deleted one: got %q, want NoSuchAnnotation", got)
	}
	if info, _ := w.Destination.Object("k"); info.ETag != there.ETag || len(info.Annotations) != 4 {
		t.Errorf("got %+v, want the same object with four annotations", info)
	}
}

// TestCopyCarriesAnnotations checks that a copy includes annotations by default, and that they
// require their own permissions.
func TestCopyCarriesAnnotations(t *testing.T) {
	notes := map[string]string{"note": "x"}
	for _, tt := range []struct {
		name, without, directive string
		annotations              map[string]string
		code                     string
		want                     map[string]string
	}{
		{"by default", "x:y", "", notes, "", notes},
		{"requested", "x:y", "COPY", notes, "", notes},
		{"excluded", "s3:GetObjectAnnotation", "EXCLUDE", notes, "", nil},
		{"none", "s3:GetObjectAnnotation", "", nil, "", nil},
		{"not readable", "s3:GetObjectAnnotation", "", notes, "AccessDenied", nil},
		{"not writable", "s3:PutObjectAnnotation", "", notes, "AccessDenied", nil},
		{"no such directive", "x:y", "SOME", notes, "InvalidArgument", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := awsfaketest.New(t, awsfake.Options{})
			w.Role.SetPolicies(awsfaketest.AllowBut(tt.without))
			w.Source.SetPolicy(awsfaketest.BucketPolicyWithout("x:y", "222222222222"))
			w.Source.Put("key", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{Annotations: tt.annotations})
			in := awsfaketest.CopyKey("key")
			in.AnnotationDirective = types.AnnotationDirective(tt.directive)
			_, err := awsfaketest.S3Client(w.Assume(t, nil)).CopyObject(t.Context(), in)
			info, _ := w.Destination.Object("key")
			if got := awsfaketest.Code(err); got != tt.code || !cmp.Equal(info.Annotations, tt.want) {
				t.Errorf("got %q and %v, want %q and %v", got, info.Annotations, tt.code, tt.want)
			}
		})
	}
}
