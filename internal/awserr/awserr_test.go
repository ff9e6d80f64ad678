package awserr_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"syncd/internal/awserr"
)

// answer returns an error as an SDK client does: operation, response, API error.
func answer(status int, code, message string) error {
	var err error = &smithy.GenericAPIError{Code: code, Message: message}
	if code == "" {
		err = errors.New("no body")
	}
	return &smithy.OperationError{ServiceID: "S3", OperationName: "CopyObject", Err: &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{
			StatusCode: status, Header: http.Header{"X-Amz-Request-Id": {"REQ1"}},
		}}, Err: err},
		RequestID: "REQ1",
	}}
}

// foreign returns the error for a response that something other than a service sent to a request
// with the given method. Such a response has no error code, so the SDK derives the code from the
// status.
func foreign(method string, status int) error {
	err := answer(status, strings.ReplaceAll(http.StatusText(status), " ", ""), http.StatusText(status))
	response, _ := errors.AsType[*smithyhttp.ResponseError](err)
	response.Response.Header = http.Header{}
	response.Response.Request = &http.Request{Method: method}
	return err
}

// redirected returns a redirect response.
func redirected(status int, code string, header http.Header) error {
	err := answer(status, code, "elsewhere")
	response, _ := errors.AsType[*smithyhttp.ResponseError](err)
	response.Response.Header = header
	return err
}

