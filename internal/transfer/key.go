package transfer

import (
	"net/url"
	"strings"
)

// DecodeKey decodes a key of a listing, because the SDK does not. Encoded means that the response
// has an EncodingType, so that its keys are form-encoded. A service that ignores the requested
// encoding lists keys unencoded: "+" and "%" are then literal.
func DecodeKey(listed string, encoded bool) (string, error) {
	if !encoded || strings.IndexByte(listed, '%') < 0 && strings.IndexByte(listed, '+') < 0 {
		return listed, nil
	}
	return url.QueryUnescape(listed)
}
