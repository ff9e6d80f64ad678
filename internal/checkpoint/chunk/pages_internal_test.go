package chunk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"runtime"
	"testing"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"

	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// page is a page of a chunk that a test forges.
type page struct {
	header format.PageHeader
	data   []byte
}

// frame sets the compressed data of the page, and the sizes in its header.
func (p *page) frame(data []byte, size int) {
	p.data = data
	p.header.CompressedPageSize, p.header.UncompressedPageSize = int32(len(data)), int32(size) //nolint:gosec // at most 2 GiB
}

// compress compresses data into the page.
func (p *page) compress(t *testing.T, data []byte) {
	t.Helper()
	out, err := new(zstd.Codec).Encode(nil, data)
	if err != nil {
		t.Fatal(err)
	}
	p.frame(out, len(data))
}

// repeats returns a zstd frame with blocks that each repeat a byte 128 Ki times. The head is the
// frame header after the magic number.
func repeats(head []byte, blocks int) []byte {
	out := append(binary.LittleEndian.AppendUint32(nil, zstdMagic), head...)
	for i := range blocks {
		block := 128<<10<<3 | 1<<1
		if i == blocks-1 {
			block |= 1
		}
		out = append(out, byte(block), byte(block>>8), byte(block>>16), 0)
	}
	return out
}

// withPage returns a chunk of one row group in which change has changed the first page, and all
// checksums, sizes and offsets match.
func withPage(t *testing.T, original *shelf, info record.Chunk, change func(*page)) (*shelf, record.Chunk) {
	t.Helper()
	var meta format.FileMetaData
	footer := original.data[info.Bytes-info.Footer : len(original.data)-trailer]
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), footer, &meta); err != nil {
		t.Fatal(err)
	}
	columns := meta.RowGroups[0].Columns
	first := original.data[len(magicText):columns[1].MetaData.DataPageOffset]
	header, length, err := pageHeader(first)
	if err != nil || length+int(header.CompressedPageSize) != len(first) {
		t.Fatalf("got a first page of %d bytes with header %+v, %v, want one page", len(first), header, err)
	}
	p := page{header, first[length:]}
	change(&p)
	p.header.CRC = int32(crc32.ChecksumIEEE(p.data)) //nolint:gosec // the bits of the checksum
	head, err := thrift.Marshal(new(thrift.CompactProtocol), &p.header)
	if err != nil {
		t.Fatal(err)
	}
	grown := int64(len(head)+len(p.data)) - int64(len(first))
	columns[0].MetaData.TotalCompressedSize += grown
	for i := range columns[1:] {
		columns[i+1].MetaData.DataPageOffset += grown
	}
	meta.KeyValueMetadata = meta.KeyValueMetadata[:len(meta.KeyValueMetadata)-1] // added again by the sealer
	var forged bytes.Buffer
	s := newSealer(&forged)
	for _, part := range [][]byte{[]byte(magicText), head, p.data, original.data[len(magicText)+len(first) : info.Bytes-info.Footer]} {
		_, _ = s.Write(part)
	}
	end, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err == nil {
		err = s.endGroup()
	}
	_, _ = s.Write(withTrailer(end))
	if err := errors.Join(err, s.finish(&info)); err != nil {
		t.Fatal(err)
	}
	return &shelf{data: forged.Bytes()}, info
}

