// Package checkpointtest has helpers for tests of checkpoint stores and their users. Run is the
// conformance suite that every store.Store passes. Memory is a store in memory. Faulty wraps a
// store and lets a test make any write fail, before or after the write takes effect.
//
// A store that passes Run can be used for a ledger: records are atomic, a name is used only once,
// and only one holder at a time has the right to write.
//
//nolint:thelper // Run runs these as tests: a failure must show their line
package checkpointtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint/store"
)

// Run checks that a store complies with the contract of store.Store. Each call of open must return
// a new, empty store.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*testing.T, store.Store)
	}{
		{"a created record is read back", createAndRead},
		{"a record may be empty", emptyRecord},
		{"a taken name is refused and its record unchanged", takenName},
		{"a failed write leaves nothing", failedWrite},
		{"an absent name is not found", absentName},
		{"an invalid name is refused", invalidName},
		{"names are listed in byte order", listOrder},
		{"readers never see part of a record", concurrentReaders},
		{"one of many creators wins", concurrentCreators},
		{"a deleted name is free again", deleteAndCreate},
		{"an open chunk never returns the bytes of a later record of the same name", openAfterDelete},
		{"a chunk is read at any offset", readAt},
		{"a lease keeps others out", leaseExcludes},
		{"leases of two names are independent", leasesApart},
		{"a released lease is lost", leaseReleased},
		{"a bound context ends with the lease", leaseBounds},
		{"a holder is known without the lease", leaseOf},
		{"a lease that was released is acquired without a takeover", leaseClean},
		{"an ended context ends every call", endedContext},
		{"a store has a name", hasName},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// put returns a write function for Store.Create.
func put(content string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, content)
		return err
	}
}

func mustCreate(t *testing.T, s store.Store, name, content string) {
	t.Helper()
	if err := s.Create(t.Context(), name, put(content)); err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
}

