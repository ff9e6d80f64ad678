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

// ForeignError is an answer that something between this process and the service gave in the
// service's place, as a proxy, a load balancer or the welcome page of a network does: it has no
// request id. Nothing is known of what became of the request.
type ForeignError struct {
	// Operation is the operation's name, as in CopyObject, and Endpoint where it was sent, as
	// scheme and host.
	Operation, Endpoint string
	// Status and Type are those of the answer, Location where it sends the client, and Server what
	// gave it; each "" for nothing.
	Status                 int
	Type, Location, Server string
	// Proxy is the proxy that the request went through, without its password, and Variable what
	// names it, as HTTPS_PROXY; "" for none.
	Proxy, Variable string
	// Lasting says that asking again at once is of no use: it has been answered so for a while, by
	// something that works.
	Lasting bool
	// Err is what the SDK made of the answer.
	Err error
}

// foreignGrace is how long a request is sent again that something else answers: a proxy that is
// being changed, or a cache.
const foreignGrace = 5 * time.Second

// Lasts notes how long the request has been answered so.
func (e *ForeignError) Lasts(since time.Duration) { e.Lasting = e.works() && since >= foreignGrace }

// works reports whether what has answered does what it means to do.
func (e *ForeignError) works() bool {
	return e.Status < http.StatusInternalServerError || e.Status == http.StatusNetworkAuthenticationRequired
}

// Error says what was answered in the place of what, and which proxy it came through.
func (e *ForeignError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at %s was not answered by the service: status %d", e.Operation, e.Endpoint, e.Status)
	if e.Type != "" {
		b.WriteString(", " + printable.Text(e.Type))
	}
	b.WriteString(" without a request id")
	if e.Server != "" {
		b.WriteString(", of the server " + printable.Text(e.Server))
	}
	if e.Location != "" {
		b.WriteString(", which sends on to " + printable.Text(e.Location))
	}
	if answer, ok := errors.AsType[*AnswerError](e.Err); ok {
		b.WriteString(", " + answer.Problem)
	}
	if e.Proxy != "" {
		b.WriteString(", through the proxy " + e.Proxy)
		if e.Variable != "" {
			b.WriteString(" of " + e.Variable)
		}
	}
	return b.String()
}

// Unwrap returns what the SDK made of the answer.
func (e *ForeignError) Unwrap() error { return e.Err }

// Hint says what to do: whose answer it may be, and which setting leads there.
func (e *ForeignError) Hint() string {
	host := e.Endpoint[strings.Index(e.Endpoint, "/")+1:]
	host = strings.TrimPrefix(host, "/")
	through := "the proxy"
	if e.Variable != "" {
		through = e.Variable
	}
	switch {
	case e.Status == http.StatusProxyAuthRequired:
		return through + " asks for credentials: write them into its URL, as http://user:password@host"
	case e.Proxy != "":
		return "have the proxy let " + host + " through, or name the host in NO_PROXY"
	case isAWS(host):
		return "no proxy is set: look for a firewall, a captive portal or a gateway of the network on the way to " + host + ", or set HTTPS_PROXY"
	default:
		return "look at what answers at " + host + " (endpoint_url), as a load balancer without a backend or another service"
	}
}

// classOfForeign is the class of an answer of which only the status is known.
func classOfForeign(status int) Class {
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		return Throttled // S3's own front answers so, in HTML and without a request id
	}
	return Transient
}

// Foreign returns what is foreign about an error that came with an answer, nil for the service's
// own answers. The caller adds operation, endpoint and proxy.
func Foreign(err error, answer *http.Response) *ForeignError {
	if err == nil || answer == nil || answer.StatusCode == 0 || isOwn(err, answer) {
		return nil
	}
	found := &ForeignError{
		Status: answer.StatusCode, Type: mediaType(answer), Server: bounded(answer.Header.Get("Server")), Location: placeOf(answer.Header.Get("Location")), Err: err,
	}
	return found
}

// isOwn reports whether an answer is the service's: it has the id of the request, or an error code.
// An answer to HEAD has no code, and some services other than AWS give no ids; pages are none's.
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
		return (!ok || !found.Foreign) && strings.HasSuffix(mediaType(answer), "xml") // a page need not say that it is HTML
	default:
		return saysCode(err, answer.StatusCode)
	}
}

// saysCode reports whether an answer itself has the code of its error. Where it has none, the SDK
// makes code and message of the status; some codes of S3 are the words of their status too, as
// PreconditionFailed is, and come with a message of their own.
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

// bounded is no more of what somebody says than a message has room for.
func bounded(text string) string { return text[:min(len(text), 80)] }

// placeOf is where a redirect leads, without what it says there.
func placeOf(location string) string {
	at, err := url.Parse(location)
	if err != nil || at.Host == "" {
		return ""
	}
	return bounded(EndpointOf(at))
}

// foreign reports whether a refusal that would decide something is not the service's: it names
// nothing that is missing or refused, and bears no id of a request. The SDK makes a code of the
// status where an answer has none; only an answer to HEAD never has one.
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
		return !isHead(response) // S3 names the key, the bucket, the upload or the version
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusNotImplemented:
		return response.Response.Header.Get("X-Amz-Request-Id") == ""
	default:
		return false
	}
}

// isHead reports whether the refused request was a HEAD, as far as is known.
func isHead(response *smithyhttp.ResponseError) bool {
	request := response.Response.Request
	return request == nil || request.Method == http.MethodHead
}
