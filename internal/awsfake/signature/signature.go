// Package signature verifies who signed a request, and that its body is the one that was signed.
//
// It promises Signature Version 4 in a header or in the query, the payload hashes and the chunks of
// uploads, and refusals in the protocol of the request. It knows neither credentials nor services:
// the caller looks up the secret of the access key that a signature names, and says by which clocks
// it must be valid.
//
// Words to know. A [Message] is a request as its signature covers it; a [Payload] is the body of an
// upload, decoded and verified while it is read.
package signature

import (
	"slices"
	"strings"
	"time"
)

// The payload hashes that are not hashes ("Signature calculations: transferring a payload in
// chunks", Amazon S3 API Reference).
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

// Signature is a SigV4 signature as a request carries it, in its header or in its query.
type Signature struct {
	AccessKey, date, Region, service string
	signedHeaders                    []string
	value                            string
	Token                            string
	signedAt                         time.Time
	presigned                        bool
	validFor                         time.Duration // of a presigned request
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

// timely reports whether the signature is valid by one of the clocks.
func (s *Signature) timely(clocks []time.Time) bool {
	for _, now := range clocks {
		age := now.Sub(s.signedAt)
		if age >= -maxSkew && (age <= maxSkew && !s.presigned || s.presigned && age <= s.validFor) {
			return true
		}
	}
	return false
}

// Unsigned is that of a request that never was on the wire: its body is taken as it is.
func Unsigned() *Signature { return &Signature{payloadHash: unsignedPayload} }
