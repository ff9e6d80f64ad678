package chunk

import (
	"encoding/binary"
	"fmt"
	"io"

	"syncd/internal/checkpoint/store"

	"github.com/parquet-go/parquet-go"
)

const (
	// magic is the length in bytes of the magic number at each end of a Parquet file. Trailer is
	// the length in bytes of the two fields after the footer: the footer's length and the magic
	// number (Apache Parquet, "File format").
	magic   = 4
	trailer = magic + 4

	// usualFooter is the number of bytes first read from the end of a chunk. It is enough for the
	// footer of a chunk with half a million entries.
	usualFooter = 64 << 10

	// maxJoined is the maximum number of bytes of small row groups that are read in one request.
	maxJoined = 1 << 20
)

// openParquet opens a verified chunk. It does not read the page index, because nothing checks the
// length that the footer declares for the index. Readers find a row by the first key of its row
// group instead.
func openParquet(chunk store.Record) (*parquet.File, error) {
	size := chunk.Size()
	footer, err := readFooter(chunk, size)
	if err != nil {
		return nil, err
	}
	source := &footed{chunk: chunk, footer: footer, start: size - int64(len(footer))}
	file, err := parquet.OpenFile(source, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true), parquet.SkipMagicBytes(true))
	source.footer = nil // the footer has been decoded
	return file, err
}

// footed is an open chunk. It keeps the end of the chunk in memory until the footer has been
// decoded.
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

// readFooter reads the footer and trailer. It checks that the footer and its lists fit in the file,
// because the Parquet reader allocates the declared lengths: up to 4 GB for the footer, and any
// amount for a list. It does not check page headers, which are decoded when the pages are read.
func readFooter(chunk io.ReaderAt, size int64) ([]byte, error) {
	end, err := readEnd(chunk, size, min(size, usualFooter))
	if err != nil {
		return nil, err
	}
	if len(end) < trailer {
		return nil, fmt.Errorf("only %d bytes", size)
	}
	length := int64(binary.LittleEndian.Uint32(end[len(end)-trailer:]))
	if length > size-trailer-magic {
		return nil, fmt.Errorf("footer of %d bytes in a file of %d", length, size)
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
