package value

import (
	"encoding/json"
	"strconv"
	"time"

	"syncd/internal/hint"
)

// Time is a point in time: RFC 3339, or only a date, which means midnight UTC. The zero Time is
// written as an empty string and means no bound.
type Time struct{ time.Time }

// String returns RFC 3339, or "" for the zero Time.
func (t Time) String() string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// MarshalText writes what String writes.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalJSON writes what String writes, unlike the method of the embedded time.Time.
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// UnmarshalText reads RFC 3339, a date, or empty text for the zero Time.
func (t *Time) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*t = Time{}
		return nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if v, err := time.Parse(layout, string(text)); err == nil {
			*t = Time{v}
			return nil
		}
	}
	return hint.New(strconv.Quote(string(text))+" is not a time", "use 2006-01-02T15:04:05Z or 2006-01-02")
}
