package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/internal/awsfake/wire"
)

// Verify checks the signature with the secret, and its time with the clocks. The first clock is the
// clock of the services.
func (m *Message) Verify(s *Signature, from *Secret, clocks ...time.Time) error {
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
		return m.Protocol.SignatureMismatch()
	}
	return nil
}

// ReadSignature returns the signature of a message. It returns an error if there is none, or if
// required headers are not signed.
func (m *Message) ReadSignature() (*Signature, error) {
	s, ok := m.headerSignature()
	if m.Query.Get("X-Amz-Algorithm") != "" {
		s, ok = m.querySignature()
	}
	if s == nil {
		return nil, m.unsigned()
	}
	if !ok {
		return nil, wire.Refuse(http.StatusBadRequest, "AuthorizationHeaderMalformed", "The authorization header is malformed.")
	}
	if s.service != m.Service {
		return nil, wire.Refuse(http.StatusBadRequest, "AuthorizationHeaderMalformed",
			"The authorization header is malformed; incorrect service %q. This endpoint belongs to %q.", s.service, m.Service)
	}
	return s, m.everythingSigned(s)
}

func (m *Message) headerSignature() (*Signature, bool) {
	h := m.HTTP.Header
	rest, found := strings.CutPrefix(h.Get("Authorization"), sigV4Algorithm)
	if !found {
		return nil, false
	}
	s := &Signature{Token: h.Get("X-Amz-Security-Token"), payloadHash: h.Get("X-Amz-Content-Sha256")}
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

func (m *Message) querySignature() (*Signature, bool) {
	get := m.Query.Get
	seconds, err := strconv.ParseInt(get("X-Amz-Expires"), 10, 64)
	s := &Signature{
		Token: get("X-Amz-Security-Token"), payloadHash: unsignedPayload, presigned: true,
		signedHeaders: strings.Split(get("X-Amz-SignedHeaders"), ";"), value: get("X-Amz-Signature"),
		validFor: time.Duration(seconds) * time.Second,
	}
	ok := err == nil && seconds > 0 && seconds <= maxPresign && get("X-Amz-Algorithm") == sigV4Algorithm
	return s, s.read(get("X-Amz-Credential"), get("X-Amz-Date")) && ok
}

// everythingSigned rejects unsigned x-amz-* headers, which an intermediary could have added.
func (m *Message) everythingSigned(s *Signature) error {
	for name := range m.HTTP.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && lower != "x-amz-content-sha256" && !slices.Contains(s.signedHeaders, lower) {
			return wire.Refuse(http.StatusForbidden, "AccessDenied", "There were headers present in the request which were not signed").
				With("HeadersNotSigned", lower)
		}
	}
	return nil
}

func (m *Message) unsigned() error {
	switch m.Protocol {
	case wire.Form:
		return wire.Refuse(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
	case wire.JSON:
		return wire.Refuse(http.StatusBadRequest, "MissingAuthenticationTokenException", "Request is missing Authentication Token")
	case wire.RestXML:
	}
	return wire.RestXML.AccessDenied()
}

func (m *Message) untimely(s *Signature, now time.Time) error {
	switch {
	case m.Protocol == wire.Form && s.signedAt.After(now):
		return wire.Refuse(http.StatusForbidden, "SignatureDoesNotMatch", "Signature not yet current: %s is still later than %s",
			s.signedAt.Format(amzTime), now.UTC().Add(maxSkew).Format(amzTime))
	case m.Protocol == wire.Form:
		return wire.Refuse(http.StatusForbidden, "SignatureDoesNotMatch", "Signature expired: %s is now earlier than %s",
			s.signedAt.Format(amzTime), now.UTC().Add(-maxSkew).Format(amzTime))
	case m.Protocol == wire.JSON:
		return wire.Refuse(http.StatusBadRequest, "InvalidSignatureException", "Signature expired: %s is now earlier than %s",
			s.signedAt.Format(amzTime), now.UTC().Add(-maxSkew).Format(amzTime))
	case s.presigned:
		return wire.Refuse(http.StatusForbidden, "AccessDenied", "Request has expired")
	}
	return wire.Refuse(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.").
		With("RequestTime", s.signedAt.Format(amzTime), "ServerTime", now.UTC().Format(time.RFC3339))
}
