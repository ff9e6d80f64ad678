package awsfake_test

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

// iamAnswer is what a call of IAM came to.
type iamAnswer struct {
	status        int
	code, message string // of a refusal
	body          string
}

func (a iamAnswer) String() string {
	if a.code != "" {
		return fmt.Sprintf("%d %s: %s", a.status, a.code, a.message)
	}
	return fmt.Sprint(a.status)
}

// text is the content of the first element of that name, unescaped; "" when there is none.
func (a iamAnswer) text(element string) string {
	_, rest, _ := strings.Cut(a.body, "<"+element+">")
	text, _, _ := strings.Cut(rest, "</"+element+">")
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// askIAM sends a call of the query protocol as the AWS CLI does: name, value, ...
func askIAM(tb testing.TB, w *world, c aws.Config, action string, parameters ...string) iamAnswer {
	tb.Helper()
	return askForm(tb, w, c, "iam", action, parameters...)
}

func askForm(tb testing.TB, w *world, c aws.Config, service, action string, parameters ...string) iamAnswer {
	tb.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	for i := 0; i+1 < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	return post(tb, w, c, service, form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
}

// post signs a request for a service and reads the answer in whatever form it comes.
func post(tb testing.TB, w *world, c aws.Config, service, body string, header map[string]string) iamAnswer {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, w.endpoint+"/", strings.NewReader(body))
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
		signedFor = "us-east-1" // where IAM is
	}
	if err := v4.NewSigner().SignHTTP(tb.Context(), keys, r, hash, service, signedFor, time.Now()); err != nil {
		tb.Fatal(err)
	}
	res, err := w.cloud.RoundTripper().RoundTrip(r)
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
	a := iamAnswer{status: res.StatusCode, body: string(text)}
	if res.StatusCode >= http.StatusBadRequest && xml.Unmarshal(text, &refusal) == nil {
		a.code, a.message = refusal.Error.Code, refusal.Error.Message
	}
	return a
}
