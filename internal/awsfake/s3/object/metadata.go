package object

import (
	"cmp"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/wire"
)

func systemHeaders(h http.Header) map[string]string {
	out := map[string]string{"Content-Type": cmp.Or(h.Get("Content-Type"), "binary/octet-stream")}
	for _, name := range []string{"Cache-Control", "Content-Disposition", "Content-Language", "Expires"} {
		if v := h.Get(name); v != "" {
			out[name] = v
		}
	}
	var encodings []string // aws-chunked is the encoding of the transfer, not of the object
	for part := range strings.SplitSeq(h.Get("Content-Encoding"), ",") {
		if part = strings.TrimSpace(part); part != "" && part != "aws-chunked" {
			encodings = append(encodings, part)
		}
	}
	if len(encodings) > 0 {
		out["Content-Encoding"] = strings.Join(encodings, ",")
	}
	return out
}

func userMetadata(h http.Header) map[string]string {
	out := map[string]string{}
	for name, values := range h {
		if key, found := strings.CutPrefix(strings.ToLower(name), "x-amz-meta-"); found {
			out[key] = storedMetadata(strings.Join(values, ","))
		}
	}
	return out
}

// parseTagging parses tags in the format of x-amz-tagging, a query string.
func parseTagging(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, wire.ErrInvalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	tags := map[string]string{}
	for k, v := range values {
		if len(v) > 1 {
			return nil, wire.ErrInvalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
		}
		tags[k] = v[0]
	}
	return tags, checkTags(tags)
}

func checkTags(tags map[string]string) error {
	if len(tags) > call.MaxTags {
		return wire.Refuse(http.StatusBadRequest, "BadRequest", "Object tags cannot be greater than %d", call.MaxTags)
	}
	for k, v := range tags {
		if !wire.ValidTag(k, v) || utf8.RuneCountInString(v) > wire.MaxTagValue {
			return wire.Refuse(http.StatusBadRequest, "InvalidTag", "The TagKey or TagValue you have provided is invalid")
		}
	}
	return nil
}

// storedMetadata returns the value that S3 stores for a header. It decodes encoded words (RFC 2047)
// and interprets raw non-ASCII bytes as ISO 8859-1, even if the client meant another encoding
// ("Working with object metadata", Amazon S3 User Guide, which has an example).
func storedMetadata(value string) string {
	if decoded, err := new(mime.WordDecoder).DecodeHeader(value); err == nil && strings.Contains(value, "=?") {
		return decoded
	}
	runes := make([]rune, len(value))
	for i := range len(value) {
		runes[i] = rune(value[i])
	}
	return string(runes)
}

// showMetadata sets the user metadata headers. Non-ASCII values are sent as encoded words. A value
// that a header cannot contain is left out and counted in x-amz-missing-meta.
func showMetadata(h http.Header, metadata map[string]string) {
	missing := 0
	for name, value := range metadata {
		if strings.ContainsFunc(value, unprintable) || !utf8.ValidString(value) {
			missing++
			continue
		}
		encoded := mime.BEncoding.Encode("UTF-8", value)
		if encoded != value {
			encoded = strings.ReplaceAll(encoded, "=?UTF-8?b?", "=?UTF-8?B?") // S3's spelling
		}
		h.Set("X-Amz-Meta-"+name, encoded)
	}
	if missing > 0 {
		h.Set("X-Amz-Missing-Meta", strconv.Itoa(missing))
	}
}

func unprintable(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func checkMetadata(metadata map[string]string) error {
	size := 0
	for k, v := range metadata {
		size += len(k) + len(v)
	}
	if size > call.MaxUserMetadata {
		return wire.Refuse(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size").
			With("Size", strconv.Itoa(size), "MaxSizeAllowed", strconv.Itoa(call.MaxUserMetadata))
	}
	return nil
}

const redirectHeader = "X-Amz-Website-Redirect-Location"

// readRedirect returns the website redirect location of the object, or "". Copies do not inherit
// it.
func readRedirect(h http.Header) (string, error) {
	to := h.Get(redirectHeader)
	for _, prefix := range []string{"/", "http://", "https://"} {
		if to == "" || strings.HasPrefix(to, prefix) {
			return to, nil
		}
	}
	return "", wire.Refuse(http.StatusBadRequest, "InvalidRedirectLocation",
		"The website redirect location must have a prefix of 'http://' or 'https://' or '/'.")
}
