package page_test

import (
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// stricter matches the errors for documents that encoding/xml accepts, but page.Decode does not.
var stricter = regexp.MustCompile(`^(invalid markup|the invalid character U\+D[89A-F]|an invalid reference|names that are too long|a processing instruction)`)

// isStricter reports whether page.Decode may reject a document that encoding/xml accepts. The
// function names for each error what must be in the document.
func isStricter(body string, err error) bool {
	switch found := stricter.FindString(err.Error()); {
	case found == "":
		return false
	case found == "invalid markup": // a declaration, or CDATA outside the root element
		return strings.Contains(body, "<!")
	case strings.HasPrefix(found, "the invalid character"):
		return strings.Contains(body, "&#")
	case found == "an invalid reference": // more than 32 digits
		return regexp.MustCompile(`&#x?0{28,}`).MatchString(body)
	default:
		return len(body) > 64<<10
	}
}

// FuzzDecode checks that a document gives the same page as with encoding/xml, or an error with both,
// and that it gives the same result byte by byte.
func FuzzDecode(f *testing.F) {
	f.Add(whole)
	for i := range whole {
		if whole[i] == '<' {
			f.Add(whole[:i] + "<L xmlns:a='b'><![CDATA[]]><!---->" + whole[i:])
		}
	}
	for _, body := range []string{
		"", "\ufeff<a/>", "<a></a >", "<a:b></a:b>", "<:a/>", "<a:/>", "<a b='c'd=\"e\"/>", "<a>]]></a>", "<a>]]&gt;</a>", "<a b=']]>'/>", "<?xml?><a/>", "<?xml version='2'?><a/>",
		"<a>&#xD800;&#xdfff;</a>", "<a>&#00000000000000000000000000000000000065;</a>", "<a><!DOCTYPE></a>", "<a/><b/>", "<a/>x", "<a>\r\r\n&#13;\n</a>", "<a>\x00</a>", "<a>\xc3</a>",
		"<a>" + "<Contents><Key>\r\n</Key><Key>2</Key><Size>-0</Size></Contents>" + "</a>", "<a><\u017fize/></a>", "<L><Content\u017f><\u212aey>k</\u212aey></Content\u017f></L>", "<L><a:Contents/></L>", "<L><:Contents/><Contents:/></L>",
		"<L><!--->--></L>", "<L><!----></L>", "<?a?b?><L/>", "<L><![CDATA[]]]]><![CDATA[>]]></L>", "<L a='&lt;'>&lt</L>", "<L><Contents><Key>a&#x;</Key></Contents></L>",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		head, got, err := decode(strings.NewReader(body))
		wantHead, want, wantErr := decodeReference(strings.NewReader(body))
		switch {
		case err != nil && wantErr == nil && !isStricter(body, err):
			t.Errorf("got %v, want no error", err)
		case err == nil && wantErr != nil:
			t.Errorf("got no error, want %v", wantErr)
		case err == nil && !cmp.Equal(want, got):
			t.Errorf("objects (-want +got):\n%s", cmp.Diff(want, got))
		case err == nil && !cmp.Equal(wantHead, head):
			t.Errorf("head (-want +got):\n%s", cmp.Diff(wantHead, head))
		}
		headAgain, again, errAgain := decode(iotest.OneByteReader(strings.NewReader(body)))
		if (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
			t.Errorf("byte by byte: got %v, want %v", errAgain, err)
		}
		if err == nil && (!cmp.Equal(got, again) || !cmp.Equal(head, headAgain)) {
			t.Errorf("byte by byte: got %v, %v, want %v, %v", headAgain, again, head, got)
		}
	})
}
