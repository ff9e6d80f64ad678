package chunk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// TestCheckThrift checks that structs with values of each type are accepted, and that structs that
// declare more data than they contain are rejected.
func TestCheckThrift(t *testing.T) {
	large := binary.AppendUvarint(nil, 1<<31-1)
	for name, tt := range map[string]struct {
		data []byte
		text string // text that the error must contain; "" for no error
	}{
		"empty struct":             {[]byte{0}, ""},
		"what follows it":          {[]byte{0, 1, 2, 3}, ""},
		"scalars":                  {[]byte{0x11, 0x12, 0x13, 0x7f, 0x14, 0x80, 1, 0x15, 2, 0x16, 3, 0x17, 1, 2, 3, 4, 5, 6, 7, 8, 0}, ""},
		"number of its own":        {[]byte{0x05, 0x80, 0x01, 2, 0}, ""},
		"binary":                   {[]byte{0x18, 2, 'a', 'b', 0}, ""},
		"list of booleans":         {[]byte{0x19, 0x21, 1, 2, 0}, ""},
		"list of structs":          {[]byte{0x19, 0x2c, 0x15, 2, 0, 0, 0}, ""},
		"long list":                {append(append([]byte{0x19, 0xf3, 20}, make([]byte, 20)...), 0), ""},
		"set":                      {[]byte{0x1a, 0x15, 2, 0}, ""},
		"map":                      {[]byte{0x1b, 1, 0x58, 2, 1, 'a', 0}, ""},
		"empty map":                {[]byte{0x1b, 0, 0}, ""},
		"nothing":                  {nil, "unexpected end"},
		"no end":                   {[]byte{0x15, 2}, "unexpected end"},
		"number without end":       {[]byte{0x15, 0x80}, "invalid number"},
		"number too long":          {append([]byte{0x15}, bytes.Repeat([]byte{0xff}, 11)...), "invalid number"},
		"binary too long":          {append([]byte{0x18}, large...), "value of 2147483647 bytes, only 0 left"},
		"list too long":            {append([]byte{0x19, 0xfc}, large...), "2147483647 elements in 0 bytes"},
		"set too long":             {append([]byte{0x1a, 0xf3}, large...), "2147483647 elements in 0 bytes"},
		"map too long":             {append(append([]byte{0x1b}, large...), 0x55), "2147483647 elements in 0 bytes"},
		"list in a list too long":  {append([]byte{0x19, 0x19, 0xfc}, large...), "2147483647 elements in 0 bytes"},
		"in a field to be skipped": {append([]byte{0x09, 0xfe, 0x01, 0xfc}, large...), "2147483647 elements in 0 bytes"},
		"double cut":               {[]byte{0x17, 1, 2}, "value of 8 bytes, only 2 left"},
		"unknown type":             {[]byte{0x1d, 0}, "type 13"},
		"field of type 0":          {[]byte{0x10, 0}, "type 0"},
		"structs in each other":    {bytes.Repeat([]byte{0x1c}, 1<<20), "nested values"},
		"lists in each other":      {append([]byte{0x19}, bytes.Repeat([]byte{0x19}, 1<<20)...), "nested values"},
		"many elements":            {append(binary.AppendUvarint([]byte{0x19, 0xfc}, 1<<20), make([]byte, 1<<20+1)...), "more than 262144 elements"},
	} {
		err := checkThrift(tt.data)
		if tt.text == "" && err != nil || tt.text != "" && (!errors.Is(err, errThrift) || !strings.Contains(err.Error(), tt.text)) {
			t.Errorf("%s: got %v, want %q", name, err, tt.text)
		}
	}
}

// TestForgedListOfFooter checks that chunks of a few dozen bytes whose footers declare lists of
// billions of elements are reported as damaged, and that reading them uses little memory.
func TestForgedListOfFooter(t *testing.T) {
	const most = 16 << 20
	for name, head := range map[string][]byte{
		"schema":     {0x15, 0x02, 0x19, 0xfc},
		"row groups": {0x15, 0x02, 0x39, 0xfc},
		"metadata":   {0x15, 0x02, 0x49, 0xfc},
	} {
		footer := binary.AppendUvarint(bytes.Clone(head), 8<<20)
		data := append([]byte("PAR1"), footer...)
		data = append(binary.LittleEndian.AppendUint32(data, uint32(len(footer))), "PAR1"...) //nolint:gosec // a few bytes
		info := sealed(record.Chunk{Name: "x", Entries: 1, FirstKey: "a", LastKey: "b"}, data, 0)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var got error
		for _, err := range live[EntryRow](t.Context(), &shelf{data: data}, []record.Run{{Chunks: []record.Chunk{info}}}, "") {
			got = err
		}
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > most {
			t.Errorf("%s: got %d bytes of memory for a chunk of %d, want at most %d", name, grown, len(data), most)
		}
		if damage, ok := errors.AsType[*store.CorruptError](got); !ok || damage.Problem != "has an invalid footer" {
			t.Errorf("%s: got %v, want damage", name, got)
		}
	}
}
