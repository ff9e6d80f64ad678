package awsfake

import (
	"crypto/md5" // ETags are MD5 by contract
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of annotations ("PutObjectAnnotation", Amazon S3 API Reference).
const (
	maxAnnotation     = 1 << 20
	maxAnnotations    = 1000
	maxAnnotationName = 512
)

// annotationPage is how many annotations one page lists when the request does not say.
const annotationPage = 1000

func listObjectAnnotations(q *s3Request, b *Bucket) (*response, error) {
	o, err := q.open(q.target(b, "s3:ListObjectAnnotations"))
	if err != nil {
		return nil, err
	}
	page := annotationPage
	if text := q.query.Get("max-annotation-results"); text != "" {
		if page, err = strconv.Atoi(text); err != nil || page < 1 || page > annotationPage {
			return nil, errInvalidArgument("max-annotation-results must be 1 to 1000")
		}
	}
	token := q.query.Get("continuation-token") // the last name of the page before
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(o.annotations)), func(name string) bool {
		return name <= token || !strings.HasPrefix(name, q.query.Get("annotation-prefix"))
	})
	next := ""
	if len(names) > page {
		names = names[:page]
		next = names[page-1]
	}
	x := newXML()
	x.openNS("ListObjectAnnotationsOutput", s3Namespace)
	x.element("Bucket", b.Name())
	x.element("Key", o.key)
	x.number("AnnotationCount", int64(len(names)))
	x.optional("NextContinuationToken", next)
	x.open("Annotations")
	for _, name := range names {
		x.open("AnnotationEntry")
		x.element("AnnotationName", name)
		x.element("ETag", annotationTag(o.annotations[name]))
		x.time("LastModified", o.modified)
		x.number("Size", int64(len(o.annotations[name])))
		x.close("AnnotationEntry")
	}
	x.close("Annotations")
	x.close("ListObjectAnnotationsOutput")
	return answerXML(x), nil
}

func annotationTag(payload string) string {
	sum := md5.Sum([]byte(payload))
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func getObjectAnnotation(q *s3Request, b *Bucket) (*response, error) {
	o, err := q.open(q.target(b, "s3:GetObjectAnnotation"))
	if err != nil {
		return nil, err
	}
	if _, err := q.openDataKey(o.crypt, b.region); err != nil {
		return nil, err
	}
	payload, ok := o.annotations[q.query.Get("annotationName")]
	if !ok {
		return nil, refuse(http.StatusNotFound, "NoSuchAnnotation", "The specified annotation does not exist.")
	}
	res := answer(http.StatusOK)
	res.header.Set("Etag", annotationTag(payload))
	res.header.Set("Last-Modified", o.modified.UTC().Format(http.TimeFormat))
	res.setBody([]byte(payload))
	return res, nil
}

func putObjectAnnotation(q *s3Request, b *Bucket) (*response, error) {
	name := q.query.Get("annotationName")
	payload, err := readAnnotation(q, name)
	if err != nil {
		return nil, err
	}
	o, err := annotate(q, b, "s3:PutObjectAnnotation", func(o *object) error {
		if o.annotations = maps.Clone(o.annotations); o.annotations == nil {
			o.annotations = map[string]string{}
		}
		o.annotations[name] = payload
		if len(o.annotations) > maxAnnotations {
			return refuse(http.StatusBadRequest, "AnnotationLimitExceeded", "The object has as many annotations as it can have.")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	x := newXML()
	x.openNS("PutObjectAnnotationOutput", s3Namespace)
	x.element("Key", o.key)
	x.element("AnnotationName", name)
	x.close("PutObjectAnnotationOutput")
	res := answerXML(x)
	res.header.Set("Etag", annotationTag(payload))
	return res, nil
}

func readAnnotation(q *s3Request, name string) (string, error) {
	lower := strings.ToLower(name)
	switch {
	case len(name) > maxAnnotationName:
		return "", refuse(http.StatusBadRequest, "AnnotationNameTooLong", "The annotation name is too long.")
	case name == "" || strings.HasPrefix(lower, "aws") || strings.HasPrefix(lower, "s3"):
		return "", refuse(http.StatusBadRequest, "InvalidAnnotationName", "The annotation name is not valid.")
	}
	p, err := q.payload()
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(io.LimitReader(p, maxAnnotation+1))
	switch {
	case err != nil:
		return "", err
	case len(data) == 0 || len(data) > maxAnnotation:
		return "", refuse(http.StatusBadRequest, "EntityTooLarge", "An annotation has 1 byte to 1 MiB.")
	case !utf8.Valid(data):
		return "", refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "An annotation is text in UTF-8.")
	}
	return string(data), nil
}

func deleteObjectAnnotation(q *s3Request, b *Bucket) (*response, error) {
	_, err := annotate(q, b, "s3:DeleteObjectAnnotation", func(o *object) error {
		o.annotations = maps.Clone(o.annotations)
		delete(o.annotations, q.query.Get("annotationName"))
		return nil
	})
	return answer(http.StatusNoContent), err
}

// annotate puts a version with other annotations in the place of the one there is.
func annotate(q *s3Request, b *Bucket, action string, change func(*object) error) (*object, error) {
	for {
		o, err := q.open(q.target(b, action))
		if err != nil {
			return nil, err
		}
		if _, err := q.openDataKey(o.crypt, b.region); err != nil {
			return nil, err
		}
		if match := q.http.Header.Get("X-Amz-Object-If-Match"); match != "" && strings.Trim(match, `"`) != o.etag {
			return nil, errPreconditionFailed("x-amz-object-if-match")
		}
		changed := *o
		if err := change(&changed); err != nil {
			return nil, err
		}
		if b.replace(o, &changed) {
			return o, nil
		}
	}
}

// inheritAnnotations takes the annotations of a copy's source, unless the request leaves them behind ("CopyObject", Amazon S3 API
// Reference: the default is COPY).
func inheritAnnotations(q *s3Request, b *Bucket, d *draft, r reading, src *object) error {
	directive := q.http.Header.Get("X-Amz-Object-Annotation-Directive")
	switch {
	case directive == "EXCLUDE":
		return nil
	case directive != "" && directive != "COPY":
		return errInvalidArgument("Unknown annotation directive.")
	case len(src.annotations) == 0:
		return nil
	}
	r.action = "s3:GetObjectAnnotation"
	if err := q.allowOn(r.way(), r.permission(), r.key, nil); err != nil {
		return err
	}
	d.annotations = maps.Clone(src.annotations)
	return q.allow(b, "s3:PutObjectAnnotation", q.key, nil)
}
