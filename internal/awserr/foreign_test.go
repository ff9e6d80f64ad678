package awserr_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"syncd/internal/awserr"
)

// TestForeign checks that responses of a service are distinguished from responses of a proxy or a
// gateway in front of it.
func TestForeign(t *testing.T) {
	html := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	with := func(h http.Header, name, value string) http.Header {
		h = h.Clone()
		h.Set(name, value)
		return h
	}
	for _, tt := range []struct {
		name   string
		method string
		status int
		header http.Header
		err    error
		want   bool
	}{
		{"a page of 403", "GET", 403, html, answer(403, "Forbidden", ""), true},
		{"a page with the id of a request", "GET", 403, with(html, "X-Amz-Request-Id", "R"), answer(403, "Forbidden", ""), false},
		{"a page of 200", "GET", 200, html, errors.New("not XML"), true},
		{"a page in answer to HEAD", "HEAD", 403, html, answer(403, "Forbidden", ""), true},
		{"HEAD of a service without ids", "HEAD", 403, http.Header{}, answer(403, "Forbidden", ""), false},
		{"a refusal of a service without ids", "GET", 403, http.Header{"Content-Type": {"application/xml"}}, answer(403, "AccessDenied", ""), false},
		{"a refusal without words", "GET", 403, http.Header{}, answer(403, "Forbidden", ""), true},
		{"JSON of a gateway", "GET", 403, http.Header{"Content-Type": {"application/json"}}, answer(403, "UnknownError", ""), true},
		{"success without its proof and without an id", "PUT", 200, http.Header{}, &awserr.AnswerError{Foreign: true}, true},
		{"success without its proof", "PUT", 200, http.Header{"Content-Type": {"application/xml"}}, &awserr.AnswerError{}, false},
		{"a page that does not say so", "GET", 200, http.Header{}, errors.New("not XML"), true},
		{"a page that says that it is text", "GET", 200, http.Header{"Content-Type": {"text/plain"}}, &awserr.AnswerError{}, true},
		{"an answer that broke off", "GET", 200, http.Header{"Content-Type": {"text/xml; charset=utf-8"}}, errors.New("unexpected EOF"), false},
		{"a redirect of S3", "HEAD", 301, http.Header{"X-Amz-Bucket-Region": {"eu-west-1"}}, answer(301, "MovedPermanently", ""), false},
		{"a redirect of a portal", "GET", 302, html, answer(302, "Found", ""), true},
		{"no answer", "GET", 0, http.Header{}, errors.New("refused"), false},
	} {
		response := &http.Response{StatusCode: tt.status, Header: tt.header, Request: &http.Request{Method: tt.method, URL: &url.URL{}}}
		if got := awserr.Foreign(tt.err, response) != nil; got != tt.want {
			t.Errorf("%s: got foreign %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestForeignShowsLittle checks that the message has no query, no password, only printable
// characters, and a limited length.
func TestForeignShowsLittle(t *testing.T) {
	found := awserr.Foreign(answer(302, "Found", ""), &http.Response{
		StatusCode: 302, Request: &http.Request{Method: "GET", URL: &url.URL{}},
		Header: http.Header{"Content-Type": {"text/html"}, "Server": {strings.Repeat("a\x1b[2J", 100)}, "Location": {"http://portal.example/?token=geheim"}},
	})
	text := found.Error()
	if strings.Contains(text, "geheim") || strings.ContainsAny(text, "\x1b\n") || len(text) > 400 {
		t.Errorf("got %q", text)
	}
}

// TestForeignHasItsGrace checks that a refusal by a proxy that works as intended is retried for a
// few seconds, and that a failure of a proxy is retried as often as a failure of a service.
func TestForeignHasItsGrace(t *testing.T) {
	for _, tt := range []struct {
		status   int
		since    time.Duration
		inGrace  bool
		isLasted bool
	}{
		{403, 0, true, false},
		{403, 5 * time.Second, true, true},
		{302, 6 * time.Second, true, true},
		{511, 6 * time.Second, true, true},
		{502, time.Minute, false, false},
		{503, time.Minute, false, false},
	} {
		found := &awserr.ForeignError{Status: tt.status}
		found.Lasts(tt.since)
		if awserr.InGrace(found) != tt.inGrace || found.Lasting != tt.isLasted {
			t.Errorf("%d after %s: got grace %v, lasting %v", tt.status, tt.since, awserr.InGrace(found), found.Lasting)
		}
	}
}
