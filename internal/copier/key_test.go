package copier_test

import (
	"errors"
	"strings"
	"testing"

	"syncd/internal/copier"
)

func TestCopyOfAwkwardKeys(t *testing.T) {
	w := newWorld(t)
	for _, key := range []string{
		"a b", "+", "%2B", "100%", "k?versionId=null", "a&b=c;d#e", "[x]", "//", "/leading", "a//b", "a/", ".", "..", "a/../b", "./a",
		"tab\tnewline\n", "\x01", "caf\u00e9", "cafe\u0301", "\u65e5\u672c", "\U0001f600", "quote\"'<>\\`{}|^~", strings.Repeat("k", 1024),
	} {
		object := w.putText(key, key)
		result, _ := w.mustCopy(t, object)
		if got, err := w.destination.Read(key); result.DestinationKey != key || string(got) != key {
			t.Errorf("%q: got %q with %q, %v", key, result.DestinationKey, got, err)
		}
	}
}

func TestDestinationKey(t *testing.T) {
	long := strings.Repeat("k", 1000)
	for _, tt := range []struct{ from, to, key, want string }{
		{"", "", "a", "a"},
		{"", "in/", "a", "in/a"},
		{"out/", "", "out/a", "a"},
		{"out/", "in/", "out/a", "in/a"},
		{"out/", "in/", "out/out/a", "in/out/a"},
		{"out/", "in/", "out//a/../b", "in//a/../b"},
		{"out/", "in/", "out/", "in/"},
		{"out/", "", "out/", ""},
		{"", strings.Repeat("p", 24), long, strings.Repeat("p", 24) + long},
		{"", strings.Repeat("p", 25), long, ""},
		{"", strings.Repeat("\u00e9", 12), long, strings.Repeat("\u00e9", 12) + long},
		{"", strings.Repeat("\u00e9", 13), long, ""},
	} {
		w := newWorld(t)
		w.options.SourcePlace.Prefix, w.options.DestinationPlace.Prefix = tt.from, tt.to
		got, err := copier.New(w.options).DestinationKey(tt.key)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%q from %q to %q: got %q, %v, want %q", tt.key, tt.from, tt.to, got, err, tt.want)
		}
	}
}

func TestCopyToAnInvalidKey(t *testing.T) {
	w := newWorld(t)
	object := w.putText(strings.Repeat("k", 1000), "x")
	w.options.DestinationPlace.Prefix = strings.Repeat("p", 25)
	_, err := w.copy(t, object)
	if !errors.Is(err, copier.ErrKeyUnrepresentable) || copier.Reason(err) != "key_unrepresentable" {
		t.Errorf("got %v, reason %q, want key_unrepresentable", err, copier.Reason(err))
	}
	if got := w.cloud.Requests(); len(got) != 0 {
		t.Errorf("got requests %v, want none", got)
	}
}
