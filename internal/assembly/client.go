package assembly

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"syncd/config"
)

// both hangs two things on a client's middleware.
func both(first, second func(*middleware.Stack) error) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error { return errors.Join(first(stack), second(stack)) }
}

// address is where requests go; the zero address is AWS itself.
type address struct {
	url       string
	pathStyle bool
}

// pathStyle is the setting of one side, or that of all.
func pathStyle(c *config.Config, style *bool) bool {
	if style != nil {
		return *style
	}
	return c.AWS.PathStyle
}

// newS3Client makes a client with middleware hung on it.
func newS3Client(c aws.Config, at address, attach ...func(*middleware.Stack) error) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) {
		if at.url != "" {
			o.BaseEndpoint = &at.url
		}
		o.UsePathStyle = at.pathStyle
		o.DisableLogOutputChecksumValidationSkipped = true // the copier checks what the SDK cannot
		o.APIOptions = append(o.APIOptions, attach...)
	})
}
