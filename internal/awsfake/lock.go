package awsfake

import (
	"net/http"
	"strings"
	"time"
)

// The modes of retention ("Locking objects with Object Lock", Amazon S3 User Guide).
const (
	Governance = "GOVERNANCE" // s3:BypassGovernanceRetention may delete nevertheless
	Compliance = "COMPLIANCE" // nobody can delete before the date
)

// Lock is what keeps one version of an object from being deleted; the zero value is no lock.
type Lock struct {
	Mode      string    // [Governance], [Compliance], or "" for no retention
	Until     time.Time // the end of the retention
	LegalHold bool      // keeps the version whatever the date
}

// holds reports whether the lock keeps its version from being deleted now.
func (l Lock) holds(now time.Time, bypass bool) bool {
	spared := bypass && l.Mode == Governance
	return l.LegalHold || l.Mode != "" && now.Before(l.Until) && !spared
}

const objectLockPrefix = "X-Amz-Object-Lock-"

// readLock is the lock that the headers of a PutObject, CopyObject or CreateMultipartUpload ask for.
func (q *request) readLock(b *Bucket) (Lock, error) {
	h := q.http.Header
	mode, until, hold := h.Get(objectLockPrefix+"Mode"), h.Get(objectLockPrefix+"Retain-Until-Date"), h.Get(objectLockPrefix+"Legal-Hold")
	l := Lock{Mode: mode, LegalHold: hold == "ON"}
	if mode == "" && until == "" && hold == "" {
		return l, nil
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	switch {
	case !b.objectLock:
		return l, errInvalidRequest("Bucket is missing Object Lock Configuration")
	case hold != "" && hold != "ON" && hold != "OFF":
		return l, errInvalidArgument("Legal Hold must be either of 'ON' or 'OFF'")
	case (mode == "") != (until == ""):
		return l, errInvalidArgument("x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
	case mode == "":
		return l, nil
	case mode != Governance && mode != Compliance:
		return l, errInvalidArgument("Unknown wormMode directive.")
	}
	var err error
	if l.Until, err = time.Parse(time.RFC3339, until); err != nil {
		return l, errInvalidArgument("The retain until date must be provided in ISO 8601 format")
	}
	if !l.Until.After(q.cloud.now()) {
		return l, errInvalidArgument("The retain until date must be in the future!")
	}
	return l, nil
}

// needsChecksum refuses to lock bytes that nobody vouched for ("PutObject", Amazon S3 API Reference).
func (l Lock) needsChecksum(h http.Header) error {
	if algorithm, _ := sentChecksum(h); l == (Lock{}) || algorithm != "" || h.Get("Content-Md5") != "" {
		return nil
	}
	return errInvalidRequest("Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters")
}

// allowLock asks for what the lock's headers need beyond s3:PutObject.
func (q *request) allowLock(b *Bucket, facts map[string][]string) error {
	h := q.http.Header
	if h.Get(objectLockPrefix+"Mode") != "" {
		if err := q.allow(b, "s3:PutObjectRetention", q.key, facts); err != nil {
			return err
		}
	}
	if h.Get(objectLockPrefix+"Legal-Hold") != "" {
		return q.allow(b, "s3:PutObjectLegalHold", q.key, facts)
	}
	return nil
}

// showLock sets the headers of a lock for those who may see it; for others they are missing.
func (q *request) showLock(h http.Header, b *Bucket, o *object) {
	if o.lock.Mode != "" && q.allow(b, "s3:GetObjectRetention", o.key, nil) == nil {
		h.Set(objectLockPrefix+"Mode", o.lock.Mode)
		h.Set(objectLockPrefix+"Retain-Until-Date", o.lock.Until.UTC().Format(time.RFC3339))
	}
	if o.lock.LegalHold && q.allow(b, "s3:GetObjectLegalHold", o.key, nil) == nil {
		h.Set(objectLockPrefix+"Legal-Hold", "ON")
	}
}

// bypass reports whether the request passes over retention in governance mode, and may.
func (q *request) bypass(b *Bucket, key string) (bool, error) {
	if !strings.EqualFold(q.http.Header.Get("X-Amz-Bypass-Governance-Retention"), "true") {
		return false, nil
	}
	return true, q.allow(b, "s3:BypassGovernanceRetention", key, nil)
}

func errLocked() *apiError {
	return refuse(http.StatusForbidden, "AccessDenied", "Access Denied because object protected by object lock.")
}

func (q *request) getObjectLockConfiguration(b *Bucket) (*response, error) {
	b.mu.RLock()
	locked := b.objectLock
	b.mu.RUnlock()
	if err := q.allow(b, "s3:GetBucketObjectLockConfiguration", "", nil); err != nil {
		return nil, err
	}
	if !locked {
		return nil, refuse(http.StatusNotFound, "ObjectLockConfigurationNotFoundError",
			"Object Lock configuration does not exist for this bucket").with("BucketName", b.name)
	}
	x := newXML()
	x.openNS("ObjectLockConfiguration", s3Namespace)
	x.element("ObjectLockEnabled", "Enabled")
	x.close("ObjectLockConfiguration")
	return answerXML(x), nil
}
