package syncer_test

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/copier"
	"syncd/internal/copier/content"
	"syncd/internal/syncer"
)

// lied selects how many of the adversary's cases to run: "some" (a sample) or "all", which "make
// adversary" uses.
var lied = flag.String("lies", "some", "which false responses to test: some, all")

// deceived returns the operations that the adversary answers falsely, with the modes in which a
// pass sends them. Every operation that the program sends must be in deceived or undeceived.
func deceived() map[string][]string {
	const serverSide, relay = "server-side", "relay"
	both := []string{serverSide, relay}
	return map[string][]string{
		"ListObjectsV2": both, "HeadObject": both, "GetObject": {relay}, "GetObjectTagging": both, "PutObjectTagging": both,
		"CopyObject": {serverSide}, "PutObject": {relay},
		"CreateMultipartUpload": both, "UploadPart": {relay}, "UploadPartCopy": {serverSide}, "CompleteMultipartUpload": both,
		"AbortMultipartUpload": both, "ListParts": both, "ListMultipartUploads": both,
		"ListObjectAnnotations": both, "GetObjectAnnotation": both, "PutObjectAnnotation": both,
		"AssumeRole": both,
	}
}

// undeceived returns the operations whose responses a pass does not use, and why.
func undeceived() map[string]string {
	return map[string]string{
		"DeleteObject":       "deletes records of the ledger, which are swept again, and copies with odd keys, whose response has no content",
		"DeleteObjects":      "sent only with deletes; TestFalseAnswersToDeletes covers it",
		"GetCallerIdentity":  "of the doctor",
		"GetObjectRetention": "of the doctor, and of inspections whose HEAD shows no lock",
		"GetObjectLegalHold": "of the doctor, and of inspections whose HEAD shows no lock",
	}
}

// deceit is one case of the adversary.
type deceit struct {
	operation, mode string
	lie             awsfake.FaultKind
	once            bool // only the first request, otherwise every request
	older           bool // the destination has a copy of an older version
}

func (d deceit) String() string {
	times := map[bool]string{true: "once", false: "always"}[d.once]
	older := map[bool]string{true: "over an older copy", false: "over none"}[d.older]
	return fmt.Sprintf("%s, %s: %s, %s, %s", d.mode, d.operation, d.lie, times, older)
}

func deceits() (all []deceit) {
	for _, operation := range slices.Sorted(maps.Keys(deceived())) {
		for _, mode := range deceived()[operation] {
			for _, lie := range awsfake.Lies() {
				for _, once := range []bool{false, true} {
					for _, older := range []bool{true, false} {
						all = append(all, deceit{operation, mode, lie, once, older})
					}
				}
			}
		}
	}
	return all
}

// TestAdversary falsifies each response in each way. It checks that after two passes each object's
// newest version is at the destination, or the object is in quarantine, or the pass reported a
// failure. It also checks that the ledger records only correct copies.
func TestAdversary(t *testing.T) {
	if testing.Short() {
		t.Skip("its numbers cost too much under the race detector; make test and make adversary run it")
	}
	for _, mode := range []string{"server-side", "relay"} {
		t.Run(mode, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				for i, d := range deceits() {
					if d.mode == mode && (*lied == "all" || i%97 == 0) {
						d.try(t)
					}
				}
			})
		})
	}
}

func (d deceit) try(t *testing.T) {
	t.Helper()
	w := newWorld(t)
	w.realistic(t)
	w.copies.MultipartAbove, w.copies.PartSize, w.copies.Annotations = 5<<20, 5<<20, true
	w.cloud.SetLatency(10 * time.Millisecond) // a response replayed later then has an earlier time
	if d.mode == "relay" {
		w.copies.Relay, w.copies.Buffers = true, content.NewBuffers(32<<20)
	}
	w.both()
	w.options.Destination = w.live // uses the role's client
	there := w.live
	there.Place.Bucket, there.Place.Account = "consumer-copy", consumer
	w.options.Destination = there
	w.settle()
	if d.older {
		w.generation(1)
		if got, err := w.once(t); err != nil || got.Exit != 0 {
			t.Fatalf("%s: first pass: got %+v, %v", d, got, err)
		}
		time.Sleep(time.Hour)
	}
	w.generation(2)
	if isOfUploads(d.operation) {
		w.leaveAnUpload(t, d)
	}

	fault := awsfake.Fault{Operation: d.operation, Kind: d.lie}
	if d.once {
		fault.Times = 1
	}
	end := w.cloud.Inject(fault)
	for range 2 {
		_, err := w.once(t)
		w.wantTrue(t, d, err)
		time.Sleep(time.Hour)
	}
	end()
	time.Sleep(30 * 24 * time.Hour) // until all quarantined objects are due
	for range 2 {
		got, err := w.once(t)
		if err != nil || got.SetAside() > 0 && !d.mayLoseTrack() {
			t.Errorf("%s: afterwards: got %+v, %v, want all objects settled", d, got, err)
		}
		w.wantTrue(t, d, err)
		time.Sleep(30 * 24 * time.Hour)
	}
}

