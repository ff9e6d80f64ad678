// Package admit decides which responses of S3 and STS count as success.
//
// With this package, an SDK client reports success only if the response has everything that a real
// response to the operation contains: the ETag of a copy, the id of an upload, whether a listing
// continues after a page, and, for a read with If-Match, the requested ETag. The client also
// rejects a response that was already received for another request.
//
// The page of a captive portal, a body that is empty, truncated or endless, an older version from a
// cache, and the response to another request are errors (*awserr.AnswerError). They occur inside
// the client's retry loop, so the client sends the request again. An operation without a rule here
// is rejected as a bug.
//
// Package awserr defines what an error means. The caller compares checksums, sizes and encryption.
//
// One term: a response is admitted if it proves that the operation was carried out.
package admit

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"syncd/internal/awserr"
	"syncd/internal/transfer"
)

// Guard admits the responses to clients. The clients of a process share one Guard.
type Guard struct{ replays *replays }

// New returns a Guard.
func New() *Guard { return &Guard{newReplays()} }

// Attach makes a client admit its responses; it is one of the client's APIOptions.
func (g *Guard) Attach(stack *middleware.Stack) error {
	remember := middleware.InitializeMiddlewareFunc("syncd.admit.remember", remember)
	if err := stack.Initialize.Add(remember, middleware.Before); err != nil {
		return fmt.Errorf("attach admission: %w", err)
	}
	if err := Bound(stack); err != nil {
		return err
	}
	// admit runs outside the deserializer, so that it has an output to check, and inside the retry
	// loop, so that the client retries a rejected response.
	return stack.Deserialize.Insert(middleware.DeserializeMiddlewareFunc("syncd.admit", g.admit), "OperationDeserializer", middleware.Before)
}

type inputKey struct{}

// remember stores the operation's input for admit, which otherwise sees only the HTTP request.
func remember(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	return next.HandleInitialize(middleware.WithStackValue(ctx, inputKey{}, in.Parameters), in)
}

func (g *Guard) admit(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	if sent, ok := ctx.Value(sentKey{}).(*Sent); ok {
		sent.n.Add(1)
	}
	out, metadata, err := next.HandleDeserialize(ctx, in)
	answer, _ := out.RawResponse.(*smithyhttp.Response)
	switch {
	case g.replays.isReplay(answer):
		err = &awserr.AnswerError{Class: awserr.Transient, Problem: "it was received before as the response to another request, with id " + idOf(answer)}
	case err != nil:
		return out, metadata, err
	default:
		err = Judge(middleware.GetStackValue(ctx, inputKey{}), out.Result, answer)
	}
	if refusal, ok := err.(*awserr.AnswerError); ok { //nolint:errorlint // Judge returns no other
		refusal.Operation = awsmiddleware.GetOperationName(ctx)
		refusal.Foreign = idOf(answer) == ""
		switch content := out.Result.(type) { // the rejected content is not used
		case *s3.GetObjectOutput:
			_ = content.Body.Close()
		case *s3.GetObjectAnnotationOutput:
			_ = content.AnnotationPayload.Close()
		}
		return out, metadata, refusal
	}
	return out, metadata, err
}

// Sent counts how often a request was sent, including retries. A request that was sent once and
// refused was not carried out. After retries, the outcome of the earlier attempts is unknown.
type Sent struct{ n atomic.Int64 }

// Times returns how often the request has been sent.
func (s *Sent) Times() int64 { return s.n.Load() }

type sentKey struct{}

// Count returns a context that counts the requests that are sent with that context.
func Count(ctx context.Context) (context.Context, *Sent) {
	sent := &Sent{}
	return context.WithValue(ctx, sentKey{}, sent), sent
}

