package admit_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"syncd/internal/admit"
	"syncd/internal/awserr"
)

// answers is a service that sends the same response to every request.
type answers struct {
	status int
	header map[string]string
	body   string
	stream io.ReadCloser // instead of body
	asked  int
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked++
	header := http.Header{}
	for name, value := range a.header {
		header.Set(name, value)
	}
	answer := &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: header,
		Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}
	if a.stream != nil {
		answer.Body, answer.ContentLength = a.stream, -1
	}
	return answer, nil
}

func (a *answers) s3() *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", UsePathStyle: true, BaseEndpoint: aws.String("http://s3.invalid"), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient:  &http.Client{Transport: a}, APIOptions: []func(*middleware.Stack) error{admit.New().Attach},
	})
}

func (a *answers) sts() *sts.Client {
	return sts.New(sts.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://sts.invalid"), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient:  &http.Client{Transport: a}, APIOptions: []func(*middleware.Stack) error{admit.New().Attach},
	})
}

func TestAnswerIsAdmittedWhole(t *testing.T) {
	for name, w := range operations() {
		if err := w.send(t.Context(), w.answers()); err != nil {
			t.Errorf("%s: got %v, want a whole answer admitted", name, err)
		}
	}
}

// TestAnswerIsRefusedThatLacks checks that a response without one of its required parts, or without
// all of them, is rejected.
func TestAnswerIsRefusedThatLacks(t *testing.T) {
	for name, w := range operations() {
		everywhere := map[string]func(*answers){
			"all of it":  func(a *answers) { a.header, a.body = nil, "" },
			"its sense":  func(a *answers) { a.header, a.body = nil, "<html><body>Sign in to the network</body></html>" },
			"its end":    func(a *answers) { a.header, a.body = nil, `<?xml version="1.0"?><Some><Thing>` },
			"its prolog": func(a *answers) { a.header, a.body = nil, "\n\n  " },
		}
		for what, spoil := range everywhere {
			w.refused(t, name, what, spoil)
		}
		for what, spoil := range w.lacking {
			w.refused(t, name, what, spoil)
		}
	}
}

func (w whole) refused(t *testing.T, name, what string, spoil func(*answers)) {
	t.Helper()
	a := w.answers()
	spoil(a)
	if err := w.send(t.Context(), a); awserr.Classify(err) != awserr.Transient {
		t.Errorf("%s without %s: got %v of class %q, want class %q", name, what, err, awserr.Classify(err), awserr.Transient)
	}
}

// TestAnswerOfAnotherVersion checks that a response is rejected if a cache ignores the condition of
// a read and returns another version.
func TestAnswerOfAnotherVersion(t *testing.T) {
	for _, name := range []string{"GetObject", "HeadObject"} {
		w := operations()[name]
		a := w.answers()
		a.header["ETag"] = `"ffffffffffffffffffffffffffffffff"`
		if err := w.send(t.Context(), a); awserr.Classify(err) != awserr.Precondition {
			t.Errorf("%s: got %v, want class %q", name, err, awserr.Precondition)
		}
		a.header["ETag"] = strings.Trim(etag, `"`)
		if err := w.send(t.Context(), a); err != nil {
			t.Errorf("%s: got %v for the ETag without quotes", name, err)
		}
	}
}

// TestRefusedAnswerIsAskedForAgain checks that the client's retry loop sees a rejected response.
func TestRefusedAnswerIsAskedForAgain(t *testing.T) {
	a := &answers{status: 200}
	client := s3.New(a.s3().Options(), func(o *s3.Options) {
		o.Retryer = aws.NopRetryer{}
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("twice", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				out, metadata, err := next.HandleFinalize(ctx, in)
				if err != nil {
					a.header = map[string]string{"ETag": etag}
					return next.HandleFinalize(ctx, in)
				}
				return out, metadata, err
			}), "Retry", middleware.After)
		})
	})
	_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: bytes.NewReader(nil)})
	if err != nil || a.asked != 2 {
		t.Errorf("got %v after %d requests, want the second answer", err, a.asked)
	}
}

// TestEveryOperationHasARule checks that every operation that the code sends to S3 or STS has a
// rule. It searches the code for these operations.
func TestEveryOperationHasARule(t *testing.T) {
	inputs := regexp.MustCompile(`\b(?:s3|sts)\.([A-Z][A-Za-z0-9]*)Input\{`)
	sent := map[string]bool{}
	for _, root := range []string{"..", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() && d.Name() == "awsfake" {
				return cmp.Or(err, fs.SkipDir)
			}
			if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			text, err := os.ReadFile(path)
			for _, match := range inputs.FindAllSubmatch(text, -1) {
				sent[string(match[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(sent) < 20 {
		t.Fatalf("got %d operations, want all of them", len(sent))
	}
	for operation := range sent {
		if _, ok := operations()[operation]; !ok {
			t.Errorf("%s is sent, but no test covers its response", operation)
		}
	}
}

// TestOperationWithoutARule checks that the first response to an operation without a rule fails.
func TestOperationWithoutARule(t *testing.T) {
	a := &answers{status: 200, body: `<ListAllMyBucketsResult></ListAllMyBucketsResult>`}
	_, err := a.s3().ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err == nil || !strings.Contains(err.Error(), "BUG: no rule for responses of type *s3.ListBucketsOutput") {
		t.Errorf("got %v, want it refused as a bug", err)
	}
}

func TestForeignAnswerIsNamed(t *testing.T) {
	w := operations()["CopyObject"]
	err := w.send(t.Context(), &answers{status: 200, body: "<html></html>"})
	refused, ok := errors.AsType[*awserr.AnswerError](err)
	if want := "invalid response to CopyObject: success without ETag; the response has no request id: it may come from a proxy or a gateway in front of the service"; !ok || refused.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	err = w.send(t.Context(), &answers{status: 200, header: map[string]string{"X-Amz-Request-Id": "R"}})
	if refused, ok := errors.AsType[*awserr.AnswerError](err); !ok || refused.Foreign {
		t.Errorf("got %v, want an answer of the service", err)
	}
}

// TestAnswerToAnotherRequest checks that a response which an intermediary sends twice is rejected,
// whether it is a success or a refusal. If a service uses the same id for all responses, the id is
// ignored.
func TestAnswerToAnotherRequest(t *testing.T) {
	w := operations()["CopyObject"].answers()
	client := w.s3()
	copyOnce := func(id string, status int, body string) error {
		w.header = map[string]string{"X-Amz-Request-Id": id}
		w.status, w.body = status, body
		_, err := client.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("bucket"), Key: aws.String("a/key"), CopySource: aws.String("x/y")})
		return err
	}
	whole, refusal := w.body, `<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>`
	for _, step := range []struct {
		id     string
		status int
		body   string
		want   awserr.Class
	}{
		{"A", 200, whole, ""},
		{"A", 200, whole, ""}, // the service may use this id for all responses
		{"B", 200, whole, ""},
		{"A", 200, whole, awserr.Transient},
		{"B", 200, whole, awserr.Transient},
		{"C", 404, refusal, awserr.Gone},
		{"C", 404, refusal, awserr.Transient},
		{"D", 200, whole, ""},
	} {
		if got := awserr.Classify(copyOnce(step.id, step.status, step.body)); got != step.want {
			t.Errorf("answer %s, status %d: got class %q, want %q", step.id, step.status, got, step.want)
		}
	}
}