func wantContent(t *testing.T, s store.Store, name, want string) {
	t.Helper()
	got, err := s.Read(t.Context(), name)
	if err != nil || string(got) != want {
		t.Fatalf("read %s: got %q, %v, want %q", name, got, err, want)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

func wantNames(t *testing.T, s store.Store, prefix string, want ...string) {
	t.Helper()
	got, err := s.List(t.Context(), prefix)
	if err != nil {
		t.Fatalf("list %q: %v", prefix, err)
	}
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list %q (-want +got):\n%s", prefix, diff)
	}
}

func createAndRead(t *testing.T, s store.Store) {
	mustCreate(t, s, "alpha/manifest-0000000001.json", "one\x00\xff")
	wantContent(t, s, "alpha/manifest-0000000001.json", "one\x00\xff")
}

func emptyRecord(t *testing.T, s store.Store) {
	mustCreate(t, s, "alpha/empty", "")
	wantContent(t, s, "alpha/empty", "")
	wantNames(t, s, "alpha/", "alpha/empty")
}

func takenName(t *testing.T, s store.Store) {
	mustCreate(t, s, "alpha/record", "first")
	wantError(t, "create again", s.Create(t.Context(), "alpha/record", put("second")), fs.ErrExist)
	wantContent(t, s, "alpha/record", "first")
}

func failedWrite(t *testing.T, s store.Store) {
	broken := errors.New("broken")
	err := s.Create(t.Context(), "alpha/record", func(w io.Writer) error {
		return errors.Join(put("half")(w), broken)
	})
	wantError(t, "create", err, broken)
	_, err = s.Read(t.Context(), "alpha/record")
	wantError(t, "read", err, fs.ErrNotExist)
	wantNames(t, s, "alpha/")
	mustCreate(t, s, "alpha/record", "whole")
	wantContent(t, s, "alpha/record", "whole")
}

func absentName(t *testing.T, s store.Store) {
	_, err := s.Read(t.Context(), "alpha/absent")
	wantError(t, "read", err, fs.ErrNotExist)
	_, err = s.Open(t.Context(), "alpha/absent", 0)
	wantError(t, "open", err, fs.ErrNotExist)
	if err := s.Delete(t.Context(), "alpha/absent"); err != nil {
		t.Errorf("delete absent record: got %v, want nil", err)
	}
	wantNames(t, s, "alpha/")
	wantNames(t, s, "")
}

func invalidName(t *testing.T, s store.Store) {
	for _, name := range []string{"", "alpha", "alpha/", "/alpha/x", "alpha//x", "alpha/../x", "alpha/.x", "alpha/X", "alpha/x y", "alpha/lock"} {
		wantError(t, fmt.Sprintf("create %q", name), s.Create(t.Context(), name, put("x")), fs.ErrInvalid)
		_, err := s.Read(t.Context(), name)
		wantError(t, fmt.Sprintf("read %q", name), err, fs.ErrInvalid)
		_, err = s.Open(t.Context(), name, 0)
		wantError(t, fmt.Sprintf("open %q", name), err, fs.ErrInvalid)
		wantError(t, fmt.Sprintf("delete %q", name), s.Delete(t.Context(), name), fs.ErrInvalid)
	}
	_, err := s.Acquire(t.Context(), "../alpha", "me")
	wantError(t, "acquire", err, fs.ErrInvalid)
}

func listOrder(t *testing.T, s store.Store) {
	for _, name := range []string{"b/x", "a/x/y", "a/x-1", "a/x.2", "a-b/x", "a/x10", "a/x9"} {
		mustCreate(t, s, name, name)
	}
	wantNames(t, s, "", "a-b/x", "a/x-1", "a/x.2", "a/x/y", "a/x10", "a/x9", "b/x")
	wantNames(t, s, "a/", "a/x-1", "a/x.2", "a/x/y", "a/x10", "a/x9")
	wantNames(t, s, "a/x1", "a/x10")
	wantNames(t, s, "c")
}

// concurrentReaders reads and lists while a record is being written.
func concurrentReaders(t *testing.T, s store.Store) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	err := s.Create(t.Context(), "alpha/record", func(w io.Writer) error {
		for part := range bytes.Lines(bytes.ReplaceAll(content, []byte("f"), []byte("\n"))) {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		_, err := s.Read(t.Context(), "alpha/record")
		wantError(t, "read while written", err, fs.ErrNotExist)
		wantNames(t, s, "alpha/")
		return nil
	})
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	got, err := s.Read(t.Context(), "alpha/record")
	if err != nil || len(got) != len(content) {
		t.Errorf("read after: got %d bytes, %v, want %d", len(got), err, len(content))
	}
}

func concurrentCreators(t *testing.T, s store.Store) {
	var wins atomic.Int64
	var winner atomic.Value
	var group sync.WaitGroup
	for i := range 16 {
		content := fmt.Sprintf("creator %d", i)
		group.Go(func() {
			err := s.Create(t.Context(), "alpha/record", put(content))
			if err == nil {
				wins.Add(1)
				winner.Store(content)
			} else if !errors.Is(err, fs.ErrExist) {
				t.Errorf("create: got %v, want nil or %v", err, fs.ErrExist)
			}
		})
	}
	group.Wait()
	if got := wins.Load(); got != 1 {
		t.Fatalf("got %d winners, want 1", got)
	}
	wantContent(t, s, "alpha/record", winner.Load().(string))
}

func deleteAndCreate(t *testing.T, s store.Store) {
	mustCreate(t, s, "alpha/record", "first")
	if err := s.Delete(t.Context(), "alpha/record"); err != nil {
		t.Fatalf("delete: %v", err)
	}
	wantNames(t, s, "alpha/")
	mustCreate(t, s, "alpha/record", "second")
	wantContent(t, s, "alpha/record", "second")
}

// openAfterDelete checks a chunk that is open while its record is deleted. A read may return the
// chunk's bytes or an error, but never other bytes.
func openAfterDelete(t *testing.T, s store.Store) {
	mustCreate(t, s, "alpha/record", "content")
	chunk, err := s.Open(t.Context(), "alpha/record", 0)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	if err := s.Delete(t.Context(), "alpha/record"); err != nil {
		t.Fatalf("delete: %v", err)
	}
	mustCreate(t, s, "alpha/record", "another")
	got := make([]byte, 7)
	_, err = chunk.ReadAt(got, 0)
	if err == nil && string(got) != "content" {
		t.Errorf("read deleted chunk: got %q, want the content it was opened with or an error", got)
	}
	if err := chunk.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func readAt(t *testing.T, s store.Store) {
	mustCreate(t, s, "alpha/record", "0123456789")
	chunk, err := s.Open(t.Context(), "alpha/record", 0)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	defer func() { wantError(t, "close", chunk.Close(), nil) }()
	if got := chunk.Size(); got != 10 {
		t.Errorf("size: got %d, want 10", got)
	}
	middle := make([]byte, 4)
	if n, err := chunk.ReadAt(middle, 3); err != nil || string(middle[:n]) != "3456" {
		t.Errorf("read at 3: got %q, %v, want %q", middle[:n], err, "3456")
	}
	if n, err := chunk.ReadAt(middle, 8); !errors.Is(err, io.EOF) || string(middle[:n]) != "89" {
		t.Errorf("read at 8: got %q, %v, want %q, %v", middle[:n], err, "89", io.EOF)
	}
}

func endedContext(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Read(ctx, "alpha/record")
	wantError(t, "read", err, context.Canceled)
	_, err = s.Open(ctx, "alpha/record", 0)
	wantError(t, "open", err, context.Canceled)
	wantError(t, "create", s.Create(ctx, "alpha/record", put("x")), context.Canceled)
	wantError(t, "delete", s.Delete(ctx, "alpha/record"), context.Canceled)
	_, err = s.Acquire(ctx, "alpha", "me")
	wantError(t, "acquire", err, context.Canceled)
	wantNames(t, s, "alpha/")
}

func hasName(t *testing.T, s store.Store) {
	if s.String() == "" {
		t.Error("got no name, want one")
	}
}
