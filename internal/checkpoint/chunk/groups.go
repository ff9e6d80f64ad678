package chunk

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// rowGroups are the row groups of an open chunk. It reads each row group with one request, verifies
// it, and keeps it in memory until the next one is read. The Parquet reader gets a file with only
// this row group, because a decoded footer of all row groups needs as much memory as several row
// groups.
type rowGroups struct {
	info   record.Chunk
	chunk  store.Record
	groups []rowGroup

	meta format.FileMetaData // the footer of a file with the row group in memory
	held []byte              // the row group in memory
	end  []byte              // encodes meta
	at   store.Span          // where held is in the chunk
}

// rowGroup describes a row group.
type rowGroup struct {
	span  store.Span
	rows  int64
	first string            // least key
	sum   [sha256.Size]byte // SHA-256 of the bytes in span
	sizes []int32           // bytes of each column; the last column ends at span.End
}

// layOut finds the row groups in the footer. It rejects a footer that describes anything else than
// what a sealer writes, because the memory that the Parquet reader uses for other files is not
// bounded.
func (g *rowGroups) layOut() error {
	if err := checkSchema(g.meta.Schema); err != nil {
		return err
	}
	sums, err := sumsOf(&g.meta)
	if err != nil {
		return err
	}
	g.groups = make([]rowGroup, 0, len(g.meta.RowGroups))
	start, rows := int64(0), int64(0)
	for i := range g.meta.RowGroups {
		group, err := groupOf(&g.meta.RowGroups[i], start, len(g.meta.Schema)-1)
		if err != nil {
			return fmt.Errorf("row group %d: %w", i, err)
		}
		copy(group.sum[:], sums[i*sha256.Size:])
		g.groups = append(g.groups, group)
		start = group.span.End
		rows += group.rows
	}
	if start != g.info.Bytes-g.info.Footer {
		return fmt.Errorf("row groups end at byte %d, not %d", start, g.info.Bytes-g.info.Footer)
	}
	if rows != g.info.Entries || rows < 1 {
		return fmt.Errorf("%d rows, not %d", rows, g.info.Entries)
	}
	return g.shorten()
}

// sumsOf returns the checksums of the row groups.
func sumsOf(meta *format.FileMetaData) (sums []byte, err error) {
	for _, field := range meta.KeyValueMetadata {
		if field.Key == sumsKey {
			sums, err = base64.StdEncoding.DecodeString(field.Value)
		}
	}
	if err != nil || len(sums) != sha256.Size*len(meta.RowGroups) {
		return nil, fmt.Errorf("the checksums of %d row groups are missing or malformed", len(meta.RowGroups))
	}
	return sums, nil
}

// shorten reduces the footer to the first row group. It decodes the footer again, so that nothing
// refers to the memory of the whole footer.
func (g *rowGroups) shorten() error {
	meta := format.FileMetaData{Version: g.meta.Version, Schema: g.meta.Schema, RowGroups: g.meta.RowGroups[:1]}
	meta.RowGroups[0].Columns[keyColumn].MetaData.Statistics = format.Statistics{}
	short, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		return err
	}
	g.meta = format.FileMetaData{}
	return thrift.Unmarshal(new(thrift.CompactProtocol), short, &g.meta)
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

// groupOf describes a row group that begins at a byte of the chunk and whose columns follow each
// other.
func groupOf(from *format.RowGroup, start int64, columns int) (group rowGroup, err error) {
	if from.NumRows < 1 || from.NumRows > rowsPerGroup || len(from.Columns) != columns {
		return group, fmt.Errorf("%d rows with %d columns, want 1 to %d rows with %d", from.NumRows, len(from.Columns), rowsPerGroup, columns)
	}
	group.rows, group.sizes = from.NumRows, make([]int32, columns)
	end := max(start, int64(len(magicText)))
	for i := range from.Columns {
		c := &from.Columns[i].MetaData
		size := c.TotalCompressedSize
		switch {
		case c.DataPageOffset != end || c.DictionaryPageOffset != 0 || size < 1 || size > largestGroup:
			return group, fmt.Errorf("column %d has %d bytes at %d, want it at %d", i, size, c.DataPageOffset, end)
		case c.NumValues != from.NumRows || c.Codec != format.Zstd:
			return group, fmt.Errorf("column %d has %d values with codec %v, want %d with %v", i, c.NumValues, c.Codec, from.NumRows, format.Zstd)
		}
		group.sizes[i] = int32(size)
		end += size
	}
	if end-start > largestGroup {
		return group, fmt.Errorf("%d bytes", end-start)
	}
	group.span = store.Span{Start: start, End: end}
	group.first = string(from.Columns[keyColumn].MetaData.Statistics.MinValue)
	return group, nil
}

// load reads a row group and verifies it.
func (g *rowGroups) load(i int) error {
	group := &g.groups[i]
	span := group.span
	g.at, g.end = store.Span{}, nil
	if int64(cap(g.held)) < span.Length() {
		g.held = make([]byte, span.Length())
	}
	g.held = g.held[:span.Length()]
	if n, err := g.chunk.ReadAt(g.held, span.Start); n < len(g.held) {
		return fmt.Errorf("read rows of %s: %w", g.info.Name, err)
	}
	if sha256.Sum256(g.held) != group.sum {
		return &store.CorruptError{Name: g.info.Name, Problem: fmt.Sprintf("does not match its checksum in bytes %d to %d", span.Start, span.End-1)}
	}
	end := int64(len(g.held))
	for _, size := range slices.Backward(group.sizes) {
		if err := checkPages(g.held[end-int64(size):end], group.rows); err != nil {
			return &store.CorruptError{Name: g.info.Name, Problem: fmt.Sprintf("has an invalid row group %d", i), Err: err}
		}
		end -= int64(size)
	}
	g.at = span
	return nil
}

// open returns a file with only the row group in memory, number i. Its bytes are where they are in
// the chunk; a footer follows them.
func (g *rowGroups) open(i int) (*parquet.File, error) {
	group := &g.groups[i]
	meta := &g.meta.RowGroups[0]
	meta.NumRows, g.meta.NumRows = group.rows, group.rows
	end := group.span.End
	for i, size := range slices.Backward(group.sizes) {
		end -= int64(size)
		c := &meta.Columns[i].MetaData
		c.NumValues, c.TotalCompressedSize, c.DataPageOffset = group.rows, int64(size), end
	}
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), &g.meta)
	if err != nil {
		return nil, err
	}
	g.end = withTrailer(footer)
	return parquet.OpenFile(g, group.span.End+int64(len(g.end)), parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true),
		parquet.SkipMagicBytes(true), parquet.ReadBufferSize(readBytes))
}

// ReadAt reads the file that open returned.
func (g *rowGroups) ReadAt(p []byte, offset int64) (n int, err error) {
	if g.at.Has(offset) {
		n = copy(p, g.held[offset-g.at.Start:])
	}
	if at := offset + int64(n) - g.at.End; at >= 0 && at < int64(len(g.end)) {
		n += copy(p[n:], g.end[at:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// find returns the number of the row group that contains the first key above after, or the one
// before it.
func (g *rowGroups) find(after string) int {
	above := sort.Search(len(g.groups), func(i int) bool { return g.groups[i].first > after })
	return max(above-1, 0)
}
