package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/plan"
	"syncd/internal/printable"
)

// asideObject is an object in quarantine. Its JSON form is a contract: docs/cli.md describes it.
type asideObject struct {
	Mapping string `json:"mapping"`
	// Key is the key at the source as a string, with U+FFFD for what is not UTF-8; KeyBytes, in base64, is there for such keys alone.
	Key      string `json:"key"`
	KeyBytes []byte `json:"key_bytes,omitempty"`
	ETag     string `json:"etag"`
	Bytes    int64  `json:"bytes"`
	Reason   string `json:"reason"`
	// Detail is what went wrong, for people.
	Detail   string    `json:"detail"`
	Attempts int64     `json:"attempts"`
	FirstAt  time.Time `json:"first_at"`
	LastAt   time.Time `json:"last_at"`
	// RetryAt is when a pass tries it again.
	RetryAt time.Time `json:"retry_at"`
}

// listQuarantine prints every object that the mappings have set aside.
func listQuarantine(ctx context.Context, p process, f flags) error {
	state, err := openState(ctx, p, f, nil)
	if err != nil {
		return err
	}
	var failures []error
	for _, m := range state.mappings {
		err := listOne(ctx, p.stdout, state.store, m.Name, f.json)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil { // of one mapping: those of the others are listed
			failures = append(failures, fmt.Errorf("mapping %s: %w", m.Name, err))
		}
	}
	return errors.Join(failures...)
}

func listOne(ctx context.Context, w io.Writer, store store.Store, mapping string, asJSON bool) error {
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

func asideOf(mapping string, q record.Quarantined) asideObject {
	o := asideObject{
		Mapping: mapping, Key: q.Key, ETag: q.Source.ETag, Bytes: q.Source.Size, Reason: q.Reason, Detail: q.Detail,
		Attempts: q.Attempts, FirstAt: q.FirstAt, LastAt: q.LastAt, RetryAt: plan.RetryAt(q),
	}
	if !utf8.ValidString(q.Key) {
		o.KeyBytes = []byte(q.Key)
	}
	return o
}

func printAside(w io.Writer, o asideObject, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(printable.JSON(w)).Encode(o)
	}
	_, err := printable.Fprintf(w, "%s  %s  %s  tried %s, last %s, again from %s\n  %s\n", o.Mapping, o.Reason, strconv.Quote(o.Key),
		times(o.Attempts), o.LastAt.Format(time.RFC3339), o.RetryAt.Format(time.RFC3339), o.Detail)
	return err
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return strconv.FormatInt(n, 10) + " times"
}
