package page_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/listing/page"
)

// decode decodes a page and returns its objects.
func decode(body io.Reader) (page.Head, []page.Entry, error) {
	var objects []page.Entry
	head, err := page.Decode(body, func(e page.Entry) { objects = append(objects, e) })
	return head, objects, err
}

// whole is a page with each kind of markup.
const whole = `<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment - with a dash --><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/" xmlns:x='a"b&gt;]]>'>
 <Name>b</Name><Prefix/><KeyCount>3</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>
 <IsTruncated>true</IsTruncated><NextContinuationToken>1&amp;2</NextContinuationToken>
 <Contents><Key>a&lt;&gt;&amp;&quot;&apos;&#10;&#x1F600;</Key><LastModified>2026-02-28T03:04:05.678Z</LastModified><ETag>&quot;e1&quot;</ETag><Size>12</Size><StorageClass>STANDARD</StorageClass><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><Owner><ID>1</ID><Key>not this one</Key></Owner></Contents>
 <x:Contents a = "1" ><x:Key >caf` + "\u00e9" + `<![CDATA[<b>&amp;]]]]></x:Key ><Size>+7</Size><x:StorageClass>STANDARD</x:StorageClass><RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress></RestoreStatus></x:Contents>
 <CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>
 <Unknown><Contents><Key>nor this one</Key></Contents><a><b><a/></b></a></Unknown>
 <Contents><Key>one<!-- two --><?three?>four` + "\r\n\r" + `</Key><ETag/><Size>-1</Size></Contents><Contents/>
</ListBucketResult>
<?end?>
`

func wholePage() (page.Head, []page.Entry) {
	return page.Head{IsTruncated: new(true), EncodingType: "url", NextContinuationToken: new("1&2"), KeyCount: new(int32(3))}, []page.Entry{
		{Key: "a<>&\"'\n\U0001F600", ETag: `"e1"`, Size: 12, LastModified: time.Date(2026, 2, 28, 3, 4, 5, 678e6, time.UTC), StorageClass: "STANDARD"},
		{Key: "caf\u00e9<b>&amp;]]", Size: 7, StorageClass: "STANDARD"},
		{Key: "onefour\n\n", Size: -1},
		{},
	}
}

// TestDecode checks that a page with each kind of markup is decoded, however its bytes arrive.
func TestDecode(t *testing.T) {
	wantHead, want := wholePage()
	for name, body := range map[string]io.Reader{
		"at once":              strings.NewReader(whole),
		"byte by byte":         iotest.OneByteReader(strings.NewReader(whole)),
		"in halves":            iotest.HalfReader(strings.NewReader(whole)),
		"with its end":         iotest.DataErrReader(strings.NewReader(whole)),
		"after much space":     io.MultiReader(strings.NewReader(strings.Repeat(" ", 100_000)), strings.NewReader(strings.TrimPrefix(whole, `<?xml version="1.0" encoding="UTF-8"?>`))),
		"after an order mark":  strings.NewReader("\ufeff" + whole),
		"before much space":    strings.NewReader(whole + strings.Repeat("\n", 100_000)),
		"between much ignored": strings.NewReader(strings.Replace(whole, "<Unknown>", "<Unknown>"+strings.Repeat("<i>x</i>y\u00e9", 100_000), 1)),
	} {
		head, got, err := decode(body)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: got %v, objects (-want +got):\n%s", name, err, diff)
		}
		if diff := cmp.Diff(wantHead, head); diff != "" {
			t.Errorf("%s: head (-want +got):\n%s", name, diff)
		}
	}
}

