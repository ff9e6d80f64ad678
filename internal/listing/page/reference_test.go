package page_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	smithytime "github.com/aws/smithy-go/time"

	"syncd/internal/listing/page"
)

// reference decodes a page with encoding/xml. It is the standard for page.Decode.
type reference struct {
	*xml.Decoder
	head    page.Head
	objects []page.Entry
	entries int
}

var errReference = errors.New("not a page")

// decodeReference decodes a page with encoding/xml, up to the end of the body.
func decodeReference(body io.Reader) (page.Head, []page.Entry, error) {
	r := reference{Decoder: xml.NewDecoder(body)}
	err := r.document()
	return r.head, r.objects, err
}

func (r *reference) document() error {
	seen := false
	for {
		token, err := r.Token()
		switch {
		case seen && errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		switch token := token.(type) {
		case xml.CharData:
			if strings.Trim(string(token), " \t\r\n\ufeff") != "" {
				return errReference
			}
		case xml.StartElement:
			if seen {
				return errReference
			}
			seen = true
			if err := r.children(r.child); err != nil {
				return err
			}
		}
	}
}

// children calls do for each child of the current element.
func (r *reference) children(do func(name string) error) error {
	for {
		token, err := r.Token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if err := do(token.Name.Local); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

// text returns the text of the current element.
func (r *reference) text() (string, error) {
	var b strings.Builder
	for {
		token, err := r.Token()
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.CharData:
			b.Write(token)
		case xml.StartElement:
			return "", errReference
		case xml.EndElement:
			if b.Len() > 64<<10 {
				return "", errReference
			}
			return b.String(), nil
		}
	}
}

func (r *reference) child(name string) error {
	is := func(wanted string) bool { return strings.EqualFold(name, wanted) }
	if is("Contents") || is("CommonPrefixes") {
		if r.entries++; r.entries > 1000 {
			return errReference
		}
	}
	switch {
	case is("Contents"):
		var e page.Entry
		err := r.children(func(name string) error { return r.property(&e, name) })
		r.objects = append(r.objects, e)
		return err
	case !is("IsTruncated") && !is("EncodingType") && !is("NextContinuationToken") && !is("KeyCount"):
		return r.Skip()
	}
	text, err := r.text()
	if err != nil {
		return err
	}
	switch {
	case is("IsTruncated"):
		truncated, err := strconv.ParseBool(text)
		r.head.IsTruncated = &truncated
		return err
	case is("EncodingType"):
		r.head.EncodingType = text
	case is("NextContinuationToken"):
		r.head.NextContinuationToken = &text
	default:
		n, err := strconv.ParseInt(text, 10, 64)
		count := int32(n) //nolint:gosec // the SDK converts in the same way
		r.head.KeyCount = &count
		return err
	}
	return nil
}

func (r *reference) property(e *page.Entry, name string) error {
	is := func(wanted string) bool { return strings.EqualFold(name, wanted) }
	if !is("Key") && !is("ETag") && !is("Size") && !is("LastModified") && !is("StorageClass") {
		return r.Skip()
	}
	text, err := r.text()
	switch {
	case err != nil:
	case is("Key"):
		e.Key = text
	case is("ETag"):
		e.ETag = text
	case is("Size"):
		e.Size, err = strconv.ParseInt(text, 10, 64)
	case is("LastModified"):
		e.LastModified, err = smithytime.ParseDateTime(text)
	default:
		e.StorageClass = text
	}
	return err
}
