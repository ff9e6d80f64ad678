package checkpoint

import (
	"encoding/binary"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// magic is how long the mark at each end of a Parquet file is, and trailer what stands after its footer: length and mark (Apache
	// Parquet, "File format").
	magic   = 4
	trailer = magic + 4

	// usualFooter is how much of the end of a chunk is read first: the footer of half a million entries.
	usualFooter = 64 << 10
)

// openParquet opens a verified chunk. The index of pages is as long as the footer says. It is not needed: rows are sought by the first
// of a row group.
func openParquet(chunk Chunk) (*parquet.File, error) {
	size := chunk.Size()
	footer, err := readFooter(chunk, size)
	if err != nil {
		return nil, err
	}
	source := &footed{chunk: chunk, footer: footer, start: size - int64(len(footer))}
	file, err := parquet.OpenFile(source, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true), parquet.SkipMagicBytes(true))
	source.footer = nil // it was decoded
	return file, err
}

// footed is a chunk whose end is in memory, until it has been decoded.
type footed struct {
	chunk  io.ReaderAt
	footer []byte
	start  int64
}

func (f *footed) ReadAt(p []byte, offset int64) (int, error) {
	if at := offset - f.start; at >= 0 && at+int64(len(p)) <= int64(len(f.footer)) {
		return copy(p, f.footer[at:]), nil
	}
	return f.chunk.ReadAt(p, offset)
}

// readFooter reads the footer and what stands after it, and looks whether it and the lists in it can be as long as the file says they
// are: the Parquet reader takes as much memory, up to 4 GB for the one, and any amount for the others. The headers of pages, which are
// decoded as they are met, are not looked at.
func readFooter(chunk io.ReaderAt, size int64) ([]byte, error) {
	end, err := readEnd(chunk, size, min(size, usualFooter))
	if err != nil {
		return nil, err
	}
	if len(end) < trailer {
		return nil, fmt.Errorf("%d bytes", size)
	}
	length := int64(binary.LittleEndian.Uint32(end[len(end)-trailer:]))
	if length > size-trailer-magic {
		return nil, fmt.Errorf("a footer of %d bytes in a file of %d", length, size)
	}
	if whole := length + trailer; whole > int64(len(end)) {
		if end, err = readEnd(chunk, size, whole); err != nil {
			return nil, err
		}
	} else {
		end = end[int64(len(end))-whole:]
	}
	return end, checkThrift(end[:length])
}

func readEnd(chunk io.ReaderAt, size, length int64) ([]byte, error) {
	end := make([]byte, length)
	_, err := chunk.ReadAt(end, size-length)
	return end, err
}

// spansOf are where in the file the columns of R are, by row groups; small ones that adjoin are read together. What is nowhere in the
// file is left out: others may have written it.
func spansOf[R row](file *parquet.File) (spans []Span) {
	names := columnsOf[R]()
	for _, group := range file.Metadata().RowGroups {
		span := Span{Start: file.Size()}
		for _, column := range group.Columns {
			if at := placeOf(&column.MetaData); slices.Contains(names, strings.Join(column.MetaData.PathInSchema, ".")) {
				span.Start, span.End = min(span.Start, at.Start), max(span.End, at.End)
			}
		}
		last := len(spans) - 1
		switch {
		case span.Start < 0 || span.Start >= span.End || span.End > file.Size():
		case last >= 0 && spans[last].End == span.Start && span.End-spans[last].Start <= wholeRecord:
			spans[last].End = span.End
		default:
			spans = append(spans, span)
		}
	}
	return spans
}

// columnsOf names the columns that R reads.
func columnsOf[R row]() (names []string) {
	for field := range reflect.TypeFor[R]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("parquet"), ",")
		names = append(names, name)
	}
	return names
}

// placeOf is where a column of a row group is. Its dictionary, when it has one, stands before its pages.
func placeOf(column *format.ColumnMetaData) Span {
	start := column.DataPageOffset
	if dictionary := column.DictionaryPageOffset; dictionary > 0 {
		start = min(start, dictionary)
	}
	return Span{start, start + column.TotalCompressedSize}
}
