package checkpoint

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	filestore "syncd/internal/checkpoint/store/file"
	"syncd/internal/transfer"
)

// slowStore calls its function before each time, just before it creates a progress record.
type slowStore struct {
	store.Store
	before func()
}

func (s *slowStore) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	if strings.Contains(name, record.ProgressPrefix) {
		s.before()
	}
	return s.Store.Create(ctx, name, write)
}

// TestManyUploadsShareASave begins 64 uploads at once, and delays the first save until all of them
// have begun. It checks that a second save records all uploads that the first save did not.
func TestManyUploadsShareASave(t *testing.T) {
	t.Parallel()
	const callers = 64
	file, err := filestore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var pass *Pass
	saves := 0
	store := &slowStore{Store: file, before: func() {
		saves++
		for range 10_000_000 { // limited, in case an upload never begins
			pass.mu.Lock()
			begun := len(pass.uploads.begun)
			pass.mu.Unlock()
			if begun == callers {
				return
			}
			runtime.Gosched()
		}
	}}
	ledger, err := Open(t.Context(), store, Options{Mapping: "m"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ledger.Close() }()
	if pass, err = ledger.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	walk := pass.Walk("")
	var slots []*Slot
	for i := range callers {
		slot, err := walk.Reserve(t.Context(), fmt.Sprintf("%02d", i), record.Rows{})
		if err != nil {
			t.Fatal(err)
		}
		slots = append(slots, slot)
	}
	var group sync.WaitGroup
	for _, slot := range slots {
		group.Go(func() {
			u := record.Upload{Key: slot.key.Name, ID: "id-" + slot.key.Name, Source: transfer.Version{Size: 1 << 30}}
			if err := slot.UploadBegan(t.Context(), u); err != nil {
				t.Errorf("upload began: %v", err)
				return
			}
			progress, _, err := record.Unfinished(t.Context(), file, "m")
			if err != nil || len(progress.Uploads) == 0 {
				t.Errorf("unfinished: got %d uploads, %v, want this one among them", len(progress.Uploads), err)
			}
		})
	}
	group.Wait()
	if saves > 2 {
		t.Errorf("saved %d times for %d callers, want 1 or 2", saves, callers)
	}
	progress, _, err := record.Unfinished(t.Context(), file, "m")
	if err != nil || len(progress.Uploads) != callers {
		t.Errorf("unfinished: got %d uploads, %v, want %d", len(progress.Uploads), err, callers)
	}
}
