package checkpoint_test

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"syncd/internal/checkpoint"
)

// The child process is this test binary, started with this environment variable.
const childFolder = "CHECKPOINT_TEST_FOLDER"

const killRows = 400

// TestKillNine kills a process that writes a ledger at random moments, and checks after each kill
// that the ledger contains everything that the process reported as saved.
func TestKillNine(t *testing.T) {
	if dir := os.Getenv(childFolder); dir != "" {
		writeUntilKilled(t, dir)
		return
	}
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	dir := t.TempDir()
	uploads := map[string]bool{}
	for life := range 8 {
		saved := runAndKill(t, dir, rand.IntN(12), uploads)
		ledger := openLedger(t, openFile(t, dir), options()) // the dead process holds no lease
		pass := begin(t, ledger)
		got := fmt.Sprintf("%04d %s", ledger.Generation(), pass.Mark())
		if got < saved {
			t.Fatalf("life %d: found %q, want at least %q, which was saved", life, got, saved)
		}
		lost := maps.Clone(uploads)
		for _, u := range pass.LeftUploads() {
			delete(lost, u.ID)
		}
		if len(lost) > 0 {
			t.Fatalf("life %d: pass %d does not have the uploads %v, which were saved", life, pass.Number(), lost)
		}
		wantGeneration(t, ledger, dir)
		if err := ledger.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
}

// runAndKill runs a process, kills it when it has reported more than the given number of saves, and
// returns the last save that the process reported before it died. RunAndKill adds to uploads the
// uploads that the process reported as saved, and removes those that it reported as ended.
func runAndKill(t *testing.T, dir string, reports int, uploads map[string]bool) (saved string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKillNine$", "-test.v")
	child.Env = append(os.Environ(), childFolder+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if id, ok := strings.CutPrefix(lines.Text(), "began "); ok {
			uploads[id] = true
		} else if id, ok := strings.CutPrefix(lines.Text(), "ended "); ok {
			delete(uploads, id)
		}
		report, ok := strings.CutPrefix(lines.Text(), "saved ")
		if !ok {
			continue
		}
		saved = report
		if reports--; reports < 0 {
			cancel() // SIGKILL
		}
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the process ended by itself, want it killed")
	}
	return saved
}

// writeUntilKilled commits one generation after another. It reports every save in a form that sorts
// by progress.
func writeUntilKilled(t *testing.T, dir string) {
	t.Helper()
	o := options()
	o.ChunkEntries = 64
	ledger := openLedger(t, openFile(t, dir), o)
	for t.Context().Err() == nil {
		pass := begin(t, ledger)
		var uploading *checkpoint.Slot
		var id string
		for i := range killRows {
			if key(i) <= pass.Mark() {
				continue
			}
			slot := reserve(t, pass, key(i))
			switch {
			case i%10 == 5:
				uploading, id = slot, fmt.Sprintf("%s-%d", key(i), time.Now().UnixNano())
				uploadBegan(t, slot, upload(key(i), id))
				fmt.Fprintf(os.Stdout, "began %s\n", id)
				continue
			case i%10 == 9 && uploading != nil:
				// Report the end of the upload before the ledger records it.
				fmt.Fprintf(os.Stdout, "ended %s\n", id)
				uploading.Record(entry(key(i-4), fmt.Sprint(pass.Number())))
			}
			slot.Record(entry(key(i), fmt.Sprint(pass.Number())))
			if i%40 == 39 {
				flush(t, pass)
				fmt.Fprintf(os.Stdout, "saved %04d %s\n", ledger.Generation(), key(i))
			}
		}
		for _, u := range pass.LeftUploads() {
			fmt.Fprintf(os.Stdout, "ended %s\n", u.ID)
			pass.UploadAborted(u.ID)
		}
		fmt.Fprintf(os.Stdout, "saved %04d \n", commit(t, pass))
	}
}

// wantGeneration checks that a generation is complete and was written by a single pass.
func wantGeneration(t *testing.T, ledger *checkpoint.Ledger, dir string) {
	t.Helper()
	generation, count := ledger.Generation(), 0
	if generation == 0 {
		return
	}
	for k, etag := range etags(t, openFile(t, dir)) {
		if count++; etag != fmt.Sprint(generation) {
			t.Fatalf("generation %d: entry %q is of %q", generation, k, etag)
		}
	}
	if count != killRows {
		t.Fatalf("generation %d: got %d entries, want %d", generation, count, killRows)
	}
}
