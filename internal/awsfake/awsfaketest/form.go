package awsfaketest

import (
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Answer is the response to a call of the query protocol.
type Answer struct {
	Status        int
	Code, Message string // of an error
	Body          string
}

func (a Answer) String() string {
	if a.Code != "" {
		return fmt.Sprintf("%d %s: %s", a.Status, a.Code, a.Message)
	}
	return fmt.Sprint(a.Status)
}

// Text returns the unescaped content of the first element with that name, or "" if there is none.
func (a Answer) Text(element string) string {
	_, rest, _ := strings.Cut(a.Body, "<"+element+">")
	text, _, _ := strings.Cut(rest, "</"+element+">")
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// AskIAM calls IAM over the query protocol, as the AWS CLI does. The parameters are alternating
// names and values.
func AskIAM(tb testing.TB, w *World, c aws.Config, action string, parameters ...string) Answer {
	tb.Helper()
	return AskForm(tb, w, c, "iam", action, parameters...)
}

// AskForm calls a service over the query protocol.
func AskForm(tb testing.TB, w *World, c aws.Config, service, action string, parameters ...string) Answer {
	tb.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	for i := 0; i+1 < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	return Post(tb, w, c, service, form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
}

// Post signs a request for a service, sends it and returns the response in any format.
func Post(tb testing.TB, w *World, c aws.Config, service, body string, header map[string]string) Answer {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, w.Endpoint+"/", strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	keys, err := c.Credentials.Retrieve(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	hash, signedFor := fmt.Sprintf("%x", sha256.Sum256([]byte(body))), c.Region
	if service == "iam" {
		signedFor = "us-east-1" // IAM's Region
	}
	if err := v4.NewSigner().SignHTTP(tb.Context(), keys, r, hash, service, signedFor, time.Now()); err != nil {
		tb.Fatal(err)
	}
	res, err := w.Cloud.RoundTripper().RoundTrip(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	var refusal struct {
		Error struct{ Code, Message string }
	}
	a := Answer{Status: res.StatusCode, Body: string(text)}
	if res.StatusCode >= http.StatusBadRequest && xml.Unmarshal(text, &refusal) == nil {
		a.Code, a.Message = refusal.Error.Code, refusal.Error.Message
	}
	return a
}

// Must fails the test unless the status is 200.
func Must(tb testing.TB, a Answer) Answer {
	tb.Helper()
	if a.Status != http.StatusOK {
		tb.Fatalf("got %v, want 200", a)
	}
	return a
}

// ListsAndCopies is the text of a policy that allows listing the consumer's bucket.
const ListsAndCopies = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListBucket"],"Resource":"arn:aws:s3:::consumer-copy"}]}`
