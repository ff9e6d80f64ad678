package awsfake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The payload hashes that are not hashes ("Signature calculations: transferring a payload in chunks",
// Amazon S3 API Reference).
const (
	unsignedPayload            = "UNSIGNED-PAYLOAD"
	streamingUnsigned          = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	streamingSigned            = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamingSignedTrail       = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	sigV4Algorithm             = "AWS4-HMAC-SHA256"
	amzTime                    = "20060102T150405Z"
	maxSkew                    = 15 * time.Minute
	maxPresign           int64 = 7 * 24 * 3600 // seconds
)

// signature is a SigV4 signature as a request carries it, in its header or in its query.
type signature struct {
	accessKey, date, region, service string
	signedHeaders                    []string
	value                            string
	token                            string
	signedAt                         time.Time
	presigned                        bool
	validFor                         time.Duration // of a presigned request
	payloadHash                      string
	key                              []byte // the derived signing key, once verified
}

func (s *signature) scope() string {
	return s.date + "/" + s.region + "/" + s.service + "/aws4_request"
}

// authenticate verifies who signed the request, and sets caller and region.
func (q *request) authenticate() error {
	s, err := q.readSignature()
	if err != nil {
		return err
	}
	c := q.cloud
	c.mu.RLock()
	cred := c.credentials[s.accessKey]
	var expires time.Time
	if cred != nil {
		expires = cred.expires
	}
	c.mu.RUnlock()
	if cred == nil || cred.token != s.token {
		return q.unknownCredential(cred)
	}
	if !expires.IsZero() && !c.now().Before(expires) {
		return errExpiredToken(q.service)
	}
	if !q.timely(s) {
		return q.untimely(s)
	}
	s.key = cred.signingKey(s)
	canonical, err := q.canonical(s)
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(canonical))
	toSign := sigV4Algorithm + "\n" + s.signedAt.Format(amzTime) + "\n" + s.scope() + "\n" + hex.EncodeToString(digest[:])
	if !hmac.Equal([]byte(hex.EncodeToString(sign(s.key, toSign))), []byte(s.value)) {
		return q.signatureMismatch()
	}
	q.signature, q.region, q.caller = s, s.region, cred
	return nil
}

func (q *request) readSignature() (*signature, error) {
	s, ok := q.headerSignature()
	if q.query.Get("X-Amz-Algorithm") != "" {
		s, ok = q.querySignature()
	}
	if s == nil {
		return nil, q.unsigned()
	}
	if !ok {
		return nil, refuse(http.StatusBadRequest, "AuthorizationHeaderMalformed", "The authorization header is malformed.")
	}
	if s.service != q.service {
		return nil, refuse(http.StatusBadRequest, "AuthorizationHeaderMalformed",
			"The authorization header is malformed; incorrect service %q. This endpoint belongs to %q.", s.service, q.service)
	}
	return s, q.everythingSigned(s)
}

func (q *request) headerSignature() (*signature, bool) {
	h := q.http.Header
	rest, found := strings.CutPrefix(h.Get("Authorization"), sigV4Algorithm)
	if !found {
		return nil, false
	}
	s := &signature{token: h.Get("X-Amz-Security-Token"), payloadHash: h.Get("X-Amz-Content-Sha256")}
	credential := ""
	for field := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			credential = value
		case "SignedHeaders":
			s.signedHeaders = strings.Split(value, ";")
		case "Signature":
			s.value = value
		}
	}
	return s, s.read(credential, h.Get("X-Amz-Date"))
}

func (q *request) querySignature() (*signature, bool) {
	get := q.query.Get
	seconds, err := strconv.ParseInt(get("X-Amz-Expires"), 10, 64)
	s := &signature{
		token: get("X-Amz-Security-Token"), payloadHash: unsignedPayload, presigned: true,
		signedHeaders: strings.Split(get("X-Amz-SignedHeaders"), ";"), value: get("X-Amz-Signature"),
		validFor: time.Duration(seconds) * time.Second,
	}
	ok := err == nil && seconds > 0 && seconds <= maxPresign && get("X-Amz-Algorithm") == sigV4Algorithm
	return s, s.read(get("X-Amz-Credential"), get("X-Amz-Date")) && ok
}

func (s *signature) read(credential, date string) bool {
	parts := strings.Split(credential, "/")
	at, err := time.Parse(amzTime, date)
	if err != nil || len(parts) != 5 || parts[4] != "aws4_request" || !strings.HasPrefix(date, parts[1]) {
		return false
	}
	s.accessKey, s.date, s.region, s.service, s.signedAt = parts[0], parts[1], parts[2], parts[3], at
	return s.value != "" && slices.Contains(s.signedHeaders, "host")
}

