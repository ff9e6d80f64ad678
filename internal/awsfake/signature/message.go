package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"syncd/internal/awsfake/wire"
)

// Message is the part of a request that its signature covers.
type Message struct {
	HTTP     *http.Request
	Path     string // as sent, still escaped
	Query    url.Values
	Service  string // as named in signatures
	Protocol wire.Protocol
	Body     []byte // for forms and JSON
}

// canonical returns the canonical request, which is signed ("Create a signed AWS API request", IAM
// User Guide).
func (m *Message) canonical(s *Signature) (string, error) {
	var b strings.Builder
	b.WriteString(m.HTTP.Method)
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
	if m.Protocol != wire.RestXML {
		digest := sha256.Sum256(m.Body)
		b.WriteString(hex.EncodeToString(digest[:]))
		return b.String(), nil
	}
	if s.payloadHash == "" {
		return "", wire.ErrInvalidRequest("Missing required header for this request: x-amz-content-sha256")
	}
	b.WriteString(s.payloadHash)
	return b.String(), nil
}

// canonicalPath returns the path as sent. Services other than S3 sign a path that is escaped a
// second time, which makes no difference here: their path is always "/".
func (m *Message) canonicalPath() string {
	if m.Path == "" {
		return "/"
	}
	return m.Path
}

func (m *Message) canonicalQuery() string {
	if m.HTTP.URL.RawQuery == "" {
		return ""
	}
	var pairs []string
	for k, values := range m.Query {
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

func (m *Message) canonicalHeader(name string) string {
	r := m.HTTP
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

// collapse trims a header value and replaces runs of spaces with one.
func collapse(v string) string {
	v = strings.TrimSpace(v)
	for strings.Contains(v, "  ") {
		v = strings.ReplaceAll(v, "  ", " ")
	}
	return v
}
