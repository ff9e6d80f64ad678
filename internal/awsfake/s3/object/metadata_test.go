package object_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

// TestNonASCIIMetadata checks that raw bytes are interpreted as ISO 8859-1 and that encoded words
// are decoded before they are stored. The first case is the example in "Working with object
// metadata" in the Amazon S3 User Guide.
func TestNonASCIIMetadata(t *testing.T) {
	for _, tt := range []struct{ name, sent, kept, answered string }{
		{"raw UTF-8", "ÄMÄZÕÑ S3", "Ã\u0084MÃ\u0084ZÃ\u0095Ã\u0091 S3", "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?="},
		{"encoded word, B", "=?UTF-8?B?w4RNw4Raw5XDkSBTMw==?=", "ÄMÄZÕÑ S3", "=?UTF-8?B?w4RNw4Raw5XDkSBTMw==?="},
		{"encoded word, Q", "=?utf-8?q?caf=C3=A9_au_lait?=", "café au lait", "=?UTF-8?B?Y2Fmw6kgYXUgbGFpdA==?="},
		{"encoded ASCII", "=?UTF-8?B?cGxhaW4=?=", "plain", "plain"},
		{"ASCII", "AMAZONS3 =? not a word", "AMAZONS3 =? not a word", "AMAZONS3 =? not a word"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := awsfaketest.New(t, awsfake.Options{})
			client := awsfaketest.S3Client(w.UserConfig(w.Base))
			put := func(key, value string) {
				_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
					Bucket: aws.String("consumer-copy"), Key: &key, Body: strings.NewReader(""), Metadata: map[string]string{"m": value},
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			put("k", tt.sent)
			if info, _ := w.Destination.Object("k"); info.Metadata["m"] != tt.kept {
				t.Errorf("kept %q, want %q", info.Metadata["m"], tt.kept)
			}
			head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k")})
			if err != nil || head.Metadata["m"] != tt.answered {
				t.Fatalf("answered %q (%v), want %q", head.Metadata["m"], err, tt.answered)
			}
			put("again", head.Metadata["m"])
			if info, _ := w.Destination.Object("again"); info.Metadata["m"] != tt.kept {
				t.Errorf("what was answered, put again: kept %q, want %q", info.Metadata["m"], tt.kept)
			}
		})
	}
}

func TestUnprintableMetadataIsCounted(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Destination.Put("k", awsfake.BytesBody(nil), awsfake.PutOptions{Metadata: map[string]string{"a": "1", "b": "x\x01", "c": "\x7f", "d": "tab\there"}})
	head, err := awsfaketest.S3Client(w.UserConfig(w.Base)).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "1", "d": "tab\there"}, head.Metadata); diff != "" || aws.ToInt32(head.MissingMeta) != 2 {
		t.Errorf("%d missing; %s", aws.ToInt32(head.MissingMeta), diff)
	}
}

// TestSystemMetadata checks that Expires is stored as written, and that a copy inherits it but not
// the redirect.
func TestSystemMetadata(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("key", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{
		Headers: map[string]string{"Expires": "never, ever", "Cache-Control": "no-store"}, WebsiteRedirect: "/elsewhere",
	})
	client := awsfaketest.S3Client(w.Assume(t, nil))
	head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("key")})
	if err != nil || aws.ToString(head.ExpiresString) != "never, ever" || aws.ToString(head.WebsiteRedirectLocation) != "/elsewhere" {
		t.Errorf("HEAD: %v, expires %q, redirect %q", err, aws.ToString(head.ExpiresString), aws.ToString(head.WebsiteRedirectLocation))
	}
	for _, tt := range []struct{ name, redirect, want, code string }{
		{"not requested", "", "", ""},
		{"requested", "https://example.com/", "https://example.com/", ""},
		{"neither a path nor a URL", "elsewhere", "", "InvalidRedirectLocation"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.Destination.Delete("key")
			in := awsfaketest.CopyKey("key")
			if tt.redirect != "" {
				in.WebsiteRedirectLocation = &tt.redirect
			}
			_, err := client.CopyObject(t.Context(), in)
			if got := awsfaketest.Code(err); got != tt.code {
				t.Fatalf("got %q, want %q", got, tt.code)
			}
			got, copied := w.Destination.Object("key")
			if got.WebsiteRedirect != tt.want || copied && got.Headers["Expires"] != "never, ever" {
				t.Errorf("redirect %q, want %q; Expires %q", got.WebsiteRedirect, tt.want, got.Headers["Expires"])
			}
		})
	}
	put := awsfaketest.SignedRequest(t, w.UserConfig(w.Base), "PUT", w.Endpoint+"/consumer-copy/raw", map[string]string{"Expires": "0"})
	if got := awsfaketest.RoundTrip(t, w, put); got.Status != 200 {
		t.Fatal(got)
	}
	if got, _ := w.Destination.Object("raw"); got.Headers["Expires"] != "0" {
		t.Errorf("Expires of the wire: got %q, want 0", got.Headers["Expires"])
	}
}

func TestTagLimits(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	for _, tt := range []struct{ name, tagging, want string }{
		{"longest key and value", strings.Repeat("k", 128) + "=" + strings.Repeat("v", 256), ""},
		{"key too long", strings.Repeat("k", 129) + "=v", "InvalidTag"},
		{"value too long", "k=" + strings.Repeat("v", 257), "InvalidTag"},
		{"longest in characters, not bytes", strings.Repeat("%C3%A9", 128) + "=v", ""},
		{"reserved prefix", "aws%3Ax=v", "InvalidTag"},
		{"characters", "k=a%26b", "InvalidTag"},
		{"duplicate key", "k=1&k=2", "InvalidArgument"},
		{"not a query string", "k=%zz", "InvalidArgument"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: aws.String("consumer-copy"), Key: aws.String("k"), Body: strings.NewReader(""), Tagging: &tt.tagging,
			})
			if got := awsfaketest.Code(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}
