package transfer_test

import (
	"net/url"
	"strings"
	"testing"

	"syncd/internal/transfer"
)

func TestCopySource(t *testing.T) {
	for _, tt := range []struct{ key, want string }{
		{"a/b-c_d.e~f", "b/a/b-c_d.e~f"},
		{"a b", "b/a%20b"},
		{"a+b", "b/a%2Bb"},
		{"a%b", "b/a%25b"},
		{"a%2Bb", "b/a%252Bb"},
		{"k?versionId=x", "b/k%3FversionId%3Dx"},
		{"[a]=&;#!*'()@:$,", "b/%5Ba%5D%3D%26%3B%23%21%2A%27%28%29%40%3A%24%2C"},
		{"a//b", "b/a//b"},
		{"/leading", "b//leading"},
		{"a/../b/./c/", "b/a/../b/./c/"},
		{"\n\x01\x7f", "b/%0A%01%7F"},
		{"caf\u00e9", "b/caf%C3%A9"},
		{"\U0001f600", "b/%F0%9F%98%80"},
		{"\xff", "b/%FF"},
	} {
		if got := transfer.CopySource("b", tt.key); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.key, got, tt.want)
		}
	}
}

// FuzzCopySource checks the header for every key: it decodes to the same bytes, as a path and as a
// form, and contains no characters that are special in a header or a URL.
func FuzzCopySource(f *testing.F) {
	for _, key := range []string{"a", "a b", "+", "%", "%zz", "?versionId=1", "a//b/../c", "caf\u00e9", "\x00\xff"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		got := transfer.CopySource("bucket", key)
		for name, decode := range map[string]func(string) (string, error){"path": url.PathUnescape, "form": url.QueryUnescape} {
			if back, err := decode(got); err != nil || back != "bucket/"+key {
				t.Errorf("%q: got %q, decoded as a %s %q, %v", key, got, name, back, err)
			}
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("+?#&", r) }) {
			t.Errorf("%q: got %q, which contains special characters", key, got)
		}
	})
}

func TestCopySourceOfAnAccessPoint(t *testing.T) {
	const arn = "arn:aws:s3:us-west-2:111111111111:accesspoint/partner"
	got := transfer.CopySource(arn, "a b/c+d")
	want := "arn%3Aaws%3As3%3Aus-west-2%3A111111111111%3Aaccesspoint/partner/object/a%20b/c%2Bd"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := transfer.CopySource("partner-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias", "a"), "partner-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias/a"; got != want {
		t.Errorf("of an alias: got %s, want %s", got, want)
	}
}
