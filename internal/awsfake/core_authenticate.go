package awsfake

import (
	"net/http"
	"time"
)

// authenticate verifies who signed the request, and sets caller and region.
func (q *request) authenticate() error {
	s, err := q.readSignature()
	if err != nil {
		return err
	}
	cred, expires := q.cloud.directory.credential(s.accessKey)
	if cred == nil || cred.token != s.token {
		return q.unknownCredential(cred)
	}
	if !expires.IsZero() && !q.cloud.now().Before(expires) {
		return q.protocol.expiredToken()
	}
	clocks := []time.Time{q.cloud.now(), time.Now()}
	if q.cloud.oneClock {
		clocks = clocks[:1]
	}
	if err := q.verify(s, cred.secret, clocks...); err != nil {
		return err
	}
	q.signature, q.region, q.caller = s, s.region, cred
	return nil
}

// unknownCredential is the refusal of an access key that does not exist (cred is nil), or of one with another token.
func (q *request) unknownCredential(cred *credential) error {
	switch {
	case q.protocol == queryForm:
		return refuse(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
	case q.protocol == awsJSON:
		return refuse(http.StatusBadRequest, "UnrecognizedClientException", "The security token included in the request is invalid.")
	case cred != nil:
		return refuse(http.StatusBadRequest, "InvalidToken", "The provided token is malformed or otherwise invalid.")
	}
	return refuse(http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
}
