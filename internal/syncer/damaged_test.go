package syncer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/syncer"
)

// TestDamagedRowsFallBack flips a byte in a row group of the last generation, which opening the
// ledger does not find. It checks that a pass of a new process, and a pass of the process that
// verified the generation before, fall back to the generation before and end well.
func TestDamagedRowsFallBack(t *testing.T) {
	for process, isNew := range map[string]bool{"new process": true, "same process": false} {
		t.Run(process, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.fill(50)
				w.both()
				o := w.options
				o.Source, o.Copier, o.Ledger.Logger = w.live, copier.New(w.copies), o.Logger
				s := syncer.New(o)
				mustRun(t, s)
				w.source.Put(name(0), awsfake.BytesBody([]byte("changed")), awsfake.PutOptions{})
				mustRun(t, s)
				if isNew {
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
					s = syncer.New(o)
				}
				flipRow(t, w)
				got := mustRun(t, s)
				if got.Generation != 3 || got.Unchanged+got.Copied+got.Adopted != 50 || got.Unchanged < 49 {
					t.Errorf("got %+v, want generation 3 with the objects of generation 1 unchanged", got)
				}
				for _, want := range []string{"trying the pass again", "generation was damaged", "fell back to an earlier generation"} {
					if text := w.log.String(); strings.Count(text, want) != 1 {
						t.Errorf("got a log with %d of %q, want 1:\n%s", strings.Count(text, want), want, text)
					}
				}
				if again := mustRun(t, s); again.Unchanged != 50 {
					t.Errorf("got %+v from the next pass, want all unchanged", again)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// flipRow flips a bit in the first row group of the first chunk that the last generation added.
func flipRow(t *testing.T, w *world) {
	t.Helper()
	m, err := record.Latest(t.Context(), w.options.Store, "m")
	if err != nil {
		t.Fatal(err)
	}
	newest := m.Runs[len(m.Runs)-1].Chunks[0]
	path := filepath.Join(w.dir, filepath.FromSlash(newest.Name))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[(newest.Bytes-newest.Footer)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