// Judge returns nil if the output and the HTTP response prove that the operation in was carried
// out. Otherwise it returns an *awserr.AnswerError without the operation's name, or an error that
// begins with BUG if there is no rule for the operation.
func Judge(in, out any, answer *smithyhttp.Response) error {
	switch out := out.(type) {
	case *s3.CopyObjectOutput:
		return judgeCopy(out)
	case *s3.PutObjectOutput:
		return needs(entityTag(out.ETag))
	case *s3.HeadObjectOutput:
		return first(judgeRead(match(in), out.ETag), needs(proof{"Last-Modified", out.LastModified != nil}))
	case *s3.GetObjectOutput:
		return judgeRead(match(in), out.ETag)
	case *s3.GetObjectTaggingOutput:
		return needs(proof{"TagSet", out.TagSet != nil})
	case *s3.GetObjectRetentionOutput:
		return needs(proof{"Retention", out.Retention != nil && out.Retention.Mode != ""})
	case *s3.GetObjectLegalHoldOutput:
		return needs(proof{"LegalHold", out.LegalHold != nil && out.LegalHold.Status != ""})
	case *s3.ListObjectAnnotationsOutput:
		return judgeAnnotations(in, out)
	case *s3.GetObjectAnnotationOutput:
		return needs(entityTag(out.ETag), proof{"Content-Length", out.ContentLength != nil})
	case *s3.PutObjectAnnotationOutput:
		return needs(entityTag(out.ETag))
	case *s3.PutObjectTaggingOutput:
		return judgeBare(answer, http.StatusOK)
	case *s3.DeleteObjectOutput, *s3.AbortMultipartUploadOutput:
		return judgeBare(answer, http.StatusNoContent)
	case *s3.DeleteObjectsOutput:
		return judgeDeletes(in, out)
	case *s3.ListObjectsV2Output:
		return first(needs(proof{"IsTruncated", out.IsTruncated != nil}), pageOf(len(out.Contents)+len(out.CommonPrefixes)))
	case *sts.AssumeRoleOutput:
		return judgeSession(out)
	case *sts.GetCallerIdentityOutput:
		return needs(proof{"Arn", aws.ToString(out.Arn) != ""}, proof{"Account", aws.ToString(out.Account) != ""})
	default:
		return judgeUpload(in, out)
	}
}

// judgeUpload checks the operations of multipart uploads.
func judgeUpload(in, out any) error {
	switch out := out.(type) {
	case *s3.CreateMultipartUploadOutput:
		asked, _ := in.(*s3.CreateMultipartUploadInput)
		return first(needs(proof{"UploadId", aws.ToString(out.UploadId) != ""}), sameKey(asked.Key, out.Key))
	case *s3.UploadPartOutput:
		return needs(entityTag(out.ETag))
	case *s3.UploadPartCopyOutput:
		if out.CopyPartResult == nil {
			return lacking("CopyPartResult")
		}
		return needs(entityTag(out.CopyPartResult.ETag))
	case *s3.CompleteMultipartUploadOutput:
		asked, _ := in.(*s3.CompleteMultipartUploadInput)
		return first(needs(entityTag(out.ETag)), sameKey(asked.Key, out.Key))
	case *s3.ListPartsOutput:
		asked, _ := in.(*s3.ListPartsInput)
		err := first(needs(proof{"IsTruncated", out.IsTruncated != nil}), sameKey(asked.Key, out.Key), sameText("upload", asked.UploadId, out.UploadId))
		err = first(err, pageOf(len(out.Parts)))
		for _, part := range out.Parts {
			err = first(err, needs(entityTag(part.ETag), proof{"PartNumber", part.PartNumber != nil}, proof{"Size", part.Size != nil}))
		}
		return err
	case *s3.ListMultipartUploadsOutput:
		err := first(needs(proof{"IsTruncated", out.IsTruncated != nil}), pageOf(len(out.Uploads)+len(out.CommonPrefixes)))
		for _, u := range out.Uploads {
			err = first(err, needs(proof{"Key", u.Key != nil}, proof{"UploadId", aws.ToString(u.UploadId) != ""}))
		}
		return err
	default:
		return fmt.Errorf("BUG: no rule for responses of type %T", out)
	}
}

// proof is one field that a response must contain.
type proof struct {
	name    string
	present bool
}

func entityTag(etag *string) proof { return proof{"ETag", strings.Trim(aws.ToString(etag), `"`) != ""} }

func needs(proofs ...proof) error {
	for _, p := range proofs {
		if !p.present {
			return lacking(p.name)
		}
	}
	return nil
}

