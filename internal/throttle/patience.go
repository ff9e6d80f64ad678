package throttle

import (
	"time"

	"github.com/aws/smithy-go/middleware"

	"syncd/internal/deadline"
)

const (
	// askPatience is how long an attempt may go without an answer that S3 gives from its index.
	askPatience = time.Minute
	// movePatience is how long one may that moves content, or puts the parts of an upload together:
	// 5 GiB from another region take minutes, and so do 10,000 parts (Amazon S3 API Reference,
	// CompleteMultipartUpload).
	movePatience = 10 * time.Minute
)

// Patience bounds how long each attempt of a client of S3 may wait for its answer. It is one of the
// client's APIOptions, before a Meter and a Guard, which then see a timeout. A body that is read
// later is not bounded.
func Patience(stack *middleware.Stack) error {
	return deadline.Patience{For: patienceFor, Streams: streams}.Attach(stack)
}

// streams reports whether the answer of an operation is read after it was returned.
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
