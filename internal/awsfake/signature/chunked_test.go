package signature_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

// chunks encodes a body as aws-chunked. sign returns each chunk's extension.
func chunks(size int, body []byte, trailer string, sign func([]byte) string) string {
	var b strings.Builder
	for {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x%s\r\n", n, sign(body[:n]))
		if n == 0 {
			return b.String() + trailer + "\r\n"
		}
		b.Write(body[:n])
		b.WriteString("\r\n")
		body = body[n:]
	}
}

func unsignedChunk([]byte) string { return "" }

// chunkSigner signs chunks as described in "Signature calculations for the Authorization header:
// transferring payload in multiple chunks" (Amazon S3 API Reference).
func chunkSigner(c aws.Credentials, r *http.Request) func([]byte) string {
	previous := regexp.MustCompile(`Signature=(\w+)`).FindStringSubmatch(r.Header.Get("Authorization"))[1]
	date := r.Header.Get("X-Amz-Date")
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	key := mac(mac(mac(mac([]byte("AWS4"+c.SecretAccessKey), date[:8]), awsfaketest.Region), "s3"), "aws4_request")
	return func(chunk []byte) string {
		text := fmt.Sprintf("AWS4-HMAC-SHA256-PAYLOAD\n%s\n%s/%s/s3/aws4_request\n%s\n%x\n%x",
			date, date[:8], awsfaketest.Region, previous, sha256.Sum256(nil), sha256.Sum256(chunk))
		previous = hex.EncodeToString(mac(key, text))
		return ";chunk-signature=" + previous
	}
}

func TestAWSChunked(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789"), 20_000)
	const (
		unsigned = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
		signed4  = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	)
	tests := []struct {
		name, hash, trailer string
		spoil               func(string) string
		want                string
	}{
		{"unsigned", unsigned, "", nil, ""},
		{"signed", signed4, "", nil, ""},
		{"unsigned, trailer wrong", unsigned, "x-amz-checksum-crc32:AAAAAA==\r\n", nil, "BadDigest"},
		{"signed, one byte changed", signed4, "", func(s string) string { return strings.Replace(s, "0123456789", "0123456780", 1) }, "SignatureDoesNotMatch"},
		{"signed, a signature changed", signed4, "", func(s string) string { return strings.Replace(s, "signature=", "signature=0", 1) }, "SignatureDoesNotMatch"},
		{"no size", unsigned, "", func(s string) string { return "zz" + s }, "InvalidChunkSizeError"},
		{"no line end after a chunk", unsigned, "", func(s string) string { return strings.Replace(s, "\r\n8000", "8000", 1) }, "InvalidChunkSizeError"},
		{"cut short", unsigned, "", func(s string) string { return s[:len(s)/2] }, "IncompleteBody"},
		{"last chunk missing", signed4, "", func(s string) string { return s[:strings.LastIndex(s, "0;chunk")] }, "IncompleteBody"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := awsfaketest.New(t, awsfake.Options{})
			c := w.UserConfig(w.Base)
			header := map[string]string{
				"X-Amz-Content-Sha256": tt.hash, "X-Amz-Decoded-Content-Length": fmt.Sprint(len(body)), "Content-Encoding": "aws-chunked,gzip",
			}
			if tt.trailer != "" {
				header["X-Amz-Trailer"] = "x-amz-checksum-crc32"
			}
			r := awsfaketest.SignedRequest(t, c, http.MethodPut, "https://s3.us-west-2.amazonaws.com/consumer-copy/k", header)
			credentials, err := c.Credentials.Retrieve(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			sign := unsignedChunk
			if tt.hash == signed4 {
				sign = chunkSigner(credentials, r)
			}
			framed := chunks(0x8000, body, tt.trailer, sign)
			if tt.spoil != nil {
				framed = tt.spoil(framed)
			}
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(framed)), int64(len(framed))
			got := awsfaketest.RoundTrip(t, w, r)
			if got.Code != tt.want {
				t.Fatalf("got %s, want %q", got, tt.want)
			}
			if tt.want != "" {
				return
			}
			stored, err := w.Destination.Read("k")
			info, _ := w.Destination.Object("k")
			if err != nil || !bytes.Equal(stored, body) || info.Headers["Content-Encoding"] != "gzip" {
				t.Errorf("stored %d bytes with encoding %q, %v", len(stored), info.Headers["Content-Encoding"], err)
			}
		})
	}
}
