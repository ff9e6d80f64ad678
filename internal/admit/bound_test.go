package admit_test

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// without is an endless body that repeats text after head.
type without struct {
	head, text string
	at         int
	sent       int
}

func (w *without) Read(p []byte) (n int, err error) {
	n = copy(p, w.head)
	w.head = w.head[n:]
	for n < len(p) {
		c := copy(p[n:], w.text[w.at:])
		w.at = (w.at + c) % len(w.text)
		n += c
	}
	w.sent += n
	return n, nil
}

func (w *without) Close() error { return nil }

// TestAnswerWithoutEnd checks that every operation ends if the response is endless, and allocates
// less than 16 MiB in total, including garbage. The responses are errors, and successes in several
// shapes.
func TestAnswerWithoutEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("too slow under the race detector; make test runs it")
	}
	const most = 16 << 20
	shapes := map[string]without{
		"zeros":         {text: "\x00"},
		"spaces":        {text: " "},
		"XML":           {head: "<R>", text: "<E>x</E>"},
		"keys":          {head: "<ListBucketResult><IsTruncated>false</IsTruncated>", text: "<Contents/>"},
		"uploads":       {head: "<ListMultipartUploadsResult>", text: "<Upload/>"},
		"parts":         {head: "<ListPartsResult>", text: "<Part/>"},
		"one long key":  {head: "<ListBucketResult><Contents><Key>", text: "x"},
		"a deep one":    {text: "<a>"},
		"a long tag":    {text: "<a "},
		"an error":      {head: "<Error><Code>SlowDown</Code><Message>", text: "x"},
		"an STS answer": {head: "<AssumeRoleResponse><AssumeRoleResult><Credentials><SessionToken>", text: "x"},
	}
	for name, w := range operations() {
		for shape, body := range shapes {
			for _, status := range []int{w.status, http.StatusMovedPermanently, http.StatusForbidden, http.StatusServiceUnavailable} {
				if name == "GetObject" && status == w.status {
					continue // Bound does not limit an object's content
				}
				a, text := w.answers(), body
				a.status, a.stream = status, &text
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				err := w.send(t.Context(), a)
				runtime.ReadMemStats(&after)
				if grown := after.TotalAlloc - before.TotalAlloc; grown > most {
					t.Errorf("%s, %d, %s: got %d bytes of memory, want at most %d", name, status, shape, grown, most)
				}
				if status != w.status && err == nil {
					t.Errorf("%s, %d, %s: got success", name, status, shape)
				}
			}
		}
	}
}

// TestPageOfTooMuch checks that a page with one entry too many is rejected.
func TestPageOfTooMuch(t *testing.T) {
	for name, tt := range map[string]struct{ before, entry, after string }{
		"ListObjectsV2": {"<ListBucketResult><IsTruncated>false</IsTruncated>", "<Contents><Key>k</Key></Contents>", "</ListBucketResult>"},
		"ListParts": {
			"<ListPartsResult><IsTruncated>false</IsTruncated>", "<Part><PartNumber>1</PartNumber><ETag>e</ETag><Size>1</Size></Part>", "</ListPartsResult>",
		},
		"ListMultipartUploads": {
			"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>", "<Upload><Key>k</Key><UploadId>u</UploadId></Upload>", "</ListMultipartUploadsResult>",
		},
	} {
		for entries, want := range map[int]bool{1000: true, 1001: false} {
			a := operations()[name].answers()
			a.body = tt.before + strings.Repeat(tt.entry, entries) + tt.after
			err := operations()[name].send(t.Context(), a)
			if (err == nil) != want {
				t.Errorf("%s of %d: got %v, want it admitted: %v", name, entries, err, want)
			}
		}
	}
}

// TestLongestPage checks that a page of the longest keys, with every byte escaped, is admitted.
func TestLongestPage(t *testing.T) {
	entry := "<Contents><Key>" + strings.Repeat("%FF", 1024) + "</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;" + strings.Repeat("0", 36) +
		"&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>1</Size>" +
		"<Owner><ID>" + strings.Repeat("0", 64) + "</ID><DisplayName>someone</DisplayName></Owner><StorageClass>STANDARD</StorageClass>" +
		"<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress></RestoreStatus></Contents>"
	a := operations()["ListObjectsV2"].answers()
	a.body = "<ListBucketResult><IsTruncated>true</IsTruncated>" + strings.Repeat(entry, 1000) + "</ListBucketResult>"
	if err := operations()["ListObjectsV2"].send(t.Context(), a); err != nil {
		t.Errorf("%d bytes: got %v, want the page admitted", len(a.body), err)
	}
}
