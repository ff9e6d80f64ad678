// Package duckdb_test runs the queries of docs/checkpoint-format.md in DuckDB, on a ledger of
// several generations, and compares their rows with what syncd reads from that ledger.
//
// The queries are taken from the page, so that a query that does not work fails a test. TestQueries
// and TestInvalidKeys need Node.js and the packages that `npm ci` installs in this folder; `make
// duckdb` installs them.
package duckdb_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint/record"
)

var script = flag.String("duckdb", "", "path of duckdb.mjs; without it the tests that need DuckDB are skipped")

// row is a row of a result, by column. DuckDB writes numbers of 64 bits and times as text.
type row = map[string]any

// result is the result of one statement.
type result struct {
	Rows  []row
	Error string
}

// query runs statements in order and returns their results.
func query(t *testing.T, statements ...string) []result {
	t.Helper()
	in, err := json.Marshal(statements)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", *script)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run %s: %v (it needs Node.js 18 or later)", *script, err)
	}
	var results []result
	if err := json.Unmarshal(out, &results); err != nil || len(results) != len(statements) {
		t.Fatalf("got %d results of %d statements, %v: %.1000s", len(results), len(statements), err, out)
	}
	return results
}

// rowsOf returns the rows of a result that must not be an error.
func rowsOf(t *testing.T, r result) []row {
	t.Helper()
	if r.Error != "" {
		t.Fatalf("DuckDB: %s", r.Error)
	}
	return r.Rows
}

func needDuckDB(t *testing.T) {
	t.Helper()
	if *script == "" {
		t.Skip("needs DuckDB: make duckdb")
	}
}

// TestQueries compares the results of all queries of the page with what syncd reads: when each
// generation has its own run, while a pass has saved rows, and after runs were merged.
func TestQueries(t *testing.T) {
	needDuckDB(t)
	l := newLedger(t)
	page := readPage(t)
	for stage, extend := range stages() {
		extend(t, l)
		t.Run(fmt.Sprint("stage ", stage), func(t *testing.T) {
			t.Logf("generation %d has %d runs of entries and %d of quarantined objects", l.ledger.Generation(), len(l.ledger.Manifest().Runs), len(l.ledger.Manifest().QuarantineRuns))
			compare(t, l, page)
		})
	}
}

func compare(t *testing.T, l *ledger, page page) {
	t.Helper()
	setup := page.setup(path.Join(l.dir, mapping))
	results := query(t, setup, page.entries, page.quarantine, all(page.entries), all(page.quarantine), page.athenaTable(l), page.athenaQuery(l))
	rowsOf(t, results[0])
	entries, quarantined := l.entries(t), l.quarantined(t)
	last := lastCopied(entries)
	for i, want := range [][]row{1: last, 2: byReason(quarantined), 3: entryRows(entries), 4: quarantineRows(quarantined), 6: last} {
		if want == nil {
			continue
		}
		if diff := cmp.Diff(want, rowsOf(t, results[i])); diff != "" {
			t.Errorf("statement %d (-syncd +DuckDB):\n%.3000s", i, diff)
		}
	}
}

// TestInvalidKeys checks that the statements that find the chunks also work without quarantine, and
// that DuckDB rejects a chunk whose keys are not UTF-8, as the page says.
func TestInvalidKeys(t *testing.T) {
	needDuckDB(t)
	l, page := newLedger(t), readPage(t)
	l.commit(t, map[string]settling{"a": copied(1), "b\xff": copied(2)})
	results := query(t, page.setup(path.Join(l.dir, mapping)), "SELECT len(getvariable('chunks')) AS chunks, getvariable('quarantine') AS quarantine", page.entries, page.quarantine)
	rowsOf(t, results[0])
	if diff := cmp.Diff([]row{{"chunks": "1", "quarantine": nil}}, rowsOf(t, results[1])); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	if !strings.Contains(results[2].Error, "UTF8") {
		t.Errorf("got %.300v, want an error about UTF-8", results[2])
	}
	if !strings.Contains(results[3].Error, "NULL") {
		t.Errorf("got %.300v, want an error about NULL", results[3])
	}
}

