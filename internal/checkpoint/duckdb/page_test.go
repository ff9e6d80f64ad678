package duckdb_test

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"syncd/internal/checkpoint/record"
)

// The folder in the statements of the page for DuckDB and for Athena.
const (
	folderOnPage = "/var/lib/syncd/alice-to-bob"
	bucketOnPage = "s3://consumer-state/syncd/alice-to-bob"
)

// page has the SQL statements of docs/checkpoint-format.md.
type page struct {
	find                string // sets the variables with the names of the chunks
	entries, quarantine string
	table, select20     string // for Athena
}

// readPage returns the statements of the page. If the page has others, the test must learn to run
// them.
func readPage(t *testing.T) page {
	t.Helper()
	text, err := os.ReadFile("../../../docs/checkpoint-format.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, block := range regexp.MustCompile("(?s)```sql\n(.*?)\n```").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, block[1])
	}
	if len(blocks) != 4 || strings.Count(blocks[0], folderOnPage) != 1 || strings.Count(blocks[3], "CREATE EXTERNAL TABLE") != 1 {
		t.Fatalf("got %d blocks of SQL %q, want one that finds the chunks, two queries, and one for Athena", len(blocks), blocks)
	}
	table, query, _ := strings.Cut(blocks[3], ";\n")
	return page{find: blocks[0], entries: blocks[1], quarantine: blocks[2], table: table, select20: query}
}

// setup returns the statements that find the chunks in a folder.
func (p page) setup(dir string) string { return strings.Replace(p.find, folderOnPage, dir, 1) }

var latest = regexp.MustCompile(`(?s)FROM \(.*AND NOT removed`)

// all returns the query of a query's rows that are not grouped or limited, with all columns.
func all(query string) string {
	return "SELECT * EXCLUDE (filename, age) " + latest.FindString(query) + " ORDER BY key"
}

// athenaTable returns a statement that makes a view with the columns of the page's table for Athena.
// Like that table, it has the rows of all chunks of entries in the folder.
func (p page) athenaTable(l *ledger) string {
	var columns []string
	for _, column := range regexp.MustCompile(`(\w+) (?:string|bigint|timestamp|boolean)\b`).FindAllStringSubmatch(p.table, -1) {
		columns = append(columns, column[1])
	}
	chunks := path.Join(l.dir, mapping, record.ChunkPrefix+"*"+record.ChunkSuffix)
	return fmt.Sprintf(`CREATE VIEW alice_to_bob AS SELECT %s, filename AS "$path" FROM read_parquet('%s', filename = true)`, strings.Join(columns, ", "), chunks)
}

var namesOnPage = regexp.MustCompile(`IN \([^)]*\)`)

// athenaQuery returns the page's query for Athena with the names of the ledger's chunks.
func (p page) athenaQuery(l *ledger) string {
	var names []string
	for _, c := range record.ChunksOf(l.ledger.Manifest().Runs) {
		names = append(names, "'"+path.Join(l.dir, c.Name)+"'")
	}
	return namesOnPage.ReplaceAllLiteralString(p.select20, "IN ("+strings.Join(names, ", ")+")")
}

// TestPageForAthena checks that the page's table for Athena has every column of an entry, and that its
// query names chunks of the table's folder.
func TestPageForAthena(t *testing.T) {
	p := readPage(t)
	for column := range entryRows([]record.Entry{{}})[0] {
		if !regexp.MustCompile(`\b` + column + ` (string|bigint|timestamp|boolean)\b`).MatchString(p.table) {
			t.Errorf("the table for Athena has no column %s: %s", column, p.table)
		}
	}
	names := regexp.MustCompile(`'([^']*)'`).FindAllStringSubmatch(namesOnPage.FindString(p.select20), -1)
	if len(names) < 2 || slices.ContainsFunc(names, func(n []string) bool {
		return path.Dir(n[1]) != path.Clean(bucketOnPage) && !strings.HasPrefix(n[1], bucketOnPage+"/chunk-")
	}) {
		t.Errorf("got the names %q in the query for Athena, want several of chunks in %s", names, bucketOnPage)
	}
}
