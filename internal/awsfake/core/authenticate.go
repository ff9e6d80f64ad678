package core

import (
	"net/http"
	"time"

	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/wire"
)

// authenticate verifies the signature and sets the caller and the Region.
func (q *Request) authenticate() error {
	s, err := q.ReadSignature()
	if err != nil {
		return err
	}
	cred, expires := q.Cloud.Directory.Credential(s.AccessKey)
	if cred == nil || cred.Token != s.Token {
		return q.unknownCredential(cred)
	}
	if !expires.IsZero() && !q.Cloud.Now().Before(expires) {
		return q.Protocol.ExpiredToken()
	}
	clocks := []time.Time{q.Cloud.Now(), time.Now()}
	if q.Cloud.oneClock {
		clocks = clocks[:1]
	}
	if err := q.Verify(s, cred.Secret, clocks...); err != nil {
		return err
	}
	q.signature, q.Region, q.Caller = s, s.Region, cred
	return nil
}

// unknownCredential returns the error for an access key that does not exist (cred is nil) or whose
// token does not match.
func (q *Request) unknownCredential(cred *directory.Credential) error {
	switch {
	case q.Protocol == wire.Form:
		return wire.Refuse(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
	case q.Protocol == wire.JSON:
		return wire.Refuse(http.StatusBadRequest, "UnrecognizedClientException", "The security token included in the request is invalid.")
	case cred != nil:
		return wire.Refuse(http.StatusBadRequest, "InvalidToken", "The provided token is malformed or otherwise invalid.")
	}
	return wire.Refuse(http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
}
