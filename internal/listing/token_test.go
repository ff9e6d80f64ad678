package listing_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"syncd/internal/listing"
)

// raw returns the XML of a page from a service that does not encode keys; more is the XML after the
// keys.
func raw(more string, keys ...string) string {
	var b strings.Builder
	b.WriteString(`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`)
	for _, key := range keys {
		fmt.Fprintf(&b, `<Contents><Key>%s</Key><ETag>"e"</ETag><Size>1</Size></Contents>`, key)
	}
	return b.String() + more + "</ListBucketResult>"
}

const last = "<IsTruncated>false</IsTruncated>"

// truncated returns the end of a page that is not the last, with a continuation token.
func truncated(token string) string {
	return "<IsTruncated>true</IsTruncated><NextContinuationToken>" + token + "</NextContinuationToken>"
}

// TestListContinuesAfterPagesWithoutKeys checks listings with truncated empty pages, which a
// service can return after skipping only deleted objects.
func TestListContinuesAfterPagesWithoutKeys(t *testing.T) {
	for name, tt := range map[string]struct {
		pages []string
		want  []string
		text  string // text that the error must contain; "" for no error
	}{
		"one":                 {[]string{raw(truncated("t1")), raw(last, "a")}, []string{"a"}, ""},
		"two":                 {[]string{raw(truncated("t1")), raw(truncated("t2")), raw(last, "a")}, []string{"a"}, ""},
		"between keys":        {[]string{raw(truncated("t1"), "a"), raw(truncated("t2")), raw(last, "b")}, []string{"a", "b"}, ""},
		"the last is empty":   {[]string{raw(truncated("t1"), "a"), raw(truncated("t2")), raw(last)}, []string{"a"}, ""},
		"the same token":      {[]string{raw(truncated("t1"), "a"), raw(truncated("t2")), raw(truncated("t2"))}, []string{"a"}, "with the same continuation token again"},
		"no token":            {[]string{raw(truncated("t1"), "a"), raw("<IsTruncated>true</IsTruncated>")}, []string{"a"}, "without a continuation token"},
		"an empty token":      {[]string{raw(truncated("t1"), "a"), raw(truncated(""))}, []string{"a"}, "without a continuation token"},
		"a key from before":   {[]string{raw(truncated("t1"), "b"), raw(truncated("t2")), raw(last, "a")}, []string{"b"}, "does not list in key order"},
		"a size that is none": {[]string{strings.Replace(raw(last, "a"), "<Size>1<", "<Size>-1<", 1)}, []string{}, "an invalid size"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := list(t, newWorld(t).over(&answers{bodies: tt.pages}), listing.Range{})
			if (err == nil) != (tt.text == "") || err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got error %v, want one that contains %q", err, tt.text)
			}
			if !slices.Equal(keysOf(got), tt.want) {
				t.Errorf("got keys %q, want %q", keysOf(got), tt.want)
			}
		})
	}
}

// TestListEndsAmongPagesWithoutKeys checks that a listing fails if a service keeps returning
// truncated empty pages with different tokens.
func TestListEndsAmongPagesWithoutKeys(t *testing.T) {
	for name, tt := range map[string]struct {
		empty int
		end   string
		text  string // text that the error must contain; "" for no error
	}{
		"as many as can be": {1000, last, ""},
		"without end":       {1001, truncated("end"), "more than 1000 truncated empty pages in succession"},
		"two in turn":       {0, "", "more than 1000 truncated empty pages in succession"},
	} {
		pages := &answers{}
		for i := range tt.empty {
			pages.bodies = append(pages.bodies, raw(truncated(fmt.Sprint("t", i))))
		}
		var service http.RoundTripper = pages
		if pages.bodies = append(pages.bodies, raw(tt.end)); tt.empty == 0 {
			service = turns{raw(truncated("t1")), raw(truncated("t2"))}.next()
		}
		_, err := list(t, newWorld(t).over(service), listing.Range{})
		if (err == nil) != (tt.text == "") || err != nil && !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: got error %v, want one that contains %q", name, err, tt.text)
		}
	}
}

// turns are pages that are returned in turn, repeatedly.
type turns [2]string

func (p turns) next() http.RoundTripper {
	pages := &answers{}
	for range 2000 {
		pages.bodies = append(pages.bodies, p[:]...)
	}
	return pages
}

// TestListSendsTheToken checks the request after a page without keys: it has the page's token, and
// no key to start after.
func TestListSendsTheToken(t *testing.T) {
	var asked []string
	pages := &answers{bodies: []string{raw(truncated("t1"), "a"), raw(truncated("t2")), raw(last, "b")}}
	l := newWorld(t).over(observer{pages, func(r *http.Request) {
		asked = append(asked, r.URL.Query().Get("start-after")+"|"+r.URL.Query().Get("continuation-token"))
	}})
	if _, err := list(t, l, listing.Range{}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"|", "a|", "|t2"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

// TestListAcceptsUnencodedKeys checks a service that ignores the requested encoding and reports
// none.
func TestListAcceptsUnencodedKeys(t *testing.T) {
	want := []string{"100%", "a+b", "a/b%20c", "caf\u00e9"}
	l := newWorld(t).over(&answers{bodies: []string{raw(last, want...)}})
	if got, err := list(t, l, listing.Range{}); err != nil || !slices.Equal(keysOf(got), want) {
		t.Errorf("got %q, %v, want %q", keysOf(got), err, want)
	}
	for _, key := range want {
		got, ok, err := newWorld(t).over(&answers{bodies: []string{raw(last, key)}}).Lookup(t.Context(), key)
		if err != nil || !ok || got.Key != key {
			t.Errorf("look up %q: got %q, %t, %v", key, got.Key, ok, err)
		}
	}
}

func TestListRefusesAKeyOutsideThePrefix(t *testing.T) {
	l := newWorld(t).over(&answers{bodies: []string{raw(last, "exports/a", "exportsx")}})
	l.Place.Prefix = "exports/"
	got, err := list(t, l, listing.Range{})
	if len(got) != 1 || err == nil || !strings.Contains(err.Error(), `"exportsx", which does not have that prefix`) {
		t.Errorf("got %q, %v, want an error for the key outside", keysOf(got), err)
	}
}

// TestLookup checks that Lookup finds a key among longer keys that begin with it.
func TestLookup(t *testing.T) {
	l := newWorld(t, "a", "a+b", "ab", "b/c", "b/c/d", "a!").live()
	for key, want := range map[string]bool{"a": true, "a+b": true, "b/c": true, "b/": false, "b": false, "c": false, "a ": false} {
		got, ok, err := l.Lookup(t.Context(), key)
		if err != nil || ok != want || ok && got.Key != key {
			t.Errorf("%q: got %q, %t, %v, want %t", key, got.Key, ok, err, want)
		}
	}
}

// TestRelist checks that Relist finds a key even if neighboring keys were written or deleted after
// the first listing.
func TestRelist(t *testing.T) {
	w := newWorld(t, "a", "b", "c", "d")
	w.bucket.Delete("b")
	for _, tt := range []struct {
		after, key string
		want       bool
	}{{"", "a", true}, {"a", "b", false}, {"a", "c", true}, {"c", "d", true}, {"d", "e", false}, {"", "d", true}} {
		got, err := w.live().Relist(t.Context(), tt.after, tt.key)
		if err != nil || got != tt.want {
			t.Errorf("%q after %q: got %t, %v, want %t", tt.key, tt.after, got, err, tt.want)
		}
	}
	if _, err := w.over(&answers{bodies: []string{errorPage}}).Relist(t.Context(), "", "a"); err == nil {
		t.Error("got no error from a listing that failed")
	}
}
