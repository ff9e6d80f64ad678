// Package signature verifies the signature and the body of a request.
//
// It supports Signature Version 4 in a header or in the query, payload hashes and chunked uploads,
// and it returns errors in the protocol of the request. It does not depend on credentials or
// services: the caller looks up the secret of the access key and provides the clocks that the
// signature's time is checked against.
//
// Terms: a [Message] is the part of a request that its signature covers. A [Payload] is the body of
// an upload, decoded and verified while it is read.
package signature

import (
	"slices"
	"strings"
	"time"
)

// Values of the payload hash header that are not hashes ("Signature calculations: transferring a
// payload in chunks", Amazon S3 API Reference).
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

// Signature is the SigV4 signature of a request, from its header or its query.
type Signature struct {
	AccessKey, date, Region, service string
	signedHeaders                    []string
	value                            string
	Token                            string
	signedAt                         time.Time
	presigned                        bool
	validFor                         time.Duration // for a presigned request
	payloadHash                      string
	key                              []byte // the derived signing key, once verified
}

func (s *Signature) scope() string {
	return s.date + "/" + s.Region + "/" + s.service + "/aws4_request"
}

func (s *Signature) read(credential, date string) bool {
	parts := strings.Split(credential, "/")
	at, err := time.Parse(amzTime, date)
	if err != nil || len(parts) != 5 || parts[4] != "aws4_request" || !strings.HasPrefix(date, parts[1]) {
		return false
	}
	s.AccessKey, s.date, s.Region, s.service, s.signedAt = parts[0], parts[1], parts[2], parts[3], at
	return s.value != "" && slices.Contains(s.signedHeaders, "host")
}

// timely reports whether the signature's time is valid according to at least one of the clocks.
func (s *Signature) timely(clocks []time.Time) bool {
	for _, now := range clocks {
		age := now.Sub(s.signedAt)
		if age >= -maxSkew && (age <= maxSkew && !s.presigned || s.presigned && age <= s.validFor) {
			return true
		}
	}
	return false
}

// Unsigned returns the signature of an internal request. Its body is not verified.
func Unsigned() *Signature { return &Signature{payloadHash: unsignedPayload} }