// TestLaterRunsHaveHigherNames checks what the queries rely on: all chunks of a run have higher names
// than all chunks of the runs before it.
func TestLaterRunsHaveHigherNames(t *testing.T) {
	l := newLedger(t)
	most := 0
	for _, extend := range stages() {
		extend(t, l)
		m := l.ledger.Manifest()
		for _, runs := range [][]record.Run{m.Runs, m.QuarantineRuns} {
			most = max(most, len(runs))
			for i := 1; i < len(runs); i++ {
				if before, names := namesOf(runs[i-1]), namesOf(runs[i]); slices.Max(before) >= slices.Min(names) {
					t.Errorf("generation %d: run %d has the chunks %q, which do not follow %q", m.Generation, i, names, before)
				}
			}
		}
	}
	if most < 4 {
		t.Errorf("got at most %d runs, want a generation of several runs", most)
	}
}

func namesOf(run record.Run) (names []string) {
	for _, c := range run.Chunks {
		names = append(names, c.Name)
	}
	return names
}

// lastCopied returns the result of the page's query of entries: the 20 entries that were copied last.
func lastCopied(entries []record.Entry) (rows []row) {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b record.Entry) int { return b.CopiedAt.Compare(a.CopiedAt) })
	for _, e := range entryRows(entries[:20]) {
		rows = append(rows, row{"key": e["key"], "source_size": e["source_size"], "key_arn": e["key_arn"], "copied_at": e["copied_at"]})
	}
	return rows
}

// byReason returns the result of the page's query of the quarantine.
func byReason(quarantined []record.Quarantined) (rows []row) {
	objects, since := map[string]int{}, map[string]time.Time{}
	for _, q := range quarantined {
		objects[q.Reason]++
		if at, ok := since[q.Reason]; !ok || q.FirstAt.Before(at) {
			since[q.Reason] = q.FirstAt
		}
	}
	for reason, n := range objects {
		rows = append(rows, row{"reason": reason, "objects": fmt.Sprint(n), "since": timestamp(since[reason])})
	}
	slices.SortFunc(rows, func(a, b row) int {
		if d := objects[b["reason"].(string)] - objects[a["reason"].(string)]; d != 0 {
			return d
		}
		return strings.Compare(a["reason"].(string), b["reason"].(string))
	})
	return rows
}

func entryRows(entries []record.Entry) (rows []row) {
	for _, e := range entries {
		rows = append(rows, row{
			"key": e.Key, "source_etag": e.Source.ETag, "source_size": fmt.Sprint(e.Source.Size), "source_last_modified": timestamp(e.Source.LastModified),
			"source_version_id": e.Source.ID, "destination_etag": e.DestinationETag, "destination_version_id": e.DestinationVersionID,
			"key_arn": e.KeyARN, "bucket_key": e.BucketKey, "checksum": e.Checksum, "copied_at": timestamp(e.CopiedAt),
			"pass": fmt.Sprint(e.Pass), "missed": fmt.Sprint(e.Missed), "missed_in": fmt.Sprint(e.MissedIn), "removed": false,
		})
	}
	return rows
}

func quarantineRows(quarantined []record.Quarantined) (rows []row) {
	for _, q := range quarantined {
		since := q.WrittenSince
		if since.IsZero() {
			since = time.Unix(0, 0).UTC()
		}
		rows = append(rows, row{
			"key": q.Key, "source_etag": q.Source.ETag, "source_size": fmt.Sprint(q.Source.Size), "source_last_modified": timestamp(q.Source.LastModified),
			"source_version_id": q.Source.ID, "reason": q.Reason, "detail": q.Detail, "first_at": timestamp(q.FirstAt), "last_at": timestamp(q.LastAt),
			"attempts": fmt.Sprint(q.Attempts), "pass": fmt.Sprint(q.Pass), "destination_etag": q.DestinationETag, "written_since": timestamp(since), "removed": false,
		})
	}
	return rows
}

// timestamp returns a time as DuckDB displays it.
func timestamp(at time.Time) string { return at.Format("2006-01-02 15:04:05.999999-07") }
