package chunk

import (
	"reflect"
	"slices"
	"strings"

	"syncd/internal/checkpoint/store"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// spansOf returns the spans of the file that contain the columns of R, by row group. Small adjacent
// spans are joined, so that one request reads them. Spans outside the file are omitted, because the
// chunk may be forged.
func spansOf[R Row](file *parquet.File) (spans []store.Span) {
	names := columnsOf[R]()
	for _, group := range file.Metadata().RowGroups {
		span := store.Span{Start: file.Size()}
		for _, column := range group.Columns {
			if at := placeOf(&column.MetaData); slices.Contains(names, strings.Join(column.MetaData.PathInSchema, ".")) {
				span.Start, span.End = min(span.Start, at.Start), max(span.End, at.End)
			}
		}
		last := len(spans) - 1
		switch {
		case span.Start < 0 || span.Start >= span.End || span.End > file.Size():
		case last >= 0 && spans[last].End == span.Start && span.End-spans[last].Start <= maxJoined:
			spans[last].End = span.End
		default:
			spans = append(spans, span)
		}
	}
	return spans
}

// columnsOf returns the names of the columns that R reads.
func columnsOf[R Row]() (names []string) {
	for field := range reflect.TypeFor[R]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("parquet"), ",")
		names = append(names, name)
	}
	return names
}

// placeOf returns the span of a column of a row group. A column's dictionary, if any, precedes its
// pages.
func placeOf(column *format.ColumnMetaData) store.Span {
	start := column.DataPageOffset
	if dictionary := column.DictionaryPageOffset; dictionary > 0 {
		start = min(start, dictionary)
	}
	return store.Span{Start: start, End: start + column.TotalCompressedSize}
}
