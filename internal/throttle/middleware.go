package throttle

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"

	"syncd/internal/awserr"
	"syncd/internal/deadline"
)

// Guard paces every attempt of an SDK client, including retries, and adapts to its outcome. A nil
// field has no effect. Guards of several clients may share fields. Do not change a guard after it
// is attached.
type Guard struct {
	// Level adapts to latency and broken connections. The caller must have acquired a slot of one
	// of the level's gates; the guard does not acquire one.
	Level *Level
	// Service is a draw on the quota of the service itself: a bucket or STS. All throttling except
	// KMS throttling affects this draw.
	Service *Draw
	// KMS is a draw on the quota of KMS in the account and region of the requests. Only requests
	// for which S3 can call KMS wait for this draw.
	KMS *Draw
	// Cap and KMSCap are the caps of a mapping; throttling does not change them. Cap counts
	// requests to the service. KMSCap counts the requests that S3 can send to KMS.
	Cap, KMSCap *Controller
}

// Attach adds the guard to a client's middleware stack. Use it as one of the client's APIOptions.
func (g *Guard) Attach(stack *middleware.Stack) error {
	// After the retryer, so that every attempt is paced, and before credentials are fetched and the
	// request is signed, so that neither becomes stale during a long wait.
	pace := middleware.FinalizeMiddlewareFunc("syncd.Guard.pace", g.pace)
	if err := stack.Finalize.Insert(pace, "Retry", middleware.After); err != nil {
		return fmt.Errorf("attach the guard: %w", err)
	}
	// Closest to the wire: an attempt without credentials was never sent, and the wait does not
	// count as latency.
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.Guard.learn", g.learn), middleware.Before)
}

// delayedKey is the context key that marks an attempt that had to wait.
type delayedKey struct{}

func (g *Guard) pace(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	resume := deadline.Pause(ctx)
	if err := beginAttempt(ctx); err != nil {
		resume()
		return middleware.FinalizeOutput{}, middleware.Metadata{}, &smithy.CanceledError{Err: fmt.Errorf("wait to retry: %w", err)}
	}
	delayed, err := g.wait(ctx, kmsRequests(awsmiddleware.GetOperationName(ctx), in.Request))
	resume()
	if err != nil {
		endAttempt(ctx, false)
		return middleware.FinalizeOutput{}, middleware.Metadata{}, err
	}
	attempt := ctx
	if delayed {
		attempt = context.WithValue(ctx, delayedKey{}, true)
	}
	out, metadata, err := next.HandleFinalize(attempt, in)
	endAttempt(ctx, awserr.Classify(err).Passes()) // the client retries errors of these classes, unless this was the last attempt
	return out, metadata, err
}

// wait waits for the controllers. It waits for the service's controller last, so that requests are
// sent as soon as that controller admits them, at an even rate.
func (g *Guard) wait(ctx context.Context, kms float64) (delayed bool, err error) {
	for _, turn := range [...]struct {
		wait   func(context.Context, float64) (bool, error)
		weight float64
	}{{g.KMSCap.wait, kms}, {g.Cap.wait, 1}, {g.KMS.wait, kms}, {g.Service.wait, 1}} {
		if turn.weight == 0 {
			continue
		}
		waited, err := turn.wait(ctx, turn.weight)
		if err != nil {
			return waited, err
		}
		delayed = delayed || waited
	}
	return delayed, nil
}

func (g *Guard) learn(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	operation := awsmiddleware.GetOperationName(ctx)
	service, kms := stake{draw: g.Service}, stake{draw: g.KMS}
	service.send(1)
	kms.send(kmsRequests(operation, in.Request))
	delayed, _ := ctx.Value(delayedKey{}).(bool)
	departed := g.Level.sent(delayed)
	out, metadata, err := next.HandleDeserialize(ctx, in)
	class := awserr.Classify(err)
	switch {
	case class == awserr.Throttled:
		service.answer(true)
	case class == awserr.ThrottledKMS:
		service.answer(false) // S3 itself accepted the request
		kms.answer(true)
	case err == nil:
		service.answer(false)
		kms.answer(false)
	case class != awserr.Transient && status(err) > 0:
		service.answer(false) // the request was refused for another reason, possibly before S3 called KMS
	}
	g.Level.answered(departed, operation, outcomeOf(class, err))
	return out, metadata, err
}

// stake is the part of a quota that one attempt uses.
type stake struct {
	draw   *Draw
	ticket ticket
}

func (s *stake) send(weight float64) {
	if weight == 0 {
		s.draw = nil
	}
	if s.draw != nil {
		s.ticket = s.draw.sent(weight)
	}
}

func (s *stake) answer(isRefused bool) {
	if s.draw != nil {
		s.draw.answered(s.ticket, isRefused)
	}
}

// status returns the HTTP status of an error, or 0 if there is none. For a connection error, the
// SDK adds a response without a status.
func status(err error) int {
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && response.Response != nil {
		return response.HTTPStatusCode()
	}
	return 0
}

func outcomeOf(class awserr.Class, err error) outcome {
	switch {
	case err == nil:
		return served
	case errors.Is(err, context.DeadlineExceeded), awserr.Code(err) == "RequestTimeout":
		return broken
	case class == awserr.Transient && awserr.Code(err) == "" && status(err) < 300:
		return broken // the connection broke before or during the response
	default:
		return refused
	}
}

// kmsRequests returns the maximum number of requests that S3 sends to KMS for one request. S3 sends
// none for objects without a KMS key, and few with a bucket key (Amazon S3 User Guide, "Reducing
// the cost of SSE-KMS with Amazon S3 Bucket Keys"). A controller counts accepted and refused
// requests in the same unit, so an overestimate only makes a configured cap stricter.
func kmsRequests(operation string, request any) float64 {
	switch operation {
	case "CopyObject", "UploadPartCopy":
		return 2 // Decrypt for the source, GenerateDataKey or Decrypt for the destination
	case "GetObject", "PutObject", "UploadPart", "CreateMultipartUpload", "CompleteMultipartUpload", "ListParts",
		"GetObjectAnnotation", "PutObjectAnnotation":
		return 1
	case "HeadObject":
		// A HEAD request needs the KMS key only for the checksum.
		if r, ok := request.(*smithyhttp.Request); ok && r.Header.Get("X-Amz-Checksum-Mode") != "" {
			return 1
		}
	}
	return 0
}

// steady reports whether the duration of an operation depends on the service rather than on the
// size of the content.
func steady(operation string) bool {
	switch operation {
	case "GetObject", "PutObject", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload":
		return false
	default:
		return true
	}
}
