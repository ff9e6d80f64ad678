package status

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/plan"
	"syncd/internal/printable"
	"syncd/internal/terminal"
)

// AsideObject is an object in quarantine. Its JSON form is a contract: see docs/cli.md.
type AsideObject struct {
	Mapping string `json:"mapping"`
	// Key is the key at the source, with U+FFFD in place of invalid UTF-8. KeyBytes, in base64, is
	// set only for keys that are not valid UTF-8.
	Key      string `json:"key"`
	KeyBytes []byte `json:"key_bytes,omitempty"`
	ETag     string `json:"etag"`
	Bytes    int64  `json:"bytes"`
	Reason   string `json:"reason"`
	// Detail is the text of the error.
	Detail   string    `json:"detail"`
	Attempts int64     `json:"attempts"`
	FirstAt  time.Time `json:"first_at"`
	LastAt   time.Time `json:"last_at"`
	// RetryAt is the earliest time at which a pass tries the object again.
	RetryAt time.Time `json:"retry_at"`
}

// ListQuarantine prints every object of a mapping in quarantine.
func ListQuarantine(ctx context.Context, w io.Writer, store store.Store, mapping string, asJSON bool) error {
	for q, err := range checkpoint.Quarantine(ctx, store, mapping) {
		switch {
		case errors.Is(err, record.ErrNoCheckpoint):
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if err := printAside(w, asideOf(mapping, q), asJSON); err != nil {
			return err
		}
	}
	return nil
}

func asideOf(mapping string, q record.Quarantined) AsideObject {
	o := AsideObject{
		Mapping: mapping, Key: q.Key, ETag: q.Source.ETag, Bytes: q.Source.Size, Reason: q.Reason, Detail: q.Detail,
		Attempts: q.Attempts, FirstAt: q.FirstAt, LastAt: q.LastAt, RetryAt: plan.RetryAt(q),
	}
	if !utf8.ValidString(q.Key) {
		o.KeyBytes = []byte(q.Key)
	}
	return o
}

func printAside(w io.Writer, o AsideObject, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(printable.JSON(w)).Encode(o)
	}
	_, err := printable.Fprintf(w, "%s  %s  %s  tried %s, last %s, again from %s\n  %s\n", o.Mapping, o.Reason, strconv.Quote(o.Key),
		terminal.Times(o.Attempts), o.LastAt.Format(time.RFC3339), o.RetryAt.Format(time.RFC3339), o.Detail)
	return err
}
