package object

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/content"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

const objectLockPrefix = "X-Amz-Object-Lock-"

// readLock returns the lock that the headers of a PutObject, CopyObject or CreateMultipartUpload
// ask for.
func readLock(q *call.Request, b *store.Bucket) (store.Lock, error) {
	h := q.HTTP.Header
	mode, until, hold := h.Get(objectLockPrefix+"Mode"), h.Get(objectLockPrefix+"Retain-Until-Date"), h.Get(objectLockPrefix+"Legal-Hold")
	l := store.Lock{Mode: mode, LegalHold: hold == "ON"}
	if err := readEventHold(&l, h); err != nil {
		return l, err
	}
	if mode == "" && until == "" && hold == "" && !l.EventHold {
		return l, nil
	}
	switch {
	case !b.Settings().ObjectLock:
		return l, wire.ErrInvalidRequest("Bucket is missing Object Lock Configuration")
	case hold != "" && hold != "ON" && hold != "OFF":
		return l, wire.ErrInvalidArgument("Legal Hold must be either of 'ON' or 'OFF'")
	case (mode == "") != (until == ""):
		return l, wire.ErrInvalidArgument("x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
	case mode == "":
		return l, nil
	case mode != store.Governance && mode != store.Compliance:
		return l, wire.ErrInvalidArgument("Unknown wormMode directive.")
	}
	var err error
	if l.Until, err = time.Parse(time.RFC3339, until); err != nil {
		return l, wire.ErrInvalidArgument("The retain until date must be provided in ISO 8601 format")
	}
	if !l.Until.After(q.Cloud.Now()) {
		return l, wire.ErrInvalidArgument("The retain until date must be in the future!")
	}
	return l, nil
}

// readEventHold reads the event hold headers ("CopyObject", Amazon S3 API Reference).
func readEventHold(l *store.Lock, h http.Header) (err error) {
	switch hold := h.Get(objectLockPrefix + "Event-Hold"); hold {
	case "", "OFF":
		return nil
	case "ON":
		l.EventHold = true
	default:
		return wire.ErrInvalidArgument("Event Hold must be either of 'ON' or 'OFF'")
	}
	for unit, number := range map[string]*int{"Days": &l.HoldDays, "Years": &l.HoldYears} {
		if text := h.Get(objectLockPrefix + "Event-Hold-Duration-" + unit); text != "" {
			if *number, err = strconv.Atoi(text); err != nil || *number < 1 {
				return wire.ErrInvalidArgument("The event hold duration must be a positive number")
			}
		}
	}
	if l.HoldDays > 0 && l.HoldYears > 0 {
		return wire.ErrInvalidArgument("The event hold duration must be in days or in years")
	}
	return nil
}

// needsChecksum rejects a locked write without a checksum ("PutObject", Amazon S3 API Reference).
func needsChecksum(l store.Lock, h http.Header) error {
	if algorithm, _ := content.SentChecksum(h); l == (store.Lock{}) || algorithm != "" || h.Get("Content-Md5") != "" {
		return nil
	}
	return wire.ErrInvalidRequest("Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters")
}

// allowLock authorises the actions that the lock headers require in addition to s3:PutObject.
func allowLock(q *call.Request, b *store.Bucket, facts map[string][]string) error {
	h := q.HTTP.Header
	if h.Get(objectLockPrefix+"Mode") != "" || h.Get(objectLockPrefix+"Event-Hold") != "" {
		if err := q.Allow(b, "s3:PutObjectRetention", q.Key, facts); err != nil {
			return err
		}
	}
	if h.Get(objectLockPrefix+"Legal-Hold") != "" {
		return q.Allow(b, "s3:PutObjectLegalHold", q.Key, facts)
	}
	return nil
}

// showLock sets the lock headers that the caller has permission to read.
func showLock(q *call.Request, h http.Header, b *store.Bucket, o *store.Object) {
	retains := o.Lock.Mode != "" || o.Lock.EventHold
	if retains && q.Allow(b, "s3:GetObjectRetention", o.Key, nil) == nil {
		showRetention(o.Lock, h)
	}
	if o.Lock.LegalHold && q.Allow(b, "s3:GetObjectLegalHold", o.Key, nil) == nil {
		h.Set(objectLockPrefix+"Legal-Hold", "ON")
	}
}

// showRetention sets the headers that require permission to read the retention.
func showRetention(l store.Lock, h http.Header) {
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

// bypass reports whether the request bypasses governance mode. It returns an error if the caller is
// not allowed to bypass it.
func bypass(q *call.Request, b *store.Bucket, key string) (bool, error) {
	if !strings.EqualFold(q.HTTP.Header.Get("X-Amz-Bypass-Governance-Retention"), "true") {
		return false, nil
	}
	return true, q.Allow(b, "s3:BypassGovernanceRetention", key, nil)
}

func getObjectRetention(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	o, err := q.Open(q.Target(b, "s3:GetObjectRetention"))
	if err != nil {
		return nil, err
	}
	if o.Lock.Mode == "" {
		return nil, errNoLock(o)
	}
	x := wire.NewXML()
	x.OpenNS("Retention", call.Namespace)
	x.Element("Mode", o.Lock.Mode)
	x.Time("RetainUntilDate", o.Lock.Until)
	x.Close("Retention")
	return wire.AnswerXML(x), nil
}

func getObjectLegalHold(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	o, err := q.Open(q.Target(b, "s3:GetObjectLegalHold"))
	if err != nil {
		return nil, err
	}
	if !o.Lock.LegalHold {
		return nil, errNoLock(o)
	}
	x := wire.NewXML()
	x.OpenNS("LegalHold", call.Namespace)
	x.Element("Status", "ON")
	x.Close("LegalHold")
	return wire.AnswerXML(x), nil
}

func errNoLock(o *store.Object) *wire.Error {
	return wire.Refuse(http.StatusNotFound, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration").With("Key", o.Key)
}
