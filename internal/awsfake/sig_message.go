package awsfake

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// message is a request as its signature covers it.
type message struct {
	http     *http.Request
	path     string // as it was sent, still escaped
	query    url.Values
	service  string // by the name that signatures carry
	protocol protocol
	body     []byte // of forms and of JSON
}

// canonical is the request in the form that was signed ("Create a signed AWS API request", IAM User Guide).
func (m *message) canonical(s *signature) (string, error) {
	var b strings.Builder
	b.WriteString(m.http.Method)
	b.WriteByte('\n')
	b.WriteString(m.canonicalPath())
	b.WriteByte('\n')
	b.WriteString(m.canonicalQuery())
	b.WriteByte('\n')
	for _, name := range s.signedHeaders {
		b.WriteString(name)
		b.WriteByte(':')
		b.WriteString(m.canonicalHeader(name))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.WriteString(strings.Join(s.signedHeaders, ";"))
	b.WriteByte('\n')
	if m.protocol != restXML {
		digest := sha256.Sum256(m.body)
		b.WriteString(hex.EncodeToString(digest[:]))
		return b.String(), nil
	}
	if s.payloadHash == "" {
		return "", errInvalidRequest("Missing required header for this request: x-amz-content-sha256")
	}
	b.WriteString(s.payloadHash)
	return b.String(), nil
}

// canonicalPath is the path as sent; only S3 does not escape it a second time, and both others have the path "/".
func (m *message) canonicalPath() string {
	if m.path == "" {
		return "/"
	}
	return m.path
}

func (m *message) canonicalQuery() string {
	if m.http.URL.RawQuery == "" {
		return ""
	}
	var pairs []string
	for k, values := range m.query {
		if k == "X-Amz-Signature" {
			continue
		}
		for _, v := range values {
			pairs = append(pairs, escapeQuery(k)+"="+escapeQuery(v))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func escapeQuery(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func (m *message) canonicalHeader(name string) string {
	r := m.http
	switch name {
	case "host":
		if r.Host != "" {
			return r.Host
		}
		return r.URL.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := r.Header.Values(name)
	if len(values) == 1 {
		return collapse(values[0])
	}
	trimmed := make([]string, len(values))
	for i, v := range values {
		trimmed[i] = collapse(v)
	}
	return strings.Join(trimmed, ",")
}

// collapse trims a header value and makes one space of several.
func collapse(v string) string {
	v = strings.TrimSpace(v)
	for strings.Contains(v, "  ") {
		v = strings.ReplaceAll(v, "  ", " ")
	}
	return v
}
