package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	// largestPage bounds a page before compression, in bytes. The pages that a sealer gets have
	// little more than pageBytes.
	largestPage = 4 << 20

	// headerElements bounds the elements of all lists in a page header. The headers that are
	// accepted have no lists.
	headerElements = 16
)

// checkPages checks the pages of a column of a row group, which has rows rows. The Parquet reader
// allocates the sizes that a page header declares, and so does the zstd decoder. A page with the
// encoding PLAIN whose declared sizes are right uses little more memory than its values.
func checkPages(data []byte, rows int64) error {
	for at := 0; at < len(data); {
		header, length, err := pageHeader(data[at:])
		if err != nil {
			return fmt.Errorf("page at %d: %w", at, err)
		}
		at += length
		size := int(header.CompressedPageSize)
		if size < 0 || size > len(data)-at {
			return fmt.Errorf("page of %d bytes, only %d left", size, len(data)-at)
		}
		if err := checkPage(&header, data[at:at+size], rows); err != nil {
			return fmt.Errorf("page at %d: %w", at, err)
		}
		at += size
		rows -= int64(header.DataPageHeaderV2.V.NumRows)
	}
	if rows != 0 {
		return fmt.Errorf("%d rows are missing", rows)
	}
	return nil
}

// pageHeader decodes the page header at the beginning of data, and returns its length.
func pageHeader(data []byte) (header format.PageHeader, length int, err error) {
	s := &skimmer{left: data, elements: headerElements}
	if err := s.fields(0); err != nil {
		return header, 0, err
	}
	length = len(data) - len(s.left)
	return header, length, thrift.Unmarshal(new(thrift.CompactProtocol), data[:length], &header)
}

// checkPage checks a page against its header. At most most rows may be in the page.
func checkPage(header *format.PageHeader, data []byte, most int64) error {
	page := &header.DataPageHeaderV2.V
	if header.Type != format.DataPageV2 || !header.DataPageHeaderV2.Valid || page.Encoding != format.Plain {
		return fmt.Errorf("type %v with encoding %v", header.Type, page.Encoding)
	}
	if page.NumRows < 1 || int64(page.NumRows) > most || page.NumValues != page.NumRows || page.NumNulls != 0 ||
		page.DefinitionLevelsByteLength != 0 || page.RepetitionLevelsByteLength != 0 {
		return fmt.Errorf("%d rows with %d values and %d nulls, want at most %d rows with a value each", page.NumRows, page.NumValues, page.NumNulls, most)
	}
	if page.IsCompressed.Valid && !page.IsCompressed.V {
		return errors.New("not compressed")
	}
	if header.UncompressedPageSize < 0 || header.UncompressedPageSize > largestPage {
		return fmt.Errorf("%d bytes before compression", header.UncompressedPageSize)
	}
	return checkZstd(data, uint64(header.UncompressedPageSize))
}

// errZstd reports data that is not a zstd frame (RFC 8878), or has other data after it.
var errZstd = errors.New("not one zstd frame")

// checkZstd checks that data is one zstd frame that decodes to size bytes. The decoder rejects a
// frame that decodes to more than it declares, but it accepts any number of frames. An encoder need
// not declare a size below 256 bytes. Such a frame must have one block, which decodes to at most 2
// MiB.
func checkZstd(data []byte, size uint64) error {
	declared, isDeclared, rest, err := zstdHeader(data)
	if err != nil {
		return err
	}
	if isDeclared && declared != size {
		return fmt.Errorf("frame of %d bytes, page header has %d", declared, size)
	}
	hasChecksum := data[4]&zstdChecksum != 0
	blocks, rest, err := skipBlocks(rest)
	if err != nil || hasChecksum && len(rest) != 4 || !hasChecksum && len(rest) != 0 {
		return errZstd
	}
	if !isDeclared && blocks > 1 {
		return fmt.Errorf("frame of unknown size with %d blocks", blocks)
	}
	return nil
}

const (
	zstdMagic = 0xfd2fb528

	// The flags in the fifth byte of a zstd frame. The two highest bits are the binary logarithm of
	// the length of the declared size.
	zstdSingle     = 1 << 5 // no window size follows, and the declared size has at least one byte
	zstdChecksum   = 1 << 2
	zstdSizes      = 6
	zstdUnexpected = 0x1b // a dictionary or reserved
)

// zstdHeader returns the size that a zstd frame declares, and what follows its header.
func zstdHeader(data []byte) (size uint64, isDeclared bool, rest []byte, err error) {
	if len(data) < 6 || binary.LittleEndian.Uint32(data) != zstdMagic || data[4]&zstdUnexpected != 0 {
		return 0, false, nil, errZstd
	}
	length, isSingle := 1<<(data[4]>>zstdSizes), data[4]&zstdSingle != 0
	rest = data[5:]
	if !isSingle {
		rest = rest[1:] // the window size
	}
	if length == 1 && !isSingle {
		return 0, false, rest, nil
	}
	if len(rest) < length {
		return 0, false, nil, errZstd
	}
	var field [8]byte
	copy(field[:], rest[:length])
	if size = binary.LittleEndian.Uint64(field[:]); length == 2 {
		size += 256
	}
	return size, true, rest[length:], nil
}

// skipBlocks skips the blocks of a zstd frame. The header of a block has three bytes: in ascending
// bits, whether it is the last one, its type and its size.
func skipBlocks(data []byte) (blocks int, rest []byte, err error) {
	for isLast := false; !isLast; blocks++ {
		if len(data) < 3 {
			return 0, nil, errZstd
		}
		head := int(data[0]) | int(data[1])<<8 | int(data[2])<<16
		isLast = head&1 != 0
		size := head >> 3
		if isRepeat := head>>1&3 == 1; isRepeat {
			size = 1 // a byte to repeat
		}
		if data = data[3:]; size > len(data) {
			return 0, nil, errZstd
		}
		data = data[size:]
	}
	return blocks, data, nil
}