func TestClassify(t *testing.T) {
	const kms = "Please reduce your request rate for operations involving AWS KMS."
	tests := []struct {
		name string
		err  error
		want awserr.Class
	}{
		{"nil", nil, ""},
		{"slow down of S3", answer(503, "SlowDown", "Please reduce your request rate."), awserr.Throttled},
		{"503 of a server that is not S3", answer(503, "", ""), awserr.Throttled},
		{"503 with a code of its own", answer(503, "Busy", "come back later"), awserr.Throttled},
		{"500 is no quota", answer(500, "InternalError", "We encountered an internal error."), awserr.Transient},
		{"slow down of KMS through S3", answer(503, "SlowDown", kms), awserr.ThrottledKMS},
		{"throttling of KMS through S3", answer(400, "KMS.ThrottlingException", "Rate exceeded"), awserr.ThrottledKMS},
		{"throttling of STS", answer(400, "Throttling", "Rate exceeded"), awserr.Throttled},
		{"unknown 429", answer(429, "EnhanceYourCalm", ""), awserr.Throttled},
		{"denied", answer(403, "AccessDenied", "Access Denied"), awserr.Denied},
		{"denied on HEAD, without a code", answer(403, "Forbidden", ""), awserr.Denied},
		{"denied by KMS directly, status 400", answer(400, "AccessDeniedException", "User: x"), awserr.Denied},
		{"expired token is a 400", answer(400, "ExpiredToken", "The provided token has expired."), awserr.Expired},
		{"wrong secret", answer(403, "SignatureDoesNotMatch", ""), awserr.Credentials},
		{"no such bucket is not a missing key", answer(404, "NoSuchBucket", ""), awserr.NoBucket},
		{"no such key", answer(404, "NoSuchKey", ""), awserr.Gone},
		{"404 on HEAD", foreign(http.MethodHead, 404), awserr.Gone},
		{"404 that names nothing", foreign(http.MethodPut, 404), awserr.Transient},
		{"404 of an unknown code", answer(404, "NoSuchThing", ""), awserr.Unknown},
		{"409 of a gateway", foreign(http.MethodPut, 409), awserr.Transient},
		{"412 of a gateway", foreign(http.MethodPut, 412), awserr.Transient},
		{"501 of a gateway", foreign(http.MethodPut, 501), awserr.Transient},
		{"success without its proof", &awserr.AnswerError{Class: awserr.Transient}, awserr.Transient},
		{"another version", fmt.Errorf("read: %w", &awserr.AnswerError{Class: awserr.Precondition}), awserr.Precondition},
		{"unreadable success", fmt.Errorf("x: %w", &smithy.DeserializationError{Err: errors.New("EOF")}), awserr.Transient},
		{"unknown key of MinIO", answer(404, "kms:KeyNotFound", ""), awserr.NoKey},
		{"unknown key", answer(400, "KMS.NotFoundException", "Invalid keyId 'x'"), awserr.NoKey},
		{"if-match failed", answer(412, "PreconditionFailed", ""), awserr.Precondition},
		{"racing conditional write", answer(409, "ConditionalRequestConflict", ""), awserr.Conflict},
		{"archived is a 403", answer(403, "InvalidObjectState", ""), awserr.Archived},
		{"key disabled", answer(400, "KMS.DisabledException", ""), awserr.KeyDisabled},
		{"key pending deletion", answer(400, "KMS.KMSInvalidStateException", ""), awserr.KeyDisabled},
		{"too large for a copy", answer(400, "EntityTooLarge", ""), awserr.TooLarge},
		{"unknown code falls back to its status", answer(400, "Whatever", ""), awserr.Invalid},
		{"500 with an unknown code", answer(500, "Whatever", ""), awserr.Transient},
		{"502 without a body", answer(502, "", ""), awserr.Transient},
		{"internal error", answer(500, "InternalError", ""), awserr.Transient},
		{"not implemented", answer(501, "NotImplemented", ""), awserr.Unsupported},
		{"request timeout is a 400", answer(400, "RequestTimeout", ""), awserr.Transient},
		{"connection reset", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, awserr.Transient},
		{"cut body", fmt.Errorf("read body: %w", io.ErrUnexpectedEOF), awserr.Transient},
		{"our own end", fmt.Errorf("wait: %w", context.Canceled), awserr.Canceled},
		{"our own end through the SDK", &smithy.CanceledError{Err: errors.New("x")}, awserr.Canceled},
		{"role refused", &smithy.OperationError{ServiceID: "S3", OperationName: "CopyObject", Err: &awserr.CredentialsError{
			Role: "arn", Err: answer(403, "AccessDenied", ""),
		}}, awserr.Credentials},
		{"a deadline of the SDK's for credentials", &awserr.CredentialsError{Err: &smithy.CanceledError{Err: context.DeadlineExceeded}}, awserr.Credentials},
		{"no answer in time", fmt.Errorf("list: %w", &awserr.TimeoutError{Err: answer(503, "SlowDown", "")}), awserr.Transient},
		{"a page in the service's place", &awserr.ForeignError{Status: 403, Err: answer(403, "Forbidden", "")}, awserr.Transient},
		{"a page of 503", &awserr.ForeignError{Status: 503, Err: answer(503, "", "")}, awserr.Throttled},
		{"a header that cannot be sent", &url.Error{Op: "Put", Err: errors.New(`net/http: invalid header field value for "X-Amz-Meta-A"`)}, awserr.Invalid},
		{"a region's own endpoint", answer(400, "IllegalLocationConstraintException", "The eu-south-1 location constraint is incompatible for the region specific endpoint this request was sent to."), awserr.WrongRegion},
		{"bucket of another region", redirected(301, "PermanentRedirect", nil), awserr.WrongRegion},
		{"bucket of another region, for now", redirected(307, "TemporaryRedirect", nil), awserr.WrongRegion},
		{"bucket of another region, asked by HEAD", redirected(301, "MovedPermanently", http.Header{"X-Amz-Bucket-Region": {"eu-west-1"}}), awserr.WrongRegion},
		{"redirect with the id of a request", redirected(308, "", http.Header{"X-Amz-Request-Id": {"R"}}), awserr.WrongRegion},
		{"redirect of a gateway", redirected(302, "", nil), awserr.Transient},
		{"redirect of a gateway that keeps the method", redirected(307, "TemporaryRedirect?", nil), awserr.Transient},
		{"signed for another region", answer(400, "AuthorizationHeaderMalformed", "the region 'a' is wrong; expecting 'eu-west-1'"), awserr.WrongRegion},
		{"signed badly", answer(400, "AuthorizationHeaderMalformed", "half a signature"), awserr.Invalid},
		{"anything else", errors.New("surprise"), awserr.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := awserr.Classify(tt.err); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFatal(t *testing.T) {
	for err, want := range map[error]bool{
		answer(400, "ExpiredToken", ""):                true,
		answer(404, "NoSuchBucket", ""):                true,
		&awserr.CredentialsError{Err: errors.New("x")}: true,
		answer(403, "AccessDenied", ""):                false,
		redirected(301, "PermanentRedirect", nil):      true,
		answer(404, "NoSuchKey", ""):                   false,
		answer(503, "SlowDown", ""):                    false,
	} {
		if got := awserr.Fatal(err); got != want {
			t.Errorf("Fatal(%v): got %v, want %v", err, got, want)
		}
	}
}

// TestAnswered checks that responses of a service are distinguished from errors without a request.
func TestAnswered(t *testing.T) {
	for err, want := range map[error]bool{
		answer(403, "SignatureDoesNotMatch", ""):                                            true,
		fmt.Errorf("copy: %w", answer(404, "NoSuchBucket", "")):                             true,
		&awserr.CredentialsError{Role: "r", Err: answer(403, "AccessDenied", "AssumeRole")}: false,
		&awserr.EndpointError{Service: "STS"}:                                               false,
		context.DeadlineExceeded:                                                            false,
	} {
		if got := awserr.Answered(err); got != want {
			t.Errorf("Answered(%v): got %v, want %v", err, got, want)
		}
	}
}

// TestAloneErrorIsNotFatal checks that an AloneError keeps its class and its text.
func TestAloneErrorIsNotFatal(t *testing.T) {
	err := fmt.Errorf("copy x: %w", &awserr.AloneError{Err: answer(403, "SignatureDoesNotMatch", "no")})
	if awserr.Fatal(err) || awserr.Classify(err) != awserr.Credentials || !strings.Contains(err.Error(), "SignatureDoesNotMatch: no") {
		t.Errorf("got fatal %v, class %q of %v, want the class kept and not fatal", awserr.Fatal(err), awserr.Classify(err), err)
	}
}

func TestBriefLeavesTheLayersOut(t *testing.T) {
	got := awserr.Brief(fmt.Errorf("copy x: %w", answer(403, "AccessDenied", "Access Denied")))
	if want := "AccessDenied: Access Denied (request REQ1)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	header := http.Header{"X-Amz-Bucket-Region": {"eu-west-1"}}
	if got := awserr.Brief(redirected(301, "PermanentRedirect", header)); !strings.HasSuffix(got, "; the bucket is in region eu-west-1") {
		t.Errorf("got %q, want the region named", got)
	}
	if got := awserr.Brief(redirected(302, "Found", nil)); !strings.Contains(got, "redirects are not followed") {
		t.Errorf("got %q, want a note that the redirect was not followed", got)
	}
	if got := awserr.Brief(io.EOF); got != "EOF" {
		t.Errorf("got %q, want the text of an error that is not from a service", got)
	}
}

func TestPlainIsTheSameErrorInFewerWords(t *testing.T) {
	refused := &awserr.CredentialsError{Role: "arn:aws:iam::1:role/r", Err: answer(403, "AccessDenied", "no")}
	err := awserr.Plain(&smithy.OperationError{ServiceID: "S3", OperationName: "CopyObject", Err: refused})
	if got, want := err.Error(), "assume role arn:aws:iam::1:role/r: AccessDenied: no (request REQ1)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := awserr.Classify(err); got != awserr.Credentials {
		t.Errorf("got class %q, want %q", got, awserr.Credentials)
	}
	if awserr.Plain(nil) != nil {
		t.Error("got an error of nil")
	}
}

func TestCredentialsErrorNamesRoleAndAction(t *testing.T) {
	err := &awserr.CredentialsError{Role: "arn:aws:iam::1:role/r", Action: "sts:AssumeRole", Err: answer(403, "AccessDenied", "no")}
	want := "assume role arn:aws:iam::1:role/r: sts:AssumeRole refused: AccessDenied: no (request REQ1)"
	if got := err.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestBriefIsPrintable checks that Brief escapes unprintable characters in a service's message.
func TestBriefIsPrintable(t *testing.T) {
	err := &smithy.GenericAPIError{Code: "Access\u202eDenied", Message: "a\nsyncd: all is well\x1b[2J\u009b"}
	if got, want := awserr.Brief(fmt.Errorf("copy: %w", err)), `Access\u202eDenied: a\nsyncd: all is well\x1b[2J\u009b`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
