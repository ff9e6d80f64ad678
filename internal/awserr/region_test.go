package awserr_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"syncd/internal/awserr"
)

// TestBucketRegion checks responses that name a region, and responses that only seem to name a
// region.
func TestBucketRegion(t *testing.T) {
	const malformed = "AuthorizationHeaderMalformed"
	named := func(region string) error {
		return redirected(301, "PermanentRedirect", http.Header{"X-Amz-Bucket-Region": {region}})
	}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"none":                     {nil, ""},
		"by header":                {named("eu-west-1"), "eu-west-1"},
		"by message":               {answer(400, malformed, "the region 'a' is wrong; expecting 'eu-west-1'"), "eu-west-1"},
		"wrapped":                  {fmt.Errorf("head: %w", answer(400, malformed, "expecting 'eu-west-1'")), "eu-west-1"},
		"header of many lines":     {named("eu-west-1\nall is well"), ""},
		"header with a line's end": {named("eu-west-1\n"), ""},
		"header that is a host":    {named("evil.example.com/"), ""},
		"header with capitals":     {named("EU"), ""},
		"header too long":          {named(strings.Repeat("a", 33)), ""},
		"message too long":         {answer(400, malformed, "expecting '"+strings.Repeat("a", 33)+"'"), ""},
		"message of another code":  {answer(400, "AccessDenied", "expecting 'eu-west-1'"), ""},
		"key that reads like it":   {fmt.Errorf("copy \"expecting 'eu-west-1'\": %w", answer(404, "NoSuchKey", "gone")), ""},
		"key with the right code":  {fmt.Errorf("copy \"expecting 'eu-west-1'\": %w", answer(400, malformed, "half a signature")), ""},
		"no answer of a service":   {errors.New("expecting 'eu-west-1'"), ""},
	} {
		if got := awserr.BucketRegion(tt.err); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}
