// Package status shows what the state records about mappings: the last generation, the pass in
// progress, the quarantine, the lease and the history.
//
// It reads the state without a lease and sends no request to the source or the destination. If one
// ledger cannot be read, it still shows the other ledgers. Its JSON forms are a contract: see
// docs/cli.md.
//
// Package assembly opens the state. An Overview is a mapping with its Status. A state, such as OK
// or Stale, is a one-word summary of an Overview. Tables list the worst states first.
package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"

	"syncd/config"
	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/control"
	"syncd/internal/printable"
	"syncd/internal/terminal"
)

// Status is what the store records about a mapping. Its JSON form is a contract: see docs/cli.md.
type Status struct {
	Mapping string `json:"mapping"`
	// Generation is the number of the last committed generation, or 0 if there is none. The next
	// four fields describe that generation.
	Generation  int64            `json:"generation"`
	CommittedAt *time.Time       `json:"committed_at,omitempty"`
	AgeSeconds  float64          `json:"age_seconds,omitempty"`
	Entries     int64            `json:"entries"`
	Quarantined map[string]int64 `json:"quarantined"`
	// Pass is the unfinished pass that saved progress after the last generation.
	Pass *passStatus `json:"pass,omitempty"`
	// Lease describes the process that holds the lease. Only that process may write the ledger.
	// Absent when the lease is free.
	Lease *leaseStatus `json:"lease,omitempty"`
	// Paused is who paused the mapping and when; absent when the mapping is not paused. History
	// contains the most recent passes, newest first.
	Paused  *control.Paused `json:"paused,omitempty"`
	History []history.Pass  `json:"history,omitempty"`
	// Damage describes the part of the ledger that cannot be read.
	Damage string `json:"damage,omitempty"`
	// Error is why the ledger could not be read at all; the other fields are then meaningless.
	Error string `json:"error,omitempty"`

	listsPasses bool // print the history
	hidesPasses bool // the history cannot be read
}

// leaseStatus describes the holder of a lease. Until is when the lease ends unless it is renewed;
// absent if the lease does not expire.
type leaseStatus struct {
	Holder string     `json:"holder"`
	Since  time.Time  `json:"since"`
	Until  *time.Time `json:"until,omitempty"`
}

// ReadAll reads the status of each mapping. The result all contains every mapping that ReadAll read
// or tried to read. If the status of a mapping could not be read, its Error field in all is set,
// and failures contains the error. If none of the ledgers can be read, for example because of the
// credentials, ReadAll stops at the first mapping. err is set only if ctx ends. listsPasses makes
// Print show the history.
func ReadAll(ctx context.Context, from store.Store, mappings []config.Mapping, listsPasses bool, now func() time.Time) (all []Overview, failures []error, err error) {
	for _, m := range mappings {
		s, err := readStatus(ctx, from, m.Name, now())
		s.listsPasses = listsPasses
		if err == nil {
			err = s.addRecords(ctx, from, now)
		}
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil { // the other mappings are still shown
			s.Error = awserr.Brief(err)
			failures = append(failures, fmt.Errorf("mapping %s: %w", m.Name, err))
		}
		all = append(all, Overview{m, s})
		if concernsWholeState(err) {
			break
		}
	}
	return all, failures, nil
}

// concernsWholeState reports whether reading any other ledger of the state would fail with the same
// error.
func concernsWholeState(err error) bool {
	switch awserr.Classify(err) { //nolint:exhaustive // the others may be about one ledger
	case awserr.Credentials, awserr.Expired, awserr.NoBucket, awserr.WrongRegion, awserr.Transient:
		return true
	default:
		return false
	}
}

// Print prints a single mapping in full, and several mappings as a table. If asJSON is true it
// prints one object per mapping instead.
func Print(w io.Writer, all []Overview, asJSON bool, now func() time.Time) error {
	switch {
	case asJSON:
		for _, o := range all {
			if err := json.NewEncoder(printable.JSON(w)).Encode(o.Status); err != nil {
				return err
			}
		}
	case len(all) == 1 && all[0].Error == "":
		printStatus(w, all[0].Status)
	case len(all) > 1:
		printOverview(w, all, now(), terminal.PageWidth(w))
		printHistories(w, all)
	}
	return nil
}

// readStatus reads the ledger of a mapping. It reports damage in the status, not as an error.
func readStatus(ctx context.Context, from store.Store, mapping string, now time.Time) (Status, error) {
	s := Status{Mapping: mapping, Quarantined: map[string]int64{}}
	last, err := record.Latest(ctx, from, mapping)
	switch {
	case err == nil:
		s.Generation, s.Entries, s.CommittedAt = last.Generation, last.Entries, &last.CommittedAt
		s.AgeSeconds = now.Sub(last.CommittedAt).Seconds()
		s.Quarantined, _, err = checkpoint.CountQuarantine(checkpoint.Quarantine(ctx, from, mapping))
	case errors.Is(err, record.ErrNoCheckpoint):
		err = nil
	}
	if damage, ok := errors.AsType[*store.CorruptError](err); ok {
		s.Damage, err = damage.Error(), nil
	}
	if err != nil {
		return s, err
	}
	progress, unfinished, err := record.Unfinished(ctx, from, mapping)
	if err != nil {
		return s, err
	}
	if unfinished {
		s.Pass = passOf(progress)
	}
	lease, held, err := checkpoint.LeaseOf(ctx, from, mapping)
	if held {
		s.Lease = leaseOf(lease)
	}
	return s, err
}

func leaseOf(l store.LeaseInfo) *leaseStatus {
	s := &leaseStatus{Holder: l.Holder, Since: l.Since}
	if !l.Until.IsZero() {
		s.Until = &l.Until
	}
	return s
}

func printStatus(w io.Writer, s Status) {
	line := func(name, text string) { printable.Fprintf(w, "  %-12s %s\n", name, text) }
	printable.Fprintln(w, s.Mapping)
	if s.CommittedAt == nil {
		line("generation", "none yet")
	} else {
		age := time.Duration(s.AgeSeconds * float64(time.Second)).Round(time.Second)
		line("generation", fmt.Sprintf("%d, committed %s (%s ago)", s.Generation, s.CommittedAt.Format(time.RFC3339), age))
		line("ledger", humanize.Comma(s.Entries)+" entries")
	}
	if len(s.Quarantined) > 0 {
		line("quarantined", terminal.ByReason(s.Quarantined))
	}
	if s.Pass != nil {
		s.Pass.print(line)
	}
	if failure, since, inRow := s.failure(); inRow > 0 && (s.Pass == nil || s.Pass.Refused == nil) {
		line("failed", fmt.Sprintf("%s, since %s: %s: %s", terminal.Times(inRow), since.Format(time.RFC3339), failure.Class, printable.Line(failure.Error)))
	}
	if s.Lease != nil {
		held := "held by " + s.Lease.Holder + " since " + s.Lease.Since.Format(time.RFC3339)
		if s.Lease.Until != nil {
			held += ", until " + s.Lease.Until.Format(time.RFC3339) + " unless renewed"
		}
		line("lease", held)
	}
	printHistory(w, s)
	if s.Damage != "" {
		line("damage", s.Damage)
	}
}