func lacking(name string) error {
	return &awserr.AnswerError{Class: awserr.Transient, Problem: "success without " + name}
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func judgeCopy(out *s3.CopyObjectOutput) error {
	if out.CopyObjectResult == nil {
		return lacking("CopyObjectResult")
	}
	return needs(entityTag(out.CopyObjectResult.ETag))
}

// judgeAnnotations checks a list of annotations. The list can be empty, but the response must name
// its object.
func judgeAnnotations(in any, out *s3.ListObjectAnnotationsOutput) error {
	asked, _ := in.(*s3.ListObjectAnnotationsInput)
	err := first(needs(proof{"Key", aws.ToString(out.Key) != "" || out.AnnotationCount != nil}), sameKey(asked.Key, out.Key), pageOf(len(out.Annotations)))
	for _, entry := range out.Annotations {
		err = first(err, needs(proof{"AnnotationName", aws.ToString(entry.AnnotationName) != ""}))
	}
	return err
}

// judgeDeletes checks the response to a request that deletes several objects: it must name each of
// them exactly once, and no others.
func judgeDeletes(in any, out *s3.DeleteObjectsOutput) error {
	asked, _ := in.(*s3.DeleteObjectsInput)
	open := map[string]bool{}
	for _, o := range asked.Delete.Objects {
		open[aws.ToString(o.Key)] = true
	}
	named := make([]*string, 0, len(open))
	for _, o := range out.Deleted {
		named = append(named, o.Key)
	}
	for _, e := range out.Errors {
		if aws.ToString(e.Code) == "" {
			return lacking("Code")
		}
		named = append(named, e.Key)
	}
	for _, key := range named {
		if !open[aws.ToString(key)] {
			return &awserr.AnswerError{Class: awserr.Transient, Problem: fmt.Sprintf("result for key %q, which was not sent or has two results", aws.ToString(key))}
		}
		delete(open, aws.ToString(key))
	}
	if len(open) > 0 {
		return lacking(fmt.Sprintf("a result for %d of the keys", len(open)))
	}
	return nil
}

// match returns the If-Match condition of a read, or nil if the read has no such condition.
func match(in any) *string {
	switch in := in.(type) {
	case *s3.GetObjectInput:
		return in.IfMatch
	case *s3.HeadObjectInput:
		return in.IfMatch
	default:
		return nil
	}
}

// judgeRead checks the response to a GET or a HEAD. A cache in front of the service can ignore
// conditions and return another version with a success status.
func judgeRead(asked, answered *string) error {
	if err := needs(entityTag(answered)); err != nil || asked == nil {
		return err
	}
	if transfer.SameETag(*asked, *answered) {
		return nil
	}
	return &awserr.AnswerError{
		Class: awserr.Precondition, Problem: fmt.Sprintf("requested version %s, got %s", *asked, *answered),
	}
}

// judgeBare checks a response without content: it must have the given status, a request id and no
// Content-Length above 0. The SDK checks none of these.
func judgeBare(answer *smithyhttp.Response, status int) error {
	switch {
	case answer == nil:
		return lacking("a response")
	case answer.StatusCode != status:
		return &awserr.AnswerError{Class: awserr.Transient, Problem: fmt.Sprintf("success with status %d instead of %d", answer.StatusCode, status)}
	case answer.Header.Get("X-Amz-Request-Id") == "":
		return lacking("a request id")
	case answer.ContentLength > 0:
		return &awserr.AnswerError{Class: awserr.Transient, Problem: "success with an unexpected body"}
	default:
		return nil
	}
}

func judgeSession(out *sts.AssumeRoleOutput) error {
	c := out.Credentials
	if c == nil {
		return lacking("Credentials")
	}
	return needs(
		proof{"AccessKeyId", aws.ToString(c.AccessKeyId) != ""}, proof{"SecretAccessKey", aws.ToString(c.SecretAccessKey) != ""},
		proof{"SessionToken", aws.ToString(c.SessionToken) != ""}, proof{"Expiration", c.Expiration != nil},
	)
}

// sameKey rejects a response about another object, if the response contains a key. It skips keys
// with characters that XML cannot represent.
func sameKey(asked, answered *string) error {
	if strings.ContainsFunc(aws.ToString(asked), func(r rune) bool { return r < ' ' || r == utf8.RuneError || r > 0xd7ff && r < 0x10000 }) {
		return nil
	}
	return sameText("key", asked, answered)
}

func sameText(what string, asked, answered *string) error {
	if aws.ToString(answered) == "" || aws.ToString(answered) == aws.ToString(asked) {
		return nil
	}
	return &awserr.AnswerError{
		Class: awserr.Transient, Problem: fmt.Sprintf("requested %s %q, got %q", what, aws.ToString(asked), *answered),
	}
}