// everythingSigned refuses x-amz-* headers that someone may have slipped in on the way.
func (q *request) everythingSigned(s *signature) error {
	for name := range q.http.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && lower != "x-amz-content-sha256" && !slices.Contains(s.signedHeaders, lower) {
			return refuse(http.StatusForbidden, "AccessDenied", "There were headers present in the request which were not signed").
				with("HeadersNotSigned", lower)
		}
	}
	return nil
}

// timely compares with both clocks, or with one, see [Options].
func (q *request) timely(s *signature) bool {
	clocks := []time.Time{q.cloud.now(), time.Now()}
	if q.cloud.oneClock {
		clocks = clocks[:1]
	}
	for _, now := range clocks {
		age := now.Sub(s.signedAt)
		if age >= -maxSkew && (age <= maxSkew && !s.presigned || s.presigned && age <= s.validFor) {
			return true
		}
	}
	return false
}

func (q *request) untimely(s *signature) error {
	switch {
	case q.protocol() == queryForm && s.signedAt.After(q.cloud.now()):
		return refuse(http.StatusForbidden, "SignatureDoesNotMatch", "Signature not yet current: %s is still later than %s",
			s.signedAt.Format(amzTime), q.cloud.now().UTC().Add(maxSkew).Format(amzTime))
	case q.protocol() == queryForm:
		return refuse(http.StatusForbidden, "SignatureDoesNotMatch", "Signature expired: %s is now earlier than %s",
			s.signedAt.Format(amzTime), q.cloud.now().UTC().Add(-maxSkew).Format(amzTime))
	case q.protocol() == awsJSON:
		return refuse(http.StatusBadRequest, "InvalidSignatureException", "Signature expired: %s is now earlier than %s",
			s.signedAt.Format(amzTime), q.cloud.now().UTC().Add(-maxSkew).Format(amzTime))
	case s.presigned:
		return refuse(http.StatusForbidden, "AccessDenied", "Request has expired")
	}
	return refuse(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.").
		with("RequestTime", s.signedAt.Format(amzTime), "ServerTime", q.cloud.now().UTC().Format(time.RFC3339))
}

func (q *request) unsigned() error {
	switch q.protocol() {
	case queryForm:
		return refuse(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
	case awsJSON:
		return refuse(http.StatusBadRequest, "MissingAuthenticationTokenException", "Request is missing Authentication Token")
	case restXML:
	}
	return errAccessDenied(serviceS3)
}

// unknownCredential is the refusal of an access key that does not exist (cred is nil), or of one with another token.
func (q *request) unknownCredential(cred *credential) error {
	switch {
	case q.protocol() == queryForm:
		return refuse(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
	case q.protocol() == awsJSON:
		return refuse(http.StatusBadRequest, "UnrecognizedClientException", "The security token included in the request is invalid.")
	case cred != nil:
		return refuse(http.StatusBadRequest, "InvalidToken", "The provided token is malformed or otherwise invalid.")
	}
	return refuse(http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
}

func (q *request) signatureMismatch() error {
	const text = "The request signature we calculated does not match the signature you provided. " +
		"Check your key and signing method."
	if q.protocol() == awsJSON {
		return refuse(http.StatusBadRequest, "InvalidSignatureException", text)
	}
	return refuse(http.StatusForbidden, "SignatureDoesNotMatch", text)
}

// canonical is the request in the form that was signed ("Create a signed AWS API request", IAM User Guide).
func (q *request) canonical(s *signature) (string, error) {
	var b strings.Builder
	b.WriteString(q.http.Method)
	b.WriteByte('\n')
	b.WriteString(q.canonicalPath())
	b.WriteByte('\n')
	b.WriteString(q.canonicalQuery())
	b.WriteByte('\n')
	for _, name := range s.signedHeaders {
		b.WriteString(name)
		b.WriteByte(':')
		b.WriteString(q.canonicalHeader(name))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.WriteString(strings.Join(s.signedHeaders, ";"))
	b.WriteByte('\n')
	if q.service != serviceS3 {
		digest := sha256.Sum256(q.body)
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
func (q *request) canonicalPath() string {
	if q.path == "" {
		return "/"
	}
	return q.path
}

func (q *request) canonicalQuery() string {
	if q.http.URL.RawQuery == "" {
		return ""
	}
	var pairs []string
	for k, values := range q.query {
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

func (q *request) canonicalHeader(name string) string {
	r := q.http
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

// signingKey derives the key of one date, region and service; it is kept, since clients sign thousands of requests with it.
func (cr *credential) signingKey(s *signature) []byte {
	cr.mu.Lock()
	defer cr.mu.Unlock()
	scope := s.scope()
	if key := cr.signingKeys[scope]; key != nil {
		return key
	}
	key := []byte("AWS4" + cr.secret)
	for _, part := range []string{s.date, s.region, s.service, "aws4_request"} {
		key = sign(key, part)
	}
	if cr.signingKeys == nil {
		cr.signingKeys = map[string][]byte{}
	}
	cr.signingKeys[scope] = key
	return key
}

func sign(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
