package admit

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"syncd/internal/awserr"
)

// Limits in bytes for responses other than an object's content. A page of 1,000 keys of 1,024
// bytes, with every byte escaped, has 4 MB. S3's error responses have a few kilobytes.
const (
	maxPage    = 8 << 20
	maxPayload = 2 << 20 // of an annotation
	maxAnswer  = 256 << 10
	// maxPageTags and maxTags are the maximum number of XML tags in a page and in another response.
	// They limit the memory for a response, because even an empty element takes memory. A page has
	// about 15 elements per key, and other responses have fewer than a hundred.
	maxPageTags = 40_000
	maxTags     = 5000
	// maxText is the maximum length in bytes of the text between two tags of a page.
	maxText = 32 << 10
	// maxEntries is the maximum number of entries of a page (Amazon S3 API Reference,
	// ListObjectsV2, ListParts, ListMultipartUploads and DeleteObjects).
	maxEntries = 1000
	maxOthers  = 50 // direct children of a page's root that are not entries
)

// Bound makes a client reject endless responses. It is one of the client's APIOptions; a [Guard]
// includes it.
func Bound(stack *middleware.Stack) error {
	if err := stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.admit.bound", bound), middleware.After); err != nil {
		return fmt.Errorf("attach response limits: %w", err)
	}
	return nil
}

// bound limits the body of a response. It wraps the body directly at the transport, before any code
// reads it.
func bound(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	answer, ok := out.RawResponse.(*smithyhttp.Response)
	if !ok || answer.Response == nil || answer.Body == nil {
		return out, metadata, err
	}
	if limit := limitOf(awsmiddleware.GetOperationName(ctx), answer.StatusCode); limit.bytes > 0 {
		answer.Body = &bounded{ReadCloser: answer.Body, limit: limit}
	}
	return out, metadata, err
}

// limit contains the size limits of a body; the zero value means no limits. Only pages have limits
// for text and for entries, the direct children of the root element.
type limit struct{ bytes, tags, entries, text int }

func limitOf(operation string, status int) limit {
	switch {
	case status < http.StatusMultipleChoices && operation == "GetObject":
		return limit{} // the copier knows the size of the content
	case status < http.StatusMultipleChoices && operation == "GetObjectAnnotation":
		return limit{bytes: maxPayload}
	case status < http.StatusMultipleChoices && (strings.HasPrefix(operation, "List") || operation == "DeleteObjects"):
		return limit{maxPage, maxPageTags, maxEntries + maxOthers, maxText}
	default:
		return limit{bytes: maxAnswer, tags: maxTags}
	}
}

// bounded is a response body with limits.
type bounded struct {
	io.ReadCloser
	limit limit
	read  int
	xml   outline
}

// Read fails with an *awserr.AnswerError when the body exceeds a limit.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(len(p), b.limit.bytes-b.read+1)])
	b.read += n
	if b.limit.tags > 0 {
		b.xml.pass(p[:n])
	}
	if problem := b.exceeds(); problem != "" {
		return 0, &awserr.AnswerError{Class: awserr.Transient, Problem: problem}
	}
	return n, err
}

func (b *bounded) exceeds() string {
	switch {
	case b.read > b.limit.bytes:
		return fmt.Sprintf("more than %d bytes", b.limit.bytes)
	case b.limit.tags == 0:
		return ""
	case b.xml.tags > b.limit.tags:
		return fmt.Sprintf("more than %d XML tags", b.limit.tags)
	case b.limit.entries == 0:
		return ""
	case b.xml.declared:
		return "a page with a comment or a declaration"
	case b.xml.longest > b.limit.text:
		return fmt.Sprintf("a value of more than %d bytes", b.limit.text)
	case b.xml.entries > b.limit.entries:
		return fmt.Sprintf("a page of more than %d entries", b.limit.entries)
	default:
		return ""
	}
}

// outline counts the parts of an XML document without storing them.
type outline struct {
	tags, depth, entries int
	text, longest        int // text: the bytes since the last tag began; longest: the maximum
	declared             bool
	last                 byte
}

func (o *outline) pass(p []byte) {
	for len(p) > 0 {
		if o.last == '<' && p[0] != '<' {
			o.begin(p[0])
			o.last, p = p[0], p[1:]
			continue
		}
		i := bytes.IndexByte(p, '<')
		if i < 0 {
			o.between(p)
			break
		}
		o.between(p[:i])
		o.tags++
		o.longest, o.text, o.last = max(o.longest, o.text), 0, '<'
		p = p[i+1:]
	}
	o.longest = max(o.longest, o.text)
}

// between handles bytes after the first character of a tag and before the next tag.
func (o *outline) between(run []byte) {
	o.text += len(run)
	for len(run) > 0 {
		i := bytes.IndexByte(run, '>')
		if i > 0 {
			o.last = run[i-1]
		}
		if i < 0 {
			o.last = run[len(run)-1]
			return
		}
		if o.last == '/' { // the end of an empty element
			o.depth--
			o.text--
		}
		o.last, run = '>', run[i+1:]
	}
}

// begin handles the first character of a tag.
func (o *outline) begin(c byte) {
	switch c {
	case '/':
		o.depth--
	case '?':
	case '!': // S3 sends no declaration like <!DOCTYPE>; begin would miscount its content
		o.declared = true
	default:
		if o.depth <= 1 {
			o.entries++
		}
		o.depth++
	}
}

// pageOf rejects a page with more than maxEntries entries.
func pageOf(entries int) error {
	if entries > maxEntries {
		return &awserr.AnswerError{Class: awserr.Transient, Problem: fmt.Sprintf("a page of %d entries, more than the maximum of %d", entries, maxEntries)}
	}
	return nil
}
