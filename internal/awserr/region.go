package awserr

import (
	"errors"
	"net/http"
	"regexp"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// expectedRegion matches the region that S3 expects a request to be signed for, illegalRegion the
// region of a bucket that the endpoint does not serve, and regionName a valid name of a region. A
// region that does not match is ignored, because a region is shown to the user and used in
// requests.
var (
	expectedRegion = regexp.MustCompile(`expecting '([a-z0-9-]{1,32})'`)
	illegalRegion  = regexp.MustCompile(`The ([a-z0-9-]{1,32}-[0-9]) location constraint is incompatible`)
	regionName     = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
)

// BucketRegion returns the region of the bucket of a misdirected request, or "" if the response
// does not contain it (Amazon S3 User Guide, "Redirects": a redirect points to another region's
// endpoint; HeadBucket: its responses name the region in X-Amz-Bucket-Region).
func BucketRegion(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok && misdirects(api.ErrorCode()) {
		for _, form := range []*regexp.Regexp{expectedRegion, illegalRegion} {
			if m := form.FindStringSubmatch(api.ErrorMessage()); m != nil {
				return m[1]
			}
		}
	}
	response, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || response.Response == nil {
		return ""
	}
	if status := response.HTTPStatusCode(); !redirect(status) && status != http.StatusBadRequest {
		return ""
	}
	if region := response.Response.Header.Get("X-Amz-Bucket-Region"); regionName.MatchString(region) {
		return region
	}
	return ""
}

// misdirects reports whether a code can mean that a request was sent to another region than its
// bucket's.
func misdirects(code string) bool {
	return code == "AuthorizationHeaderMalformed" || code == "IllegalLocationConstraintException"
}

// redirect reports whether a status is a redirect. Redirects are not followed, because a request is
// signed for one endpoint.
func redirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	default:
		return false
	}
}

// classifyRedirect returns the class of a redirect. S3 redirects requests for a bucket in another
// region. A redirect with neither a request id nor an S3 code comes from something in front of the
// service.
func classifyRedirect(err error) Class {
	response, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || response.Response == nil || !redirect(response.HTTPStatusCode()) {
		return Unknown
	}
	api, ok := errors.AsType[smithy.APIError](err)
	named := ok && (api.ErrorCode() == "PermanentRedirect" || api.ErrorCode() == "TemporaryRedirect" || api.ErrorCode() == "Redirect")
	if named || BucketRegion(err) != "" || response.Response.Header.Get("X-Amz-Request-Id") != "" {
		return WrongRegion
	}
	return Transient
}

// elsewhere returns a note about a redirect or the bucket's region, or "" for other errors.
func elsewhere(err error) string {
	if region := BucketRegion(err); region != "" {
		return "; the bucket is in region " + region
	}
	response, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || response.Response == nil || !redirect(response.HTTPStatusCode()) {
		return ""
	}
	if classifyRedirect(err) == WrongRegion {
		return "; the bucket is not in the configured region"
	}
	return "; redirects are not followed: a proxy or a gateway in front of the service may have sent this one"
}
