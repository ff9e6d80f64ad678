package wire

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"
)

// XML writes XML as S3 does. encoding/xml replaces control characters, but S3 sends them as
// references ("&#x1;"), which XML 1.0 parsers reject. So a client that forgets encoding-type=url
// fails with the fake as it does with S3.
type XML struct{ b bytes.Buffer }

// NewXML starts a document.
func NewXML() *XML {
	x := &XML{}
	x.b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	return x
}

// Bytes returns the document written so far.
func (x *XML) Bytes() []byte { return x.b.Bytes() }

// Open opens an element.
func (x *XML) Open(name string) {
	x.b.WriteByte('<')
	x.b.WriteString(name)
	x.b.WriteByte('>')
}

// OpenNS opens an element with a namespace.
func (x *XML) OpenNS(name, namespace string) { x.Open(name + ` xmlns="` + namespace + `"`) }

// Close closes an element.
func (x *XML) Close(name string) {
	x.b.WriteString("</")
	x.b.WriteString(name)
	x.b.WriteByte('>')
}

// Element writes an element with text.
func (x *XML) Element(name, value string) {
	x.Open(name)
	x.Text(value)
	x.Close(name)
}

// Optional writes an element unless its value is empty.
func (x *XML) Optional(name, value string) {
	if value != "" {
		x.Element(name, value)
	}
}

// Number writes an element with a number.
func (x *XML) Number(name string, n int64) {
	x.Open(name)
	x.b.Write(strconv.AppendInt(x.b.AvailableBuffer(), n, 10))
	x.Close(name)
}

// Boolean writes an element with a boolean.
func (x *XML) Boolean(name string, v bool) { x.Element(name, strconv.FormatBool(v)) }

// Time writes a time as listings do: ISO 8601 in UTC, with milliseconds that are always ".000".
func (x *XML) Time(name string, t time.Time) {
	x.Open(name)
	x.b.Write(t.UTC().AppendFormat(x.b.AvailableBuffer(), "2006-01-02T15:04:05.000Z"))
	x.Close(name)
}

// Text writes escaped text.
func (x *XML) Text(s string) {
	from := 0
	for i := 0; i < len(s); i++ {
		escaped := escapeXML(s[i])
		if escaped == "" {
			continue
		}
		x.b.WriteString(s[from:i])
		x.b.WriteString(escaped)
		from = i + 1
	}
	x.b.WriteString(s[from:])
}

func escapeXML(c byte) string {
	switch {
	case c == '<':
		return "&lt;"
	case c == '>':
		return "&gt;"
	case c == '&':
		return "&amp;"
	case c == '"':
		return "&quot;"
	case c < 0x20 && c != '\t':
		return "&#x" + strconv.FormatInt(int64(c), 16) + ";"
	case c == utf8.RuneSelf-1:
		return "&#x7f;"
	}
	return ""
}

// List writes a list of the query protocol with n members. It calls write for each.
func (x *XML) List(name string, n int, write func(i int)) {
	x.Open(name)
	for i := range n {
		x.Open("member")
		write(i)
		x.Close("member")
	}
	x.Close(name)
}

// Instant writes a time as the query protocol does.
func (x *XML) Instant(name string, t time.Time) { x.Element(name, t.UTC().Format(time.RFC3339)) }

// Raw writes XML as it is.
func (x *XML) Raw(b []byte) { x.b.Write(b) }

// Grow reserves space for n more bytes.
func (x *XML) Grow(n int) { x.b.Grow(n) }
