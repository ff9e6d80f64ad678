package chunk

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// rowGroups are the row groups of an open chunk. It reads each row group with one request, verifies
// it, and keeps it in memory until the next one is read. The Parquet reader gets bytes from memory
// only.
type rowGroups struct {
	info  record.Chunk
	chunk store.Record
	file  *parquet.File
	spans []store.Span // by row group
	count []int64      // rows, by row group
	sums  []byte       // SHA-256 of each row group

	held []byte     // the row group in memory
	at   store.Span // where held is in the chunk
}

// layOut finds the row groups in the file. It rejects a footer that describes anything else than
// what a sealer writes, because the memory that the Parquet reader uses for other files is not
// bounded.
func (g *rowGroups) layOut() error {
	meta := g.file.Metadata()
	if err := checkSchema(meta.Schema); err != nil {
		return err
	}
	text, _ := g.file.Lookup(sumsKey)
	sums, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(sums) != sha256.Size*len(meta.RowGroups) {
		return fmt.Errorf("the checksums of %d row groups are missing or malformed", len(meta.RowGroups))
	}
	g.sums, g.spans = sums, make([]store.Span, 0, len(meta.RowGroups))
	start, rows := int64(0), int64(0)
	for i := range meta.RowGroups {
		group := &meta.RowGroups[i]
		end, err := groupEnd(group, max(start, int64(len(magicText))))
		if err != nil {
			return fmt.Errorf("row group %d: %w", i, err)
		}
		g.spans, g.count = append(g.spans, store.Span{Start: start, End: end}), append(g.count, group.NumRows)
		start = end
		rows += group.NumRows
	}
	if start != g.info.Bytes-g.info.Footer {
		return fmt.Errorf("row groups end at byte %d, not %d", start, g.info.Bytes-g.info.Footer)
	}
	if rows != g.info.Entries || rows < 1 {
		return fmt.Errorf("%d rows, not %d", rows, g.info.Entries)
	}
	return nil
}

// checkSchema returns an error unless a chunk has a flat schema of required columns.
func checkSchema(schema []format.SchemaElement) error {
	if len(schema) < 2 {
		return errors.New("no columns")
	}
	for _, c := range schema[1:] {
		isKnown := c.Type.V == format.Boolean || c.Type.V == format.Int64 || c.Type.V == format.ByteArray
		if !c.Type.Valid || !isKnown || c.NumChildren.Valid || !c.RepetitionType.Valid || c.RepetitionType.V != format.Required ||
			c.ConvertedType.Valid && c.ConvertedType.V == deprecated.Decimal {
			return fmt.Errorf("column %q is not a required boolean, int64 or string", c.Name)
		}
	}
	return nil
}

// groupEnd returns where a row group ends whose columns begin at start and follow each other.
func groupEnd(group *format.RowGroup, start int64) (end int64, err error) {
	if group.NumRows < 1 || group.NumRows > rowsPerGroup {
		return 0, fmt.Errorf("%d rows, want 1 to %d", group.NumRows, rowsPerGroup)
	}
	end = start
	for i := range group.Columns {
		c := &group.Columns[i].MetaData
		size := c.TotalCompressedSize
		switch {
		case c.DataPageOffset != end || c.DictionaryPageOffset != 0 || size < 1 || size > largestGroup:
			return 0, fmt.Errorf("column %d has %d bytes at %d, want it at %d", i, size, c.DataPageOffset, end)
		case c.NumValues != group.NumRows || c.Codec != format.Zstd:
			return 0, fmt.Errorf("column %d has %d values with codec %v, want %d with %v", i, c.NumValues, c.Codec, group.NumRows, format.Zstd)
		}
		end += size
	}
	if end == start || end-start > largestGroup {
		return 0, fmt.Errorf("%d bytes", end-start)
	}
	return end, nil
}

// load reads a row group and verifies it.
func (g *rowGroups) load(i int) error {
	span := g.spans[i]
	g.at = store.Span{}
	if int64(cap(g.held)) < span.Length() {
		g.held = make([]byte, span.Length())
	}
	g.held = g.held[:span.Length()]
	if n, err := g.chunk.ReadAt(g.held, span.Start); n < len(g.held) {
		return fmt.Errorf("read rows of %s: %w", g.info.Name, err)
	}
	if sum := sha256.Sum256(g.held); !bytes.Equal(sum[:], g.sums[i*sha256.Size:(i+1)*sha256.Size]) {
		return &store.CorruptError{Name: g.info.Name, Problem: fmt.Sprintf("does not match its checksum in bytes %d to %d", span.Start, span.End-1)}
	}
	g.at = span
	for _, c := range g.file.Metadata().RowGroups[i].Columns {
		start := c.MetaData.DataPageOffset - span.Start
		if err := checkPages(g.held[start:start+c.MetaData.TotalCompressedSize], g.file.Metadata().RowGroups[i].NumRows); err != nil {
			return &store.CorruptError{Name: g.info.Name, Problem: fmt.Sprintf("has an invalid row group %d", i), Err: err}
		}
	}
	return nil
}

// ReadAt reads from the bytes in memory.
func (g *rowGroups) ReadAt(p []byte, offset int64) (int, error) {
	if !g.at.Has(offset) {
		return 0, io.EOF
	}
	n := copy(p, g.held[offset-g.at.Start:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// find returns the number of the row group that contains the first key above after, or the one
// before it.
func (g *rowGroups) find(after string) int {
	groups := g.file.Metadata().RowGroups
	for i := len(groups) - 1; i > 0; i-- {
		if string(groups[i].Columns[keyColumn].MetaData.Statistics.MinValue) <= after {
			return i
		}
	}
	return 0
}
