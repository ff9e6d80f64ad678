package transfer

import "net/url"

// DecodeKey returns a key of a listing as it is. The SDK passes on what it reads, which is
// form-encoded where the answer says so in its EncodingType. A service that ignores the request for
// that lists keys as they are, and in them "+" is no space and "%" begins nothing.
func DecodeKey(listed string, encoded bool) (string, error) {
	if !encoded {
		return listed, nil
	}
	return url.QueryUnescape(listed)
}
