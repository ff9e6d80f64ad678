package awserr

import (
	"errors"
	"net/http"
	"regexp"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// expectedRegion is how S3 names the region that it wants a request signed for, illegalRegion that
// of a bucket whose region another endpoint does not serve, and regionName what a region can be
// called. Whatever else an answer says there is not believed: it is shown, and requests are made of
// it.
var (
	expectedRegion = regexp.MustCompile(`expecting '([a-z0-9-]{1,32})'`)
	illegalRegion  = regexp.MustCompile(`The ([a-z0-9-]{1,32}-[0-9]) location constraint is incompatible`)
	regionName     = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
)

// BucketRegion is the region that the bucket of a misdirected request is in, "" when the answer
// does not say (Amazon S3 User Guide, "Redirects": a redirect is for another region's endpoint;
// HeadBucket: its answers name the region in X-Amz-Bucket-Region).
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

// misdirects reports whether a code is one of a request that went to another region than that of
// its bucket.
func misdirects(code string) bool {
	return code == "AuthorizationHeaderMalformed" || code == "IllegalLocationConstraintException"
}

// redirect reports whether a status sends the client elsewhere. No redirect is followed: a request
// is signed for one place.
func redirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	default:
		return false
	}
}

// classifyRedirect is the class of an answer that sends the client elsewhere: S3 does so for a
// bucket of another region. What bears neither an id of a request nor a code of S3, something
// before the service has said.
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

// elsewhere says of a redirect where it leads, or in which region the bucket is; "" of everything
// else.
func elsewhere(err error) string {
	if region := BucketRegion(err); region != "" {
		return "; the bucket is in region " + region
	}
	response, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || response.Response == nil || !redirect(response.HTTPStatusCode()) {
		return ""
	}
	if classifyRedirect(err) == WrongRegion {
		return "; the bucket is in another region than the configured one"
	}
	return "; redirects are not followed: a proxy or a gateway before the service may have sent this one"
}