// TestDecodeACutPage checks that a page that is cut at any byte is an error, whether the body ends
// there or fails.
func TestDecodeACutPage(t *testing.T) {
	text := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(whole), "<?end?>"))
	broken := errors.New("broken")
	for n := range len(text) {
		if _, _, err := decode(strings.NewReader(text[:n])); err == nil {
			t.Errorf("cut at byte %d, after %q: got no error", n, text[max(0, n-20):n])
		}
		if _, _, err := decode(io.MultiReader(strings.NewReader(text[:n]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("broken at byte %d, after %q: got %v, want %v", n, text[max(0, n-20):n], err, broken)
		}
	}
	if _, _, err := decode(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("broken after the page: got %v, want %v", err, broken)
	}
}

// TestDecodeRefuses checks what is not a page.
func TestDecodeRefuses(t *testing.T) {
	in := func(text string) string { return "<L><IsTruncated>false</IsTruncated>" + text + "</L>" }
	for name, tt := range map[string]struct{ body, text string }{
		"wrong end":                   {in("<Contents><Key>a</Contents></Key>"), "a wrong end tag"},
		"end of a longer name":        {in("<Key>a</Keys>"), "a wrong end tag"},
		"end with another prefix":     {in("<x:a></y:a>"), "a wrong end tag"},
		"end after an empty element":  {in("<Contents><Key/>k</Key>"), "a wrong end tag"},
		"end without a start":         {"</L>", "an element that was not open"},
		"second root":                 {in("") + "<L/>", "an element after the root element"},
		"text after the root":         {in("") + "x", "text outside the root element"},
		"end after the root":          {in("") + "</L>", "an element after the root element"},
		"text before the root":        {"x" + in(""), "text outside the root element"},
		"CDATA before the root":       {"<![CDATA[ ]]>" + in(""), "invalid markup"},
		"unknown reference":           {in("&nbsp;"), "an invalid reference"},
		"reference without an end":    {in("&amp and so on, for much longer than a reference can be"), "an invalid reference"},
		"empty reference":             {in("&;"), "an invalid reference"},
		"no number":                   {in("&#;"), "an invalid reference"},
		"no hexadecimal number":       {in("&#x;"), "an invalid reference"},
		"number with a sign":          {in("&#-65;"), "an invalid reference"},
		"NUL":                         {in("&#0;"), "invalid character U+0000"},
		"surrogate":                   {in("&#xD800;"), "invalid character U+D800"},
		"beyond Unicode":              {in("&#x110000;"), "invalid character U+110000"},
		"far beyond Unicode":          {in("&#x100000041;"), "an invalid reference"},
		"control character":           {in("a\x01b"), "invalid character U+0001"},
		"control character in CDATA":  {in("<![CDATA[\x01]]>"), "invalid character U+0001"},
		"no character":                {in("a\uffffb"), "invalid character U+FFFF"},
		"another no character":        {in("a\ufffeb"), "invalid character U+FFFE"},
		"not UTF-8":                   {in("a\xffb"), "invalid UTF-8"},
		"end of CDATA in text":        {in("]]>"), "]]> outside of CDATA"},
		"long end of CDATA in text":   {in("a]]]>"), "]]> outside of CDATA"},
		"DOCTYPE":                     {`<!DOCTYPE a [<!ENTITY b "c">]>` + in(""), "invalid markup"},
		"two dashes in a comment":     {in("<!-- -- -->"), "-- inside a comment"},
		"attribute without a value":   {in("<a b>"), "invalid markup"},
		"attribute without quotes":    {in("<a b=c>"), "an attribute without a quoted value"},
		"tag in an attribute":         {in(`<a b="<">`), "a tag inside a quoted value"},
		"space before a name":         {in("< a/>"), "an invalid name"},
		"space in an empty tag":       {in("<a / >"), "invalid markup"},
		"name of a digit":             {in("<1/>"), "an invalid name"},
		"name of no letter":           {in("<a\u00d7/>"), "an invalid name"},
		"two prefixes":                {in("<a:b:c/>"), "an invalid name"},
		"XML 1.1":                     {`<?xml version="1.1"?>` + in(""), "a version of XML other than 1.0"},
		"Latin-1":                     {`<?xml version="1.0" encoding="ISO-8859-1"?>` + in(""), "an encoding other than UTF-8"},
		"element in a key":            {in("<Contents><Key>a<b/></Key></Contents>"), "an element inside a value"},
		"a size that is no number":    {in("<Contents><Size>1_0</Size></Contents>"), "read Size"},
		"an empty size":               {in("<Contents><Size/></Contents>"), "read Size"},
		"a size that is too large":    {in("<Contents><Size>9223372036854775808</Size></Contents>"), "read Size"},
		"a time that is none":         {in("<Contents><LastModified>2026-02-30T00:00:00Z</LastModified></Contents>"), "read LastModified"},
		"a count that is none":        {in("<KeyCount>many</KeyCount>"), "read KeyCount"},
		"neither truncated nor whole": {"<L><IsTruncated>perhaps</IsTruncated></L>", "read IsTruncated"},
		"long key":                    {in("<Contents><Key>" + strings.Repeat("k", 64<<10+1) + "</Key></Contents>"), "a value of more than 65536 bytes"},
		"long name":                   {in("<" + strings.Repeat("n", 64<<10) + "/>"), "names that are too long"},
		"deep":                        {strings.Repeat("<d>", 64<<10+1), "names that are too long"},
		"long instruction":            {"<?a " + strings.Repeat("i", 64<<10+1), "a processing instruction that is too long"},
		"many entries":                {in(strings.Repeat("<Contents/>", 999) + strings.Repeat("<CommonPrefixes/>", 2)), "a page of more than 1000 entries"},
	} {
		if _, _, err := decode(strings.NewReader(tt.body)); err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: got %v, want an error that contains %q", name, err, tt.text)
		}
	}
}