// TestForgedPages reads chunks with a page that declares or decodes to far more data than it has,
// and matching checksums. It checks that the pages are rejected and that reading them uses little
// memory.
func TestForgedPages(t *testing.T) {
	const most = 16 << 20
	original, info := chunkOf(t, 100)
	head := func(p *page) *format.DataPageHeaderV2 { return &p.header.DataPageHeaderV2.V }
	for name, change := range map[string]func(*page){
		"uncompressed size": func(p *page) { p.header.UncompressedPageSize = 1 << 30 },
		"negative size":     func(p *page) { p.header.UncompressedPageSize = -1 },
		"compressed size":   func(p *page) { p.header.CompressedPageSize = math.MaxInt32 },
		"many values":       func(p *page) { head(p).NumValues = 1 << 28 },
		"many rows":         func(p *page) { head(p).NumValues, head(p).NumRows = 1<<28, 1<<28 },
		"few rows":          func(p *page) { head(p).NumValues, head(p).NumRows = 99, 99 },
		"nulls":             func(p *page) { head(p).NumNulls = -1 << 28 },
		"levels":            func(p *page) { head(p).DefinitionLevelsByteLength = 1 << 28 },
		"not compressed":    func(p *page) { head(p).IsCompressed = thrift.New(false) },
		"frame of 2 GB":     func(p *page) { p.frame(repeats([]byte{0xa0, 0, 0, 0, 0x70}, 1), 16<<10) },
		"page of 1 GB":      func(p *page) { p.frame(repeats([]byte{0xa0, 0, 0, 0, 0x40}, 8<<10), 1<<30) },
		"frame of any size": func(p *page) { p.frame(repeats([]byte{0, 0x88}, 8<<10), 128<<10) },
		"many frames":       func(p *page) { p.frame(bytes.Repeat(repeats([]byte{0xa0, 0, 0, 2, 0}, 1), 8<<10), 128<<10) },
		"other data":        func(p *page) { p.frame(append(repeats([]byte{0xa0, 0, 0, 2, 0}, 1), 0), 128<<10) },
		"cut frame":         func(p *page) { p.frame(repeats([]byte{0xa0, 0, 0, 2, 0}, 2)[:13], 128<<10) },
		"cut header":        func(p *page) { p.frame(repeats([]byte{0xc0, 0, 0}, 0), 128<<10) },
		"zstd dictionary":   func(p *page) { p.data = bytes.Clone(p.data); p.data[4] |= 1 },
		"no frame":          func(p *page) { p.frame(make([]byte, 100), 100) },
		"dictionary page":   func(p *page) { p.header.Type = format.DictionaryPage },
		"first version":     func(p *page) { p.header.Type = format.DataPage },
		"delta, many lengths": func(p *page) {
			head(p).Encoding = format.DeltaLengthByteArray
			p.compress(t, binary.AppendUvarint([]byte{0x80, 1, 4}, 1<<29))
		},
		"dictionary, long run": func(p *page) {
			head(p).Encoding = format.RLEDictionary
			p.compress(t, append(binary.AppendUvarint([]byte{1}, 1<<30), 0))
		},
	} {
		forged, info := withPage(t, original, info, change)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var got error
		for _, err := range live[EntryRow](t.Context(), forged, []record.Run{{Chunks: []record.Chunk{info}}}, "") {
			got = err
		}
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > most {
			t.Errorf("%s: got %d bytes of memory for a chunk of %d, want at most %d", name, grown, info.Bytes, most)
		}
		if damage, ok := errors.AsType[*store.CorruptError](got); !ok || damage.Problem != "has an invalid row group 0" {
			t.Errorf("%s: got %v, want an invalid row group", name, got)
		}
	}
}

// TestUnforgedPage checks that withPage keeps a chunk readable if the page stays the same, and if it
// is compressed again.
func TestUnforgedPage(t *testing.T) {
	original, info := chunkOf(t, 100)
	for name, change := range map[string]func(*page){
		"same": func(*page) {},
		"compressed again": func(p *page) {
			data, err := new(zstd.Codec).Decode(nil, p.data)
			if err != nil {
				t.Fatal(err)
			}
			p.compress(t, data)
		},
	} {
		forged, info := withPage(t, original, info, change)
		rows := 0
		for _, err := range live[EntryRow](t.Context(), forged, []record.Run{{Chunks: []record.Chunk{info}}}, "") {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			rows++
		}
		if rows != 100 {
			t.Errorf("%s: got %d rows, want 100", name, rows)
		}
	}
}
