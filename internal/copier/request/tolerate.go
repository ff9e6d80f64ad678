package request

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	smithymiddleware "github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// maxEcho is the maximum length in bytes of a response that is read into memory. The largest
// response is a page of ListParts: 1,000 parts of less than 1 KiB each.
const maxEcho = 4 << 20

// TolerateKeys allows a client to read responses that contain a key with characters that are
// invalid in XML. Add it to the APIOptions of the source's and the destination's client.
//
// S3 allows control characters in keys, and repeats the key of an upload, of an annotated object or of a
// failed request in its responses. XML 1.0 cannot represent most of these characters (W3C, XML 1.0, "Characters").
// The SDK would fail to decode the response, and the ID of an upload that has begun would be lost.
// No caller uses the key in these responses, so the characters can be replaced.
func TolerateKeys(stack *smithymiddleware.Stack) error {
	return stack.Deserialize.Insert(smithymiddleware.DeserializeMiddlewareFunc("syncd.TolerateKeys", tolerate),
		"OperationDeserializer", smithymiddleware.After)
}

func tolerate(ctx context.Context, in smithymiddleware.DeserializeInput, next smithymiddleware.DeserializeHandler) (smithymiddleware.DeserializeOutput, smithymiddleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	answer, ok := out.RawResponse.(*smithyhttp.Response)
	isError := ok && answer.StatusCode >= http.StatusMultipleChoices // errors can name the key
	if err != nil || !ok || !isError && !echoesKey(middleware.GetOperationName(ctx)) {
		return out, metadata, err
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxEcho))
	err = errors.Join(err, answer.Body.Close())
	if err != nil && !isError {
		return out, metadata, fmt.Errorf("read response: %w", err)
	}
	answer.Body = io.NopCloser(bytes.NewReader(readable(body)))
	return out, metadata, nil
}

func echoesKey(operation string) bool {
	switch operation {
	case "CreateMultipartUpload", "CompleteMultipartUpload", "ListParts", "ListObjectAnnotations", "PutObjectAnnotation":
		return true
	default:
		return false
	}
}

// readable replaces characters that an XML decoder rejects, both literal characters and character
// references.
func readable(answer []byte) []byte {
	answer = bytes.Map(func(r rune) rune {
		if legal(r) {
			return r
		}
		return utf8.RuneError
	}, answer)
	if !bytes.Contains(answer, []byte("&#")) {
		return answer // the usual case: nothing to replace
	}
	return regexp.MustCompile(`&#(x[0-9a-fA-F]+|[0-9]+);`).ReplaceAllFunc(answer, func(reference []byte) []byte {
		digits, base := string(reference[2:len(reference)-1]), 10
		if digits[0] == 'x' {
			digits, base = digits[1:], 16
		}
		if r, err := strconv.ParseInt(digits, base, 32); err == nil && legal(rune(r)) {
			return reference
		}
		return []byte(string(utf8.RuneError))
	})
}

// legal reports whether a character is allowed in XML.
func legal(r rune) bool {
	switch r {
	case '\t', '\n', '\r':
		return true
	default:
		return r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= utf8.MaxRune
	}
}
