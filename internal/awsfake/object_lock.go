package awsfake

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const objectLockPrefix = "X-Amz-Object-Lock-"

// readLock is the lock that the headers of a PutObject, CopyObject or CreateMultipartUpload ask for.
func readLock(q *s3Request, b *Bucket) (Lock, error) {
	h := q.http.Header
	mode, until, hold := h.Get(objectLockPrefix+"Mode"), h.Get(objectLockPrefix+"Retain-Until-Date"), h.Get(objectLockPrefix+"Legal-Hold")
	l := Lock{Mode: mode, LegalHold: hold == "ON"}
	if err := readEventHold(&l, h); err != nil {
		return l, err
	}
	if mode == "" && until == "" && hold == "" && !l.EventHold {
		return l, nil
	}
	switch {
	case !b.settings().objectLock:
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

// readEventHold reads the headers of an event hold ("CopyObject", Amazon S3 API Reference).
func readEventHold(l *Lock, h http.Header) (err error) {
	switch hold := h.Get(objectLockPrefix + "Event-Hold"); hold {
	case "", "OFF":
		return nil
	case "ON":
		l.EventHold = true
	default:
		return errInvalidArgument("Event Hold must be either of 'ON' or 'OFF'")
	}
	for unit, number := range map[string]*int{"Days": &l.HoldDays, "Years": &l.HoldYears} {
		if text := h.Get(objectLockPrefix + "Event-Hold-Duration-" + unit); text != "" {
			if *number, err = strconv.Atoi(text); err != nil || *number < 1 {
				return errInvalidArgument("The event hold duration must be a positive number")
			}
		}
	}
	if l.HoldDays > 0 && l.HoldYears > 0 {
		return errInvalidArgument("The event hold duration must be in days or in years")
	}
	return nil
}

// needsChecksum refuses to lock bytes that nobody vouched for ("PutObject", Amazon S3 API Reference).
func needsChecksum(l Lock, h http.Header) error {
	if algorithm, _ := sentChecksum(h); l == (Lock{}) || algorithm != "" || h.Get("Content-Md5") != "" {
		return nil
	}
	return errInvalidRequest("Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters")
}

// allowLock asks for what the lock's headers need beyond s3:PutObject.
func allowLock(q *s3Request, b *Bucket, facts map[string][]string) error {
	h := q.http.Header
	if h.Get(objectLockPrefix+"Mode") != "" || h.Get(objectLockPrefix+"Event-Hold") != "" {
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
func showLock(q *s3Request, h http.Header, b *Bucket, o *object) {
	retains := o.lock.Mode != "" || o.lock.EventHold
	if retains && q.allow(b, "s3:GetObjectRetention", o.key, nil) == nil {
		showRetention(o.lock, h)
	}
	if o.lock.LegalHold && q.allow(b, "s3:GetObjectLegalHold", o.key, nil) == nil {
		h.Set(objectLockPrefix+"Legal-Hold", "ON")
	}
}

// showRetention sets the headers that only those see who may read retention.
func showRetention(l Lock, h http.Header) {
	if l.Mode != "" {
		h.Set(objectLockPrefix+"Mode", l.Mode)
		h.Set(objectLockPrefix+"Retain-Until-Date", l.Until.UTC().Format(time.RFC3339))
	}
	if !l.EventHold {
		return
	}
	h.Set(objectLockPrefix+"Event-Hold", "ON")
	for unit, number := range map[string]int{"Days": l.HoldDays, "Years": l.HoldYears} {
		if number > 0 {
			h.Set(objectLockPrefix+"Event-Hold-Duration-"+unit, strconv.Itoa(number))
		}
	}
}

// bypass reports whether the request passes over retention in governance mode, and may.
func bypass(q *s3Request, b *Bucket, key string) (bool, error) {
	if !strings.EqualFold(q.http.Header.Get("X-Amz-Bypass-Governance-Retention"), "true") {
		return false, nil
	}
	return true, q.allow(b, "s3:BypassGovernanceRetention", key, nil)
}

func getObjectRetention(q *s3Request, b *Bucket) (*response, error) {
	o, err := q.open(q.target(b, "s3:GetObjectRetention"))
	if err != nil {
		return nil, err
	}
	if o.lock.Mode == "" {
		return nil, errNoLock(o)
	}
	x := newXML()
	x.openNS("Retention", s3Namespace)
	x.element("Mode", o.lock.Mode)
	x.time("RetainUntilDate", o.lock.Until)
	x.close("Retention")
	return answerXML(x), nil
}

func getObjectLegalHold(q *s3Request, b *Bucket) (*response, error) {
	o, err := q.open(q.target(b, "s3:GetObjectLegalHold"))
	if err != nil {
		return nil, err
	}
	if !o.lock.LegalHold {
		return nil, errNoLock(o)
	}
	x := newXML()
	x.openNS("LegalHold", s3Namespace)
	x.element("Status", "ON")
	x.close("LegalHold")
	return answerXML(x), nil
}

func errNoLock(o *object) *apiError {
	return refuse(http.StatusNotFound, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration").with("Key", o.key)
}
