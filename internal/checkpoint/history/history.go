// Package history records the last passes of a mapping: when each began and ended, why it began,
// its result and its counts.
//
// The package guarantees that the history is bounded, and that a writer without the lease cannot
// replace it. Repeated failures share one entry with a count. Readers of a damaged history get an
// error; the next pass starts a new history.
//
// The caller determines the result of a pass. Package generation stores what the pass committed.
//
// Terms: a Pass is one entry of the history. A Journal adds entries under the lease.
package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

const (
	historyPrefix = "history-"
	// keptPasses is the maximum number of passes in the history of a mapping.
	keptPasses = 50
	// maxPassError is the maximum length of an error in the history, in bytes.
	maxPassError = 500
	// historyTries limits how many record numbers Enter tries if the next number is taken.
	historyTries = 3
)

// The results of a pass, as used in metrics, logs and the history.
const (
	ResultComplete    = "complete"
	ResultQuarantined = "quarantined"
	ResultUndeleted   = "undeleted" // no objects were quarantined, but copies that are due were not deleted
	ResultDrained     = "drained"
	ResultDenied      = "denied" // everything that the pass tried was refused
	ResultFailed      = "failed"
)

// TriggerReplay is the trigger of a pass that only tries the objects in quarantine.
const TriggerReplay = "replay"

// Pass is one pass in the history of a mapping. Its JSON form is a contract that docs/cli.md
// describes.
type Pass struct {
	Pass    int64     `json:"pass"` // number of the pass, 0 if it failed before it had a number
	BeganAt time.Time `json:"began_at"`
	EndedAt time.Time `json:"ended_at"`
	// Result is complete, quarantined, drained, denied or failed.
	Result string `json:"result"`
	// Trigger is why the pass began: schedule, start, request, backfill or replay.
	Trigger string `json:"trigger"`
	// Request is the ID of the request that started the pass, and By is the user who sent it. Both
	// are empty if no request started the pass.
	Request     string `json:"request,omitempty"`
	By          string `json:"by,omitempty"`
	Holder      string `json:"holder"` // holder of the lease
	Listed      int64  `json:"listed"`
	Copied      int64  `json:"copied"`
	CopiedBytes int64  `json:"copied_bytes"`
	Quarantined int64  `json:"quarantined"`
	// Class is the class of the error that ended the pass, and Error is its text. Both are empty if
	// the pass completed.
	Class string `json:"class,omitempty"`
	Error string `json:"error,omitempty"`
	// Times is the number of consecutive passes that failed with the same error and copied nothing,
	// if this entry covers more than one pass; otherwise 0. BeganAt is then from the first of these
	// passes, and all other fields are from the last of them.
	Times int64 `json:"times,omitempty"`
	// FailingSince is the time of the first of the consecutive failures up to this pass, and
	// FailedInRow is the number of these failures. The history may no longer contain the earlier
	// failures. Both fields are zero if the pass did not fail.
	FailingSince time.Time `json:"failing_since,omitzero"`
	FailedInRow  int64     `json:"failed_in_row,omitempty"`
}

// repeats reports whether a pass failed in the same way as the previous pass, so that one entry of
// the history can cover both passes.
func (r Pass) repeats(before Pass) bool {
	return r.FailsLike(before) && r.Copied+before.Copied == 0 && r.Request == "" && before.Request == "" && r.Trigger == before.Trigger &&
		r.Holder == before.Holder
}

// FailsLike reports whether two passes failed with the same error.
func (r Pass) FailsLike(other Pass) bool {
	return r.Error != "" && r.Result == other.Result && r.Class == other.Class && withoutIDs(shortened(r.Error)) == withoutIDs(other.Error)
}

// requestIDs matches the request IDs in errors of AWS services. Each request has its own ID, so IDs
// are ignored when errors are compared.
var requestIDs = regexp.MustCompile(`\(request [^()]*\)`)

func withoutIDs(text string) string { return requestIDs.ReplaceAllString(text, "") }

// historyRecord is the single record with a mapping's history. Each write replaces it.
type historyRecord struct {
	Version int    `json:"version"`
	Mapping string `json:"mapping"`
	Passes  []Pass `json:"passes"` // oldest first
}

// past is the history read so far.
type past struct {
	isKnown bool
	seq     int64    // sequence number of the newest record, 0 for none
	names   []string // names of all history records of the mapping
	passes  []Pass
}

func historyName(mapping string, seq int64) string {
	return fmt.Sprintf("%s/%s%010d%s", mapping, historyPrefix, seq, record.Suffix)
}

// Read returns the last passes of a mapping that have ended, oldest first. It does not need the
// lease. If the history record is damaged, the error is a *store.CorruptError.
func Read(ctx context.Context, store store.Store, mapping string) ([]Pass, error) {
	h, err := readHistory(ctx, store, mapping)
	return h.passes, err
}

func readHistory(ctx context.Context, store store.Store, mapping string) (past, error) {
	for range record.VanishTries {
		h, err := readHistoryOnce(ctx, store, mapping)
		if !errors.Is(err, fs.ErrNotExist) {
			return h, err
		}
	}
	return past{}, nil // other processes replaced the record at every try
}

func readHistoryOnce(ctx context.Context, from store.Store, mapping string) (past, error) {
	h := past{isKnown: true}
	names, err := from.List(ctx, mapping+"/"+historyPrefix)
	if err != nil {
		return past{}, fmt.Errorf("list the history of %q: %w", mapping, err)
	}
	newest := ""
	for _, name := range names {
		if seq, _, ok := record.NumbersIn(name, historyPrefix, record.Suffix); ok {
			h.names = append(h.names, name)
			if seq > h.seq {
				h.seq, newest = seq, name
			}
		}
	}
	if newest == "" {
		return h, nil
	}
	var record historyRecord
	if err := store.ReadSealed(ctx, from, newest, &record); err != nil {
		return h, fmt.Errorf("read the history of %q: %w", mapping, err)
	}
	h.passes = record.Passes
	return h, nil
}
