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

// Guard is hung on one SDK client: it paces every attempt, retries included, and learns from its
// outcome. A field that is nil is not in force. Guards of several clients may share any of their
// fields; none may be changed once it is attached.
type Guard struct {
	// Level learns from latency and broken connections. Whoever sends holds a slot of one of its
	// gates; the guard takes none.
	Level *Level
	// Service draws on the quota of the service itself: of a bucket, or of STS. Throttling that is
	// not KMS's is its.
	Service *Draw
	// KMS draws on the quota of KMS in the account and region of the requests; only requests that
	// may need KMS wait for it.
	KMS *Draw
	// Cap and KMSCap learn nothing; they are the caps of a mapping. KMSCap counts what S3 may ask
	// of KMS, as KMS does.
	Cap, KMSCap *Controller
}

// Attach hangs the guard on a client's middleware stack; it is one of the client's APIOptions.
func (g *Guard) Attach(stack *middleware.Stack) error {
	// Behind the retryer, so that every attempt is paced; before the credentials are fetched and
	// the request is signed, so that a long wait leaves neither of them stale.
	pace := middleware.FinalizeMiddlewareFunc("syncd.Guard.pace", g.pace)
	if err := stack.Finalize.Insert(pace, "Retry", middleware.After); err != nil {
		return fmt.Errorf("attach the guard: %w", err)
	}
	// Next to the wire: an attempt for which there were no credentials was never sent, and the wait
	// is no latency.
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.Guard.learn", g.learn), middleware.Before)
}

// delayedKey is under which an attempt's context says that it had to wait.
type delayedKey struct{}

func (g *Guard) pace(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	resume := deadline.Pause(ctx)
	if err := beginAttempt(ctx); err != nil {
		resume()
		return middleware.FinalizeOutput{}, middleware.Metadata{}, &smithy.CanceledError{Err: fmt.Errorf("wait to be tried again: %w", err)}
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
	endAttempt(ctx, awserr.Classify(err).Passes()) // then the client tries again, unless it was the last attempt
	return out, metadata, err
}

// wait passes the controllers. That of the service comes last: what it lets go is sent at once,
// evenly.
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
		service.answer(false) // S3 itself had taken it
		kms.answer(true)
	case err == nil:
		service.answer(false)
		kms.answer(false)
	case class != awserr.Transient && status(err) > 0:
		service.answer(false) // refused for another reason, which may be older than any question to KMS
	}
	g.Level.answered(departed, operation, outcomeOf(class, err))
	return out, metadata, err
}

// stake is what one attempt takes of a quota.
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

// status returns the HTTP status that an error came with, 0 when none did: the SDK puts an empty
// answer into an error of the connection.
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
		return broken // before the answer, or in the middle of one
	default:
		return refused
	}
}

// kmsRequests returns how often S3 asks KMS on behalf of one request, at most: not for objects that
// are not under a KMS key, and hardly ever where a bucket key serves (Amazon S3 User Guide,
// "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys"). What a controller learns is in the
// same measure, so only a configured cap is stricter than it says.
func kmsRequests(operation string, request any) float64 {
	switch operation {
	case "CopyObject", "UploadPartCopy":
		return 2 // Decrypt for the source, GenerateDataKey or Decrypt for the destination
	case "GetObject", "PutObject", "UploadPart", "CreateMultipartUpload", "CompleteMultipartUpload", "ListParts",
		"GetObjectAnnotation", "PutObjectAnnotation":
		return 1
	case "HeadObject":
		// Only the checksum is under the key.
		if r, ok := request.(*smithyhttp.Request); ok && r.Header.Get("X-Amz-Checksum-Mode") != "" {
			return 1
		}
	}
	return 0
}

// steady reports whether the time an operation takes says something about the service rather than
// about the size of what it moves.
func steady(operation string) bool {
	switch operation {
	case "GetObject", "PutObject", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload":
		return false
	default:
		return true
	}
}
