package copier_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/copier/content"
)

// relaying makes the world relay its copies, with the given memory in bytes.
func (w *world) relaying(memory int64) {
	w.options.Relay, w.options.Buffers = true, content.NewBuffers(memory)
}

// onBody calls change for every response with an object's content.
func (w *world) onBody(change func(*http.Response)) {
	w.wire.change = func(res *http.Response) {
		if res.Request.Method == http.MethodGet && res.Header.Get("ETag") != "" {
			change(res)
		}
	}
}

// TestRelayRefusesAChangedBody checks, for every checksum algorithm, that the source's checksum
// detects a byte that was changed in transit.
func TestRelayRefusesAChangedBody(t *testing.T) {
	for _, algorithm := range []string{"crc32", "crc64nvme"} {
		t.Run(algorithm, func(t *testing.T) {
			w := newWorld(t)
			w.relaying(64 << 20)
			object := w.putText("k", "the right content")
			w.onBody(func(res *http.Response) {
				body, err := io.ReadAll(res.Body)
				if err != nil {
					t.Error(err)
				}
				if algorithm == "crc32" {
					sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(body))
					res.Header.Del("X-Amz-Checksum-Crc64nvme")
					res.Header.Set("X-Amz-Checksum-Crc32", base64.StdEncoding.EncodeToString(sum))
				}
				body[0] ^= 1
				res.Body = io.NopCloser(bytes.NewReader(body))
			})
			_, err := w.copy(t, object)
			if copier.Reason(err) != "checksum" {
				t.Errorf("got %v, reason %q, want the checksum as the reason", err, copier.Reason(err))
			}
			if keys := w.destination.Keys(); len(keys) != 0 {
				t.Errorf("got %q at the destination, want nothing", keys)
			}
		})
	}
}

// TestRelayLosesNoMetadata checks that an object fails if its metadata cannot be sent in headers.
func TestRelayLosesNoMetadata(t *testing.T) {
	w := newWorld(t)
	w.relaying(64 << 20)
	object := w.putText("k", "x")
	w.onBody(func(res *http.Response) { res.Header.Set("X-Amz-Missing-Meta", "1") })
	if _, err := w.copy(t, object); copier.Reason(err) != "hidden_metadata" {
		t.Errorf("got %v, reason %q, want the object quarantined for this reason", err, copier.Reason(err))
	}
}

// TestRelayOfSmallObjectsUsesItsSlots checks that small objects use many slots at once although the
// memory is enough for only a few parts.
func TestRelayOfSmallObjectsUsesItsSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 200
		w := newWorld(t)
		w.relaying(16 << 20)
		w.options.Slots = slots(many)
		w.cloud.SetLatency(50 * time.Millisecond)
		c := copier.New(w.options)
		var copies sync.WaitGroup
		for i := range many {
			object := w.putText(fmt.Sprint("k", i), "x")
			copies.Go(func() {
				if _, _, err := c.Copy(t.Context(), object, copier.Target{}, nil); err != nil {
					t.Error(err)
				}
			})
		}
		copies.Wait()
		if w.wire.worst < many/2 {
			t.Errorf("got at most %d requests at once, want near %d", w.wire.worst, many)
		}
	})
}

// TestRelayFollowsItsSource overwrites the object between any two requests of a relay. It checks
// that the copy is a single version, the newest at the time of the last read.
func TestRelayFollowsItsSource(t *testing.T) {
	const part = 8 << 20
	for _, size := range []int64{10, 2*part + 5} {
		for _, operation := range []string{"GetObject", "HeadObject", "GetObjectTagging", "PutObject", "CreateMultipartUpload", "UploadPart"} {
			t.Run(fmt.Sprintf("%d bytes before %s", size, operation), func(t *testing.T) {
				w := newWorld(t)
				w.relaying(64 << 20)
				object := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{})
				newest := awsfake.ObjectInfo{}
				w.cloud.Inject(awsfake.Fault{Operation: operation, Times: 1, Do: func() {
					newest = w.source.Put("k", awsfake.SyntheticBody(size, 2), awsfake.PutOptions{})
				}})
				result, err := w.copy(t, object)
				if err != nil {
					t.Fatal(err)
				}
				copied, _ := w.destination.Object("k")
				old := newest.Checksum == "" || copied.Checksum != newest.Checksum
				if old && result.Object.ETag != object.ETag {
					t.Errorf("the result names version %s, but the destination has another version", result.Object.ETag)
				}
				if old && operation != "PutObject" && operation != "UploadPart" && newest.Checksum != "" {
					t.Errorf("got the former version, want the newest, which was written before the last read")
				}
				if n := w.destination.Uploads(); n != 0 {
					t.Errorf("got %d unfinished uploads, want none", n)
				}
			})
		}
	}
}

// TestRelayMemory checks that Buffers never lends more than its size, however large the requested
// parts are.
func TestRelayMemory(t *testing.T) {
	w := newWorld(t)
	w.relaying(16 << 20)
	w.options.PartSize = 1 << 30
	object := w.put("k", awsfake.SyntheticBody(40<<20, 3), awsfake.PutOptions{})
	result, err := w.copy(t, object)
	if err != nil {
		t.Fatal(err)
	}
	if result.Parts != 3 {
		t.Errorf("got %d parts, want 3 of at most 16 MiB", result.Parts)
	}
}

// TestRelayOfABodyCutAtItsEnd delivers every byte of a body, and then breaks the connection before
// the response is complete. It checks that the body is read again, and that the break is not
// reported as a wrong checksum.
func TestRelayOfABodyCutAtItsEnd(t *testing.T) {
	w := newWorld(t)
	w.relaying(64 << 20)
	object := w.putText("k", "x")
	w.cloud.Inject(awsfake.Fault{Operation: "GetObject", Times: 2, Kind: awsfake.CutBody})
	if _, err := w.copy(t, object); err != nil {
		t.Fatal(err)
	}
	if got, err := w.destination.Read("k"); err != nil || string(got) != "x" {
		t.Errorf("got %q, %v, want the content", got, err)
	}
}
