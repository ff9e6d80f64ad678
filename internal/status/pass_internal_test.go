package status

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"syncd/internal/checkpoint/record"
)

// TestRangesLeft checks what the status shows about the ranges that an unfinished pass must still
// walk, as JSON and as text.
func TestRangesLeft(t *testing.T) {
	long := strings.Repeat("k", 1024)
	for _, tt := range []struct {
		name       string
		settled    record.Ranges
		json, text string
	}{
		{"nothing is settled", nil, `"ranges_left":1}`, ""},
		{"everything is settled", record.Ranges{{}}, `"ranges_left":0}`, ""},
		{"one range", record.Ranges{{Until: "b"}}, `"ranges_left":1,"resumes_after":"b"}`, `1 range, it begins after "b"`},
		{"several", record.Ranges{{Until: "b"}, {After: "c", Until: "d"}}, `"ranges_left":2,"resumes_after":"b"}`, `2 ranges, the first begins after "b"`},
		{"several from the first key", record.Ranges{{After: "c", Until: "d"}}, `"ranges_left":2}`, `2 ranges, the first begins at the first key`},
		{"not UTF-8", record.Ranges{{Until: "b\xff"}}, `"ranges_left":1,"resumes_after":"b\ufffd","resumes_after_bytes":"Yv8="}`, `1 range, it begins after "b\xff"`},
		{
			"a long key",
			record.Ranges{{Until: long}},
			`"ranges_left":1,"resumes_after":"` + long + `"}`, `1 range, it begins after "` + long[:49] + "…" + long[:48] + `"`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Status{Mapping: "m", Pass: passOf(record.Progress{Generation: 7, StartedAt: time.Unix(0, 0).UTC(), SavedAt: time.Unix(1, 0).UTC(), Settled: tt.settled})}
			data, err := json.Marshal(s.Pass)
			if err != nil || !strings.HasSuffix(string(data), `"settled":0,"copied":0,`+tt.json) {
				t.Errorf("got %s, %v, want it to end with %s", data, err, tt.json)
			}
			var out bytes.Buffer
			printStatus(&out, s)
			_, left, found := strings.Cut(out.String(), "  left         ")
			if found != (tt.text != "") || found && left != tt.text+"\n" {
				t.Errorf("got text %q, want %q after the name left", out.String(), tt.text)
			}
		})
	}
}
