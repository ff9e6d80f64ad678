package chunk

import (
	"fmt"
	"io"

	"syncd/internal/checkpoint/store"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

const (
	// rowsPerGroup and pageBytes bound the memory of a reader or writer of a chunk: one compressed
	// row group, about 200 KB, and one page of each column. A row is rarely longer than 500 bytes.
	rowsPerGroup = 2 << 10
	// bytesPerGroup ends a row group of unusually long rows. It is far below largestGroup, also if the
	// rows cannot be compressed.
	bytesPerGroup = 8 << 20
	pageBytes     = 12 << 10

	// largestGroup bounds a compressed row group, in bytes. Only rows with the longest keys and
	// values come near to it.
	largestGroup = 32 << 20

	// keyColumn is the number of the column of keys.
	keyColumn = 0

	// readBytes is the size of the buffer from which a reader decodes the page headers of a column.
	readBytes = 512

	// rowsPerRead is the number of rows decoded at once.
	rowsPerRead = 64

	// rowsPerWrite is the number of rows passed to the encoder at once. A page can exceed pageBytes
	// by rowsPerWrite values of up to 1 KiB each. A page must stay below 128 KiB, because from that
	// size the encoder keeps a history of 8 MB.
	rowsPerWrite = 32
)

// Encoders compress the chunks of all ledgers that share this value. Each concurrent compression
// uses one encoder; unused encoders are freed.
type Encoders struct{ codec zstd.Codec }

// NewEncoders returns Encoders for the ledgers of a process.
func NewEncoders() *Encoders {
	// At this level the encoder's tables are small, which saves time when a save writes few rows,
	// and chunks are only slightly larger than at a higher level.
	return &Encoders{zstd.Codec{Level: zstd.SpeedFastest}}
}

// newWriter returns a writer for one chunk. The writer must not be reused: after Reset, parquet-go
// 0.32 omits the column names from the footer, and other readers cannot read a chunk without column
// names.
func newWriter[R Row](e *Encoders, out io.Writer) *parquet.GenericWriter[R] {
	return parquet.NewGenericWriter[R](out,
		parquet.Compression(&e.codec),
		parquet.DataPageVersion(2),
		parquet.PageBufferSize(pageBytes),
		parquet.WriteBufferSize(0), // so that out receives a row group before Flush returns
		parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending("key"))),
		parquet.KeyValueMetadata("syncd.format", fmt.Sprint(store.FormatVersion)),
	)
}
