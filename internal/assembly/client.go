package assembly

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"syncd/config"
)

// both returns a func that attaches the middleware of first and of second.
func both(first, second func(*middleware.Stack) error) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error { return errors.Join(first(stack), second(stack)) }
}

// address is the endpoint for requests. The zero address is AWS.
type address struct {
	url       string
	pathStyle bool
}

// pathStyle returns the path_style setting of one side, or the global one if style is nil.
func pathStyle(c *config.Config, style *bool) bool {
	if style != nil {
		return *style
	}
	return c.AWS.PathStyle
}

// newS3Client returns a client with the given middleware attached.
func newS3Client(c aws.Config, at address, attach ...func(*middleware.Stack) error) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) {
		if at.url != "" {
			o.BaseEndpoint = &at.url
		}
		o.UsePathStyle = at.pathStyle
		// No log line for a checksum that the SDK skips: the copier verifies it.
		o.DisableLogOutputChecksumValidationSkipped = true
		o.APIOptions = append(o.APIOptions, attach...)
	})
}
