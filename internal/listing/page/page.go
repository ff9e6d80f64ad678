// Package page decodes the pages of ListObjectsV2 from XML, with few allocations.
//
// It guarantees that a page is complete: a document that ends early, that has mismatched tags, or
// that has text or a second element after its root is an error. Of a page it returns the objects
// and the fields that a listing needs, and skips every other element. It accepts what encoding/xml
// accepts, with four exceptions. It rejects <!DOCTYPE> and other declarations, text outside the
// root element, references to surrogates such as &#xD800;, and names, values, references and
// processing instructions that are too long.
//
// For each page it allocates buffers of 36 KiB. It allocates a string for each key and each ETag,
// and one for each storage class of a page. Package listing sends the requests, decodes the encoded
// keys and checks their order.
//
// Two terms: a value is the text of an element that has no child elements; a head is what a page
// contains besides its objects.
package page

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxEntries is the maximum number of objects and common prefixes of a page (Amazon S3 API
// Reference, ListObjectsV2, MaxKeys).
const maxEntries = 1000

// maxClasses is how many storage classes of a page are kept to be shared. S3 has fewer.
const maxClasses = 16

// ErrEntries means that a page has more objects and common prefixes than S3 sends, which is 1,000.
var ErrEntries = errors.New("a page of more than " + strconv.Itoa(maxEntries) + " entries")

// Head is what a page contains besides its objects.
type Head struct {
	// IsTruncated reports whether more pages follow; nil if the page does not say.
	IsTruncated *bool
	// EncodingType is "url" if the keys are encoded, otherwise "".
	EncodingType string
	// NextContinuationToken is where the next page starts; nil if the page does not say.
	NextContinuationToken *string
	// KeyCount is the number of entries of the page as the service counts them; nil if the page does
	// not say. It is not compared with the number of objects.
	KeyCount *int32
}

// Entry is one object of a page. A field that the page does not contain has its zero value.
type Entry struct {
	// Key is the key as it is in the page. If Head.EncodingType is "url", it is encoded.
	Key string
	// ETag is the entity tag, including quotes.
	ETag string
	// Size is the length in bytes. It can be negative if the service is faulty.
	Size int64
	// LastModified is the time of the write, in UTC unless the page has another offset.
	LastModified time.Time
	// StorageClass is the storage class.
	StorageClass string
}

// Decode reads a page up to the end of the body, and calls add for each object, in the order of the
// page. If the body contains no element, the error is io.EOF. If the page has too many entries, the
// error is ErrEntries. After any other error the objects passed to add are not a complete page
// either. Errors of the body are wrapped.
func Decode(body io.Reader, add func(Entry)) (Head, error) {
	d := decoder{scanner: newScanner(body), add: add}
	hasRoot, err := d.misc()
	if err != nil {
		return Head{}, err
	}
	if !hasRoot {
		return Head{}, io.EOF
	}
	if err := d.root(); err != nil {
		return Head{}, err
	}
	hasMore, err := d.misc()
	if err == nil && hasMore {
		err = d.fault("an element after the root element")
	}
	return d.head, err
}

// decoder decodes one page.
type decoder struct {
	scanner

	head    Head
	add     func(Entry)
	entries int
	classes []string // storage classes of the page
}

func (d *decoder) root() error {
	isStart, err := d.next()
	for err == nil && isStart {
		isStart, err = d.next()
		if err == nil && isStart {
			err = d.child()
		}
	}
	return err
}

// child decodes a child of the root element.
func (d *decoder) child() error {
	switch d.known() {
	case "Contents":
		return d.contents()
	case "CommonPrefixes":
		if err := d.count(); err != nil {
			return err
		}
		return d.skip()
	case "IsTruncated":
		return d.isTruncated()
	case "KeyCount":
		return d.keyCount()
	case "EncodingType":
		text, err := d.value()
		d.head.EncodingType = string(text)
		return err
	case "NextContinuationToken":
		text, err := d.value()
		token := string(text)
		d.head.NextContinuationToken = &token
		return err
	default:
		return d.skip()
	}
}

func (d *decoder) count() error {
	if d.entries++; d.entries > maxEntries {
		return ErrEntries
	}
	return nil
}

func (d *decoder) isTruncated() error {
	text, err := d.value()
	if err != nil {
		return err
	}
	is, err := strconv.ParseBool(string(text))
	if err != nil {
		return fmt.Errorf("read IsTruncated: %w", err)
	}
	d.head.IsTruncated = &is
	return nil
}

func (d *decoder) keyCount() error {
	text, err := d.value()
	if err != nil {
		return err
	}
	n, err := integer(text)
	if err != nil {
		return fmt.Errorf("read KeyCount: %w", err)
	}
	count := int32(n) //nolint:gosec // the SDK converts in the same way
	d.head.KeyCount = &count
	return nil
}

func (d *decoder) contents() error {
	if err := d.count(); err != nil {
		return err
	}
	var e Entry
	for {
		isStart, err := d.next()
		if err == nil && isStart {
			err = d.property(&e)
		}
		if err != nil {
			return err
		}
		if !isStart {
			d.add(e)
			return nil
		}
	}
}

// property decodes a child of Contents.
func (d *decoder) property(e *Entry) error {
	name := d.known()
	switch name {
	case "Key", "ETag", "StorageClass", "Size", "LastModified":
	default:
		return d.skip()
	}
	text, err := d.value()
	if err != nil {
		return err
	}
	switch name {
	case "Key":
		e.Key = string(text)
	case "ETag":
		e.ETag = string(text)
	case "StorageClass":
		e.StorageClass = d.class(text)
	case "Size":
		e.Size, err = integer(text)
	case "LastModified":
		e.LastModified, err = instant(text)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// class returns a storage class as a string that all objects of the page share.
func (d *decoder) class(text []byte) string {
	for _, known := range d.classes {
		if string(text) == known {
			return known
		}
	}
	class := string(text)
	if len(d.classes) < maxClasses {
		d.classes = append(d.classes, class)
	}
	return class
}

// known returns the name of the current element without its prefix, if the decoder has a use for
// it. Otherwise it returns "". It ignores the case, like the SDK.
func (d *decoder) known() string {
	local := d.local()
	switch string(local) {
	case "Key":
		return "Key"
	case "LastModified":
		return "LastModified"
	case "ETag":
		return "ETag"
	case "Size":
		return "Size"
	case "StorageClass":
		return "StorageClass"
	case "Contents":
		return "Contents"
	case "ChecksumAlgorithm", "ChecksumType", "Owner", "RestoreStatus":
		return ""
	}
	for _, name := range [...]string{
		"Key", "LastModified", "ETag", "Size", "StorageClass",
		"Contents", "CommonPrefixes", "IsTruncated", "EncodingType", "NextContinuationToken", "KeyCount",
	} {
		if strings.EqualFold(string(local), name) {
			return name
		}
	}
	return ""
}
