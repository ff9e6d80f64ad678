package transfer

import "net/url"

// DecodeKey decodes a key of a listing. The SDK does not decode keys, which are form-encoded if the
// response has an EncodingType. A service that ignores the requested encoding lists keys unencoded,
// so that "+" and "%" are literal.
func DecodeKey(listed string, encoded bool) (string, error) {
	if !encoded {
		return listed, nil
	}
	return url.QueryUnescape(listed)
}
