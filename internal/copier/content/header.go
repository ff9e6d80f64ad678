package content

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"syncd/internal/copier/request"
)

// DefaultType is the content type of an object that was written without one.
const DefaultType = "binary/octet-stream"

// Encoding removes aws-chunked from a Content-Encoding. The value aws-chunked describes how a
// request body was sent and is not a property of the object.
func Encoding(value *string) *string {
	var kept []string
	for coding := range strings.SplitSeq(aws.ToString(value), ",") {
		if coding = strings.TrimSpace(coding); coding != "" && coding != "aws-chunked" {
			kept = append(kept, coding)
		}
	}
	return request.Optional(strings.Join(kept, ","))
}