// mayLoseTrack reports whether the case is allowed to end with a copy classified as foreign. This
// is so if the response had a false ETag, which only a second request for each copy could detect.
func (d deceit) mayLoseTrack() bool {
	return d.lie == awsfake.OtherETag
}

func isOfUploads(operation string) bool {
	return slices.Contains([]string{"AbortMultipartUpload", "ListParts", "ListMultipartUploads"}, operation)
}

// generation puts the n-th generation of objects at the source: small objects, one object copied in
// parts, one with tags that do not fit in a header, and one with annotations. All sizes differ from
// the sizes in the previous generation.
func (w *world) generation(n int) {
	put := func(key string, size int64, o awsfake.PutOptions) {
		w.source.Put(key, awsfake.SyntheticBody(size, uint64(n)), o) //nolint:gosec // small
	}
	long := map[string]string{"generation": fmt.Sprint(n)}
	for i := range 9 {
		long[fmt.Sprint("tag", i)] = strings.Repeat("\u00e9", 250)
	}
	put("a", int64(10*n), awsfake.PutOptions{})
	put("b", int64(20*n), awsfake.PutOptions{})
	put("large", 9<<20+int64(n), awsfake.PutOptions{Tags: long})
	put("noted", 9<<20+int64(10*n), awsfake.PutOptions{Annotations: map[string]string{"generation": fmt.Sprint(n)}})
}

// leaveAnUpload makes a pass leave an unfinished upload. The next pass resumes it, or aborts it if
// the object has changed.
func (w *world) leaveAnUpload(t *testing.T, d deceit) {
	t.Helper()
	part := "UploadPartCopy"
	if d.mode == "relay" {
		part = "UploadPart"
	}
	end := w.cloud.Inject(awsfake.Fault{Operation: part, Key: "large", Skip: 1, Kind: awsfake.InternalError})
	if got, err := w.once(t); err != nil || got.Quarantined["transient"] != 1 {
		t.Fatalf("%s: got %+v, %v, want an unfinished upload", d, got, err)
	}
	end()
	if d.operation == "AbortMultipartUpload" {
		w.generation(3)
	}
	time.Sleep(time.Hour)
}

// once runs one pass in a new process.
func (w *world) once(t *testing.T) (syncer.Summary, error) {
	t.Helper()
	o := w.options
	o.Source, o.Copier = w.live, copier.New(w.copies)
	s := syncer.New(o)
	got, err := s.Run(t.Context())
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return got, err
}

// wantTrue checks the destination and the ledger against the source after a pass that ended with
// failure, which may be nil.
func (w *world) wantTrue(t *testing.T, d deceit, failure error) {
	t.Helper()
	entries, aside := w.entries(t), w.quarantine(t)
	for _, key := range w.source.Keys() {
		newest, _ := w.source.Object(key)
		copied, ok := w.destination.Object(key)
		isNewest := ok && copied.Checksum == newest.Checksum && copied.Size == newest.Size && copied.KeyARN == w.key.ARN() &&
			len(copied.Tags) == len(newest.Tags) && len(copied.Annotations) == len(newest.Annotations)
		_, isAside := aside[key]
		if !isNewest && !isAside && failure == nil {
			t.Errorf("%s: %s is not copied and not quarantined: got %d bytes of %d", d, key, copied.Size, newest.Size)
		}
		if e, ok := entries[key]; ok && e.Source.ETag == `"`+newest.ETag+`"` && !isNewest {
			t.Errorf("%s: the ledger has an entry for %s, but the destination has %d bytes of %d", d, key, copied.Size, newest.Size)
		}
	}
	for _, key := range w.destination.Keys() {
		if _, ok := w.source.Object(key); !ok {
			t.Errorf("%s: the destination has %q", d, key)
		}
	}
}

// TestAdversaryKnowsEveryOperation checks that the adversary covers exactly the operations that the
// code sends.
func TestAdversaryKnowsEveryOperation(t *testing.T) {
	inputs := regexp.MustCompile(`\b(?:s3|sts)\.([A-Z][A-Za-z0-9]*)Input\{`)
	sent := map[string]bool{}
	for _, root := range []string{"..", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "awsfake") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, match := range inputs.FindAllSubmatch(text, -1) {
				sent[string(match[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	known := deceived()
	for operation := range sent {
		if known[operation] == nil && undeceived()[operation] == "" {
			t.Errorf("%s is sent, but the adversary does not cover it", operation)
		}
		delete(known, operation)
	}
	for operation := range known {
		t.Errorf("the adversary covers %s, which is not sent", operation)
	}
}
