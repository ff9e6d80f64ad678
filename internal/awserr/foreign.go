package awserr

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"syncd/internal/printable"
)

// ForeignError is a response from something between this process and the service, such as a proxy,
// a load balancer or a captive portal: it has no request id. The outcome of the request is unknown.
type ForeignError struct {
	// Operation is the operation's name, as in CopyObject. Endpoint is where it was sent, as scheme
	// and host.
	Operation, Endpoint string
	// Status and Type are the status and media type of the response, Location is its redirect
	// target, and Server the software that sent it. Each is empty if not known.
	Status                 int
	Type, Location, Server string
	// Proxy is the proxy that the request used, without its password, or "" for none. Variable is
	// the environment variable that names it, as in HTTPS_PROXY.
	Proxy, Variable string
	// Lasting means that an immediate retry is pointless: the sender of the response seems to work
	// as intended, and the request began at least foreignGrace ago.
	Lasting bool
	// Err is the SDK's error for the response.
	Err error
}

// foreignGrace is how long a request is retried after a foreign response: a proxy may be
// restarting, or a cache may have sent the response.
const foreignGrace = 5 * time.Second

// Lasts sets Lasting. The parameter since is how long ago the request began.
func (e *ForeignError) Lasts(since time.Duration) { e.Lasting = e.works() && since >= foreignGrace }

// works reports whether the sender of the response seems to work as intended.
func (e *ForeignError) works() bool {
	return e.Status < http.StatusInternalServerError || e.Status == http.StatusNetworkAuthenticationRequired
}

// Error names the operation, the endpoint, the response and the proxy.
func (e *ForeignError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at %s was not answered by the service: status %d", e.Operation, e.Endpoint, e.Status)
	if e.Type != "" {
		b.WriteString(", " + printable.Text(e.Type))
	}
	b.WriteString(" without a request id")
	if e.Server != "" {
		b.WriteString(", from the server " + printable.Text(e.Server))
	}
	if e.Location != "" {
		b.WriteString(", which redirects to " + printable.Text(e.Location))
	}
	if answer, ok := errors.AsType[*AnswerError](e.Err); ok {
		b.WriteString(", " + answer.Problem)
	}
	if e.Proxy != "" {
		b.WriteString(", through the proxy " + e.Proxy)
		if e.Variable != "" {
			b.WriteString(" in " + e.Variable)
		}
	}
	return b.String()
}

// Unwrap returns the SDK's error for the response.
func (e *ForeignError) Unwrap() error { return e.Err }

// Hint says what to do: where the response may come from, and which setting to check.
func (e *ForeignError) Hint() string {
	host := e.Endpoint[strings.Index(e.Endpoint, "/")+1:]
	host = strings.TrimPrefix(host, "/")
	through := "the proxy"
	if e.Variable != "" {
		through = e.Variable
	}
	switch {
	case e.Status == http.StatusProxyAuthRequired:
		return through + " requires credentials: add them to its URL, as in http://user:password@host"
	case e.Proxy != "":
		return "allow " + host + " in the proxy, or add the host to NO_PROXY"
	case isAWS(host):
		return "no proxy is set: check for a firewall, a captive portal or a network gateway on the way to " + host + ", or set HTTPS_PROXY"
	default:
		return "check what responds at " + host + " (endpoint_url): it may be a load balancer without a backend, or another service"
	}
}

// classOfForeign returns the class of a foreign response with the given status.
func classOfForeign(status int) Class {
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		return Throttled // S3's own front end responds like this, in HTML and without a request id
	}
	return Transient
}

// Foreign returns a ForeignError for an error with a response that is not from the service, or nil
// if it is from the service. The caller adds operation, endpoint and proxy.
func Foreign(err error, answer *http.Response) *ForeignError {
	if err == nil || answer == nil || answer.StatusCode == 0 || isOwn(err, answer) {
		return nil
	}
	found := &ForeignError{
		Status: answer.StatusCode, Type: mediaType(answer), Server: bounded(answer.Header.Get("Server")), Location: placeOf(answer.Header.Get("Location")), Err: err,
	}
	return found
}

// isOwn reports whether a response is from the service: it has a request id or an error code. A
// response to HEAD has no code, and some services other than AWS send no request ids. HTML pages
// are never from a service.
func isOwn(err error, answer *http.Response) bool {
	switch {
	case slices.ContainsFunc([]string{"X-Amz-Request-Id", "X-Amzn-Requestid", "X-Amz-Bucket-Region"}, func(name string) bool { return answer.Header.Get(name) != "" }):
		return true
	case strings.Contains(mediaType(answer), "html"):
		return false
	case answer.Request == nil || answer.Request.Method == http.MethodHead:
		return true
	case answer.StatusCode < http.StatusMultipleChoices:
		found, ok := errors.AsType[*AnswerError](err)
		// A web page can have another type than HTML, so only XML counts as a response.
		return (!ok || !found.Foreign) && strings.HasSuffix(mediaType(answer), "xml")
	default:
		return saysCode(err, answer.StatusCode)
	}
}

// saysCode reports whether the response itself contains an error code. If it does not, the SDK
// derives code and message from the status. Some S3 codes equal the text of their status, such as
// PreconditionFailed, but have their own message.
func saysCode(err error, status int) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() == "" || api.ErrorCode() == "UnknownError" {
		return false
	}
	words := http.StatusText(status)
	return api.ErrorCode() != strings.ReplaceAll(words, " ", "") || api.ErrorMessage() != "" && api.ErrorMessage() != words
}

func mediaType(answer *http.Response) string {
	text, _, _ := strings.Cut(answer.Header.Get("Content-Type"), ";")
	return bounded(strings.ToLower(strings.TrimSpace(text)))
}

// bounded shortens text from outside for a message.
func bounded(text string) string { return text[:min(len(text), 80)] }

// placeOf returns the scheme and host of a redirect target.
func placeOf(location string) string {
	at, err := url.Parse(location)
	if err != nil || at.Host == "" {
		return ""
	}
	return bounded(EndpointOf(at))
}

// foreign reports whether a refusal is not from the service. It checks only refusals with a status
// that changes what syncd does. Such a refusal is not from the service if it has no error code and,
// for most statuses, no request id. A response to HEAD never has a code. (For other responses
// without a code, the SDK derives the code from the status.)
func foreign(err error) bool {
	response, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || response.Response == nil {
		return false
	}
	if saysCode(err, response.HTTPStatusCode()) {
		return false
	}
	switch response.HTTPStatusCode() {
	case http.StatusNotFound:
		return !isHead(response) // a 404 of S3 has a code, such as NoSuchKey
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusNotImplemented:
		return response.Response.Header.Get("X-Amz-Request-Id") == ""
	default:
		return false
	}
}

// isHead reports whether the refused request was a HEAD. It returns true if the response does not
// contain its request.
func isHead(response *smithyhttp.ResponseError) bool {
	request := response.Response.Request
	return request == nil || request.Method == http.MethodHead
}
