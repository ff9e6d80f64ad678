package copier_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/copier"
)

func manyAnnotations() map[string]string {
	all := map[string]string{"large": strings.Repeat("x", 1<<20), "beyond ASCII: é": "caf\u00e9", "short": "1"}
	for i := range 20 {
		all[fmt.Sprint("note ", i)] = fmt.Sprint("payload ", i)
	}
	return all
}

// TestCopyCarriesAnnotations checks that every way of copying copies annotations only if enabled.
func TestCopyCarriesAnnotations(t *testing.T) {
	for _, asked := range []bool{true, false} {
		for way, w := range ways(t) {
			t.Run(fmt.Sprint(way, ", enabled: ", asked), func(t *testing.T) {
				w.options.Annotations = asked
				want := map[string]string(nil)
				if asked {
					want = manyAnnotations()
				}
				object := w.put("k", awsfake.SyntheticBody(w.size, 1), awsfake.PutOptions{Annotations: manyAnnotations()})
				if _, copied := w.mustCopy(t, object); !cmp.Equal(copied.Annotations, want) {
					t.Errorf("got %d annotations, want %d", len(copied.Annotations), len(want))
				}
				if n := w.cloud.Requests()["ListObjectAnnotations"]; !asked && n > 0 {
					t.Errorf("got %d requests for annotations, want none", n)
				}
			})
		}
	}
}

// TestAnnotationsOfAnotherVersion overwrites the source while its annotations are read. It checks
// that the copy is the newest version with its own annotations.
func TestAnnotationsOfAnotherVersion(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			w.options.Annotations = true
			object := w.put("k", awsfake.SyntheticBody(w.size, 1), awsfake.PutOptions{Annotations: map[string]string{"a": "1", "b": "1"}})
			w.cloud.Inject(awsfake.Fault{Operation: "GetObjectAnnotation", Times: 1, Do: func() {
				w.put("k", awsfake.SyntheticBody(w.size, 2), awsfake.PutOptions{Annotations: map[string]string{"b": "2"}})
			}})
			w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Times: 1, Do: func() {
				w.put("k", awsfake.SyntheticBody(w.size, 2), awsfake.PutOptions{Annotations: map[string]string{"b": "2"}})
			}})
			_, copied := w.mustCopy(t, object)
			if newest, _ := w.source.Object("k"); copied.Checksum != newest.Checksum || !cmp.Equal(copied.Annotations, newest.Annotations) {
				t.Errorf("got %+v, want the newest version and its annotations", copied)
			}
		})
	}
}

// TestAnnotationsThatFail checks that if annotations cannot be copied, Copy returns an error, and
// its result ours names the object that was written, so that the next attempt replaces that object.
func TestAnnotationsThatFail(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			w.options.Annotations = true
			object := w.put("k", awsfake.SyntheticBody(w.size, 1), awsfake.PutOptions{Annotations: map[string]string{"a": "1"}})
			operation := "PutObjectAnnotation"
			if !w.options.Relay && w.size < 1<<20 {
				operation = "CopyObject" // by default CopyObject copies annotations
			}
			mend := w.cloud.Inject(awsfake.Fault{Operation: operation, Kind: awsfake.AccessDenied})
			_, ours, err := copier.New(w.options).Copy(t.Context(), object, copier.Target{}, nil)
			if awserr.Classify(err) != awserr.Denied {
				t.Fatalf("got %v, want class denied", err)
			}
			if operation == "PutObjectAnnotation" && (ours.ETag == "" || !strings.Contains(err.Error(), "copy.annotations: omit")) {
				t.Errorf("got %+v and %v, want the copy in ours, and a hint", ours, err)
			}
			mend()
			if _, _, err := copier.New(w.options).Copy(t.Context(), object, copier.Target{Known: ours.ETag, OursSince: ours.Since}, nil); err != nil {
				t.Fatal(err)
			}
			if copied, _ := w.destination.Object("k"); copied.Annotations["a"] != "1" {
				t.Errorf("got annotations %v after the next attempt", copied.Annotations)
			}
		})
	}
}

// TestUnfinishedCopyIsNotAdopted checks that a copy is not adopted if the process that made it was
// killed before it set the tags or annotations.
func TestUnfinishedCopyIsNotAdopted(t *testing.T) {
	long := map[string]string{}
	for i := range 10 {
		long[fmt.Sprint("tag", i)] = strings.Repeat("\u00e9", 250)
	}
	for what, o := range map[string]awsfake.PutOptions{"tags": {Tags: long}, "annotations": {Annotations: map[string]string{"a": "1"}}} {
		for way, w := range ways(t) {
			t.Run(what+", "+way, func(t *testing.T) {
				w.options.Annotations = true
				began := time.Now()
				object := w.put("k", awsfake.SyntheticBody(w.size, 1), o)
				w.destination.Put("k", awsfake.SyntheticBody(w.size, 1), awsfake.PutOptions{KeyARN: w.key.ARN()})
				target := w.asListed()
				target.OursSince = began
				result, _, err := copier.New(w.options).Copy(t.Context(), object, target, nil)
				copied, _ := w.destination.Object("k")
				if err != nil || result.Adopted || !maps.Equal(copied.Tags, o.Tags) || !maps.Equal(copied.Annotations, o.Annotations) {
					t.Errorf("got adopted %t, %v, with %d tags and annotations %v", result.Adopted, err, len(copied.Tags), copied.Annotations)
				}
			})
		}
	}
}
