package awsfake

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"
)

const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// xmlWriter writes answers as S3 writes them. It exists beside encoding/xml because that replaces
// control characters, where S3 sends them as references ("&#x1;") which no XML 1.0 parser takes:
// a client that forgets encoding-type=url has to meet that here too.
type xmlWriter struct{ b bytes.Buffer }

func newXML() *xmlWriter {
	x := &xmlWriter{}
	x.b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	return x
}

func (x *xmlWriter) bytes() []byte { return x.b.Bytes() }

func (x *xmlWriter) open(name string) {
	x.b.WriteByte('<')
	x.b.WriteString(name)
	x.b.WriteByte('>')
}

func (x *xmlWriter) openNS(name, namespace string) { x.open(name + ` xmlns="` + namespace + `"`) }

func (x *xmlWriter) close(name string) {
	x.b.WriteString("</")
	x.b.WriteString(name)
	x.b.WriteByte('>')
}

func (x *xmlWriter) element(name, value string) {
	x.open(name)
	x.text(value)
	x.close(name)
}

// optional writes the element unless the value is empty.
func (x *xmlWriter) optional(name, value string) {
	if value != "" {
		x.element(name, value)
	}
}

func (x *xmlWriter) number(name string, n int64) {
	x.open(name)
	x.b.Write(strconv.AppendInt(x.b.AvailableBuffer(), n, 10))
	x.close(name)
}

func (x *xmlWriter) boolean(name string, v bool) { x.element(name, strconv.FormatBool(v)) }

// time writes the instant as listings print it: ISO 8601 in UTC, always with ".000".
func (x *xmlWriter) time(name string, t time.Time) {
	x.open(name)
	x.b.Write(t.UTC().AppendFormat(x.b.AvailableBuffer(), "2006-01-02T15:04:05.000Z"))
	x.close(name)
}

func (x *xmlWriter) text(s string) {
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

// list writes a list of the query protocol.
func (x *xmlWriter) list(name string, n int, write func(i int)) {
	x.open(name)
	for i := range n {
		x.open("member")
		write(i)
		x.close("member")
	}
	x.close(name)
}

// instant writes the instant as the query protocol prints it.
func (x *xmlWriter) instant(name string, t time.Time) { x.element(name, t.UTC().Format(time.RFC3339)) }

// raw writes what is XML already.
func (x *xmlWriter) raw(b []byte) { x.b.Write(b) }

// grow makes room for so many bytes more.
func (x *xmlWriter) grow(n int) { x.b.Grow(n) }
