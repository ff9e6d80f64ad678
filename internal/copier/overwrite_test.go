package copier_test

import (
	"fmt"
	"net/http"
	"testing"

	"syncd/internal/awsfake"
	"syncd/internal/copier"
)

// TestOverwriteBeforeAnyRequest overwrites the source before each request of a copy in turn, in
// every way of copying. It checks that the copy is a single version with its own metadata and tags,
// that the result names that version, and that no newer version existed when the source was last
// read.
func TestOverwriteBeforeAnyRequest(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			size := w.size
			undisturbed := overwriteBefore(t, w, size, -1)
			for n := range undisturbed {
				t.Run(fmt.Sprintf("request %d of %d", n+1, undisturbed), func(t *testing.T) {
					fresh := newParted(t)
					if w.options.Relay {
						fresh.relaying(64 * mib)
					}
					overwriteBefore(t, fresh, size, n)
				})
			}
		})
	}
}

// overwriteBefore copies an object that is overwritten before the n-th request, and returns how
// many requests the copy took.
func overwriteBefore(t *testing.T, w *world, size int64, n int) (requests int) {
	t.Helper()
	version := func(v uint64) awsfake.ObjectInfo {
		by := map[string]string{"version": fmt.Sprint(v)}
		return w.source.Put("k", awsfake.SyntheticBody(size, v), awsfake.PutOptions{Metadata: by, Tags: by})
	}
	object, versions := listed(version(1)), map[string]string{}
	w.options.Slots = slots(1)
	readSince := false // whether the source was read after it was overwritten
	w.wire.before = func(r *http.Request) {
		if requests == n {
			version(2)
		}
		readSince = readSince || n >= 0 && requests >= n && reads(r)
		requests++
	}
	left := &uploadRecord{}
	result, _, err := copier.New(w.options).Copy(t.Context(), object, copier.Target{}, left)
	w.wire.before = nil
	if err != nil {
		t.Fatalf("overwritten before request %d: %v", n, err)
	}
	for v := range uint64(2) {
		o := w.source.Put("proof", awsfake.SyntheticBody(size, v+1), awsfake.PutOptions{})
		versions[o.Checksum] = fmt.Sprint(v + 1)
	}
	copied, _ := w.destination.Object("k")
	got := versions[copied.Checksum]
	if got == "" || copied.Metadata["version"] != got || copied.Tags["version"] != got {
		t.Errorf("got content %q with metadata %v and tags %v, want one version", got, copied.Metadata, copied.Tags)
	}
	if (result.Object.ETag == object.ETag) != (got == "1") {
		t.Errorf("got a result for %s and content of version %s", result.Object.ETag, got)
	}
	if readSince && got != "2" {
		t.Errorf("got the former version, although the source was read after it was overwritten")
	}
	if w.destination.Uploads() != 0 || left.open {
		t.Errorf("got %d unfinished uploads, recorded %v, want none", w.destination.Uploads(), left.open)
	}
	return requests
}

// reads reports whether a request reads the source.
func reads(r *http.Request) bool {
	return r.Method == http.MethodHead || r.Method == http.MethodGet || r.Header.Get("X-Amz-Copy-Source") != ""
}