// TestDecodeAccepts checks values at the limits, and bodies without an element.
func TestDecodeAccepts(t *testing.T) {
	for name, body := range map[string]string{
		"long key":     "<L><Contents><Key>" + strings.Repeat("k", 64<<10) + "</Key></Contents></L>",
		"many entries": "<L>" + strings.Repeat("<Contents/>", 999) + "<CommonPrefixes/></L>",
		"other case":   "<L><contents><KEY>k</KEY></contents></L>",
		"unicode name": "<L><\u00e9l\u00e9ment/></L>",
	} {
		if _, objects, err := decode(strings.NewReader(body)); err != nil || name != "unicode name" && len(objects) == 0 {
			t.Errorf("%s: got %d objects, %v", name, len(objects), err)
		}
	}
	for _, body := range []string{"", " \n", "<?xml version='1.0'?>", "<!-- nothing -->"} {
		if _, _, err := decode(strings.NewReader(body)); !errors.Is(err, io.EOF) {
			t.Errorf("%q: got %v, want %v", body, err, io.EOF)
		}
	}
	if _, _, err := decode(silent{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a body that never returns anything: got %v, want %v", err, io.ErrNoProgress)
	}
}

// silent is a body whose reads return nothing.
type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

// TestDecodeTimes checks that times are parsed as by the SDK.
func TestDecodeTimes(t *testing.T) {
	texts := []string{"2026-01-02T03:04:05,678Z", "2026-01-02T03:04:05+01:00", "2026-01-02T03:04:05", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2026-01-02", ""}
	for _, date := range []string{"2026-02-28", "2026-02-29", "2024-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "2026-04-31", "2026-1-02x"} {
		for _, clock := range []string{"00:00:00", "23:59:59", "24:00:00", "00:60:00", "00:00:60"} {
			for _, fraction := range []string{"", ".", ".0", ".123", ".123456789", ".1234567891"} {
				texts = append(texts, date+"T"+clock+fraction+"Z")
			}
		}
	}
	for _, text := range texts {
		body := fmt.Sprintf("<L><Contents><LastModified>%s</LastModified></Contents></L>", text)
		_, got, err := decode(strings.NewReader(body))
		_, want, wantErr := decodeReference(strings.NewReader(body))
		if (err == nil) != (wantErr == nil) || err == nil && got[0] != want[0] {
			t.Errorf("%q: got %v, %v, want %v, %v", text, got, err, want, wantErr)
		}
	}
}
