package awsfake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// verify compares the signature with the one that the secret gives, and checks its time by the clocks, of which the first is that
// of the services.
func (m *message) verify(s *signature, from *secret, clocks ...time.Time) error {
	if !s.timely(clocks) {
		return m.untimely(s, clocks[0])
	}
	s.key = from.key(s)
	canonical, err := m.canonical(s)
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(canonical))
	toSign := sigV4Algorithm + "\n" + s.signedAt.Format(amzTime) + "\n" + s.scope() + "\n" + hex.EncodeToString(digest[:])
	if !hmac.Equal([]byte(hex.EncodeToString(sign(s.key, toSign))), []byte(s.value)) {
		return m.protocol.signatureMismatch()
	}
	return nil
}

func (m *message) readSignature() (*signature, error) {
	s, ok := m.headerSignature()
	if m.query.Get("X-Amz-Algorithm") != "" {
		s, ok = m.querySignature()
	}
	if s == nil {
		return nil, m.unsigned()
	}
	if !ok {
		return nil, refuse(http.StatusBadRequest, "AuthorizationHeaderMalformed", "The authorization header is malformed.")
	}
	if s.service != m.service {
		return nil, refuse(http.StatusBadRequest, "AuthorizationHeaderMalformed",
			"The authorization header is malformed; incorrect service %q. This endpoint belongs to %q.", s.service, m.service)
	}
	return s, m.everythingSigned(s)
}

func (m *message) headerSignature() (*signature, bool) {
	h := m.http.Header
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

func (m *message) querySignature() (*signature, bool) {
	get := m.query.Get
	seconds, err := strconv.ParseInt(get("X-Amz-Expires"), 10, 64)
	s := &signature{
		token: get("X-Amz-Security-Token"), payloadHash: unsignedPayload, presigned: true,
		signedHeaders: strings.Split(get("X-Amz-SignedHeaders"), ";"), value: get("X-Amz-Signature"),
		validFor: time.Duration(seconds) * time.Second,
	}
	ok := err == nil && seconds > 0 && seconds <= maxPresign && get("X-Amz-Algorithm") == sigV4Algorithm
	return s, s.read(get("X-Amz-Credential"), get("X-Amz-Date")) && ok
}

// everythingSigned refuses x-amz-* headers that someone may have slipped in on the way.
func (m *message) everythingSigned(s *signature) error {
	for name := range m.http.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && lower != "x-amz-content-sha256" && !slices.Contains(s.signedHeaders, lower) {
			return refuse(http.StatusForbidden, "AccessDenied", "There were headers present in the request which were not signed").
				with("HeadersNotSigned", lower)
		}
	}
	return nil
}

func (m *message) unsigned() error {
	switch m.protocol {
	case queryForm:
		return refuse(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
	case awsJSON:
		return refuse(http.StatusBadRequest, "MissingAuthenticationTokenException", "Request is missing Authentication Token")
	case restXML:
	}
	return restXML.accessDenied()
}

func (m *message) untimely(s *signature, now time.Time) error {
	switch {
	case m.protocol == queryForm && s.signedAt.After(now):
		return refuse(http.StatusForbidden, "SignatureDoesNotMatch", "Signature not yet current: %s is still later than %s",
			s.signedAt.Format(amzTime), now.UTC().Add(maxSkew).Format(amzTime))
	case m.protocol == queryForm:
		return refuse(http.StatusForbidden, "SignatureDoesNotMatch", "Signature expired: %s is now earlier than %s",
			s.signedAt.Format(amzTime), now.UTC().Add(-maxSkew).Format(amzTime))
	case m.protocol == awsJSON:
		return refuse(http.StatusBadRequest, "InvalidSignatureException", "Signature expired: %s is now earlier than %s",
			s.signedAt.Format(amzTime), now.UTC().Add(-maxSkew).Format(amzTime))
	case s.presigned:
		return refuse(http.StatusForbidden, "AccessDenied", "Request has expired")
	}
	return refuse(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.").
		with("RequestTime", s.signedAt.Format(amzTime), "ServerTime", now.UTC().Format(time.RFC3339))
}
