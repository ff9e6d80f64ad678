package throttle

import (
	"time"

	"github.com/aws/smithy-go/middleware"

	"syncd/internal/deadline"
)

const (
	// askPatience limits an attempt that S3 can answer without moving content.
	askPatience = time.Minute
	// movePatience limits an attempt that moves content or completes an upload. Copying 5 GiB from
	// another region takes minutes, and so does completing an upload of 10,000 parts (Amazon S3 API
	// Reference, CompleteMultipartUpload).
	movePatience = 10 * time.Minute
)

// Patience bounds how long each attempt of an S3 client waits for its response. Use it as one of
// the client's APIOptions, before a Meter and a Guard, so that they see timeouts. It does not bound
// a body that is read later.
func Patience(stack *middleware.Stack) error {
	return deadline.Patience{For: patienceFor, Streams: streams}.Attach(stack)
}

// streams reports whether the response body of an operation is read after the call returns.
func streams(operation string) bool {
	return operation == "GetObject" || operation == "GetObjectAnnotation"
}

func patienceFor(operation string) time.Duration {
	switch operation {
	case "CopyObject", "UploadPartCopy", "PutObject", "UploadPart", "CompleteMultipartUpload":
		return movePatience
	default:
		return askPatience
	}
}
