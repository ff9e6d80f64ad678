package object

import (
	"crypto/md5" // S3's ETags are MD5
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

// Limits of annotations ("PutObjectAnnotation", Amazon S3 API Reference).
const (
	maxAnnotation     = 1 << 20
	maxAnnotations    = 1000
	maxAnnotationName = 512
)

// annotationPage is the default number of annotations per page.
const annotationPage = 1000

func listObjectAnnotations(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	o, err := q.Open(q.Target(b, "s3:ListObjectAnnotations"))
	if err != nil {
		return nil, err
	}
	page := annotationPage
	if text := q.Query.Get("max-annotation-results"); text != "" {
		if page, err = strconv.Atoi(text); err != nil || page < 1 || page > annotationPage {
			return nil, wire.ErrInvalidArgument("max-annotation-results must be 1 to 1000")
		}
	}
	token := q.Query.Get("continuation-token") // the last name of the previous page
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(o.Annotations)), func(name string) bool {
		return name <= token || !strings.HasPrefix(name, q.Query.Get("annotation-prefix"))
	})
	next := ""
	if len(names) > page {
		names = names[:page]
		next = names[page-1]
	}
	x := wire.NewXML()
	x.OpenNS("ListObjectAnnotationsOutput", call.Namespace)
	x.Element("Bucket", b.Name())
	x.Element("Key", o.Key)
	x.Number("AnnotationCount", int64(len(names)))
	x.Optional("NextContinuationToken", next)
	x.Open("Annotations")
	for _, name := range names {
		x.Open("AnnotationEntry")
		x.Element("AnnotationName", name)
		x.Element("ETag", annotationTag(o.Annotations[name]))
		x.Time("LastModified", o.Modified)
		x.Number("Size", int64(len(o.Annotations[name])))
		x.Close("AnnotationEntry")
	}
	x.Close("Annotations")
	x.Close("ListObjectAnnotationsOutput")
	return wire.AnswerXML(x), nil
}

func annotationTag(payload string) string {
	sum := md5.Sum([]byte(payload))
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// openDecrypted returns an object. It also decrypts the data key of the object and its annotations,
// so that it fails if the caller may not use the KMS key.
func openDecrypted(q *call.Request, b *store.Bucket, action string) (*store.Object, error) {
	o, err := q.Open(q.Target(b, action))
	if err != nil {
		return nil, err
	}
	_, err = q.OpenDataKey(o.Crypt, b.Region)
	return o, err
}

func getObjectAnnotation(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	o, err := openDecrypted(q, b, "s3:GetObjectAnnotation")
	if err != nil {
		return nil, err
	}
	payload, ok := o.Annotations[q.Query.Get("annotationName")]
	if !ok {
		return nil, wire.Refuse(http.StatusNotFound, "NoSuchAnnotation", "The specified annotation does not exist.")
	}
	res := wire.Answer(http.StatusOK)
	res.Header.Set("Etag", annotationTag(payload))
	res.Header.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	res.SetBody([]byte(payload))
	return res, nil
}

func putObjectAnnotation(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	name := q.Query.Get("annotationName")
	payload, err := readAnnotation(q, name)
	if err != nil {
		return nil, err
	}
	o, err := annotate(q, b, "s3:PutObjectAnnotation", func(o *store.Object) error {
		if o.Annotations = maps.Clone(o.Annotations); o.Annotations == nil {
			o.Annotations = map[string]string{}
		}
		o.Annotations[name] = payload
		if len(o.Annotations) > maxAnnotations {
			return wire.Refuse(http.StatusBadRequest, "AnnotationLimitExceeded", "The object has as many annotations as it can have.")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	x := wire.NewXML()
	x.OpenNS("PutObjectAnnotationOutput", call.Namespace)
	x.Element("Key", o.Key)
	x.Element("AnnotationName", name)
	x.Close("PutObjectAnnotationOutput")
	res := wire.AnswerXML(x)
	res.Header.Set("Etag", annotationTag(payload))
	return res, nil
}

func readAnnotation(q *call.Request, name string) (string, error) {
	lower := strings.ToLower(name)
	switch {
	case len(name) > maxAnnotationName:
		return "", wire.Refuse(http.StatusBadRequest, "AnnotationNameTooLong", "The annotation name is too long.")
	case name == "" || strings.HasPrefix(lower, "aws") || strings.HasPrefix(lower, "s3"):
		return "", wire.Refuse(http.StatusBadRequest, "InvalidAnnotationName", "The annotation name is not valid.")
	}
	p, err := q.Payload()
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(io.LimitReader(p, maxAnnotation+1))
	switch {
	case err != nil:
		return "", err
	case len(data) == 0 || len(data) > maxAnnotation:
		return "", wire.Refuse(http.StatusBadRequest, "EntityTooLarge", "An annotation has 1 byte to 1 MiB.")
	case !utf8.Valid(data):
		return "", wire.Refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "An annotation is text in UTF-8.")
	}
	return string(data), nil
}

func deleteObjectAnnotation(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	_, err := annotate(q, b, "s3:DeleteObjectAnnotation", func(o *store.Object) error {
		o.Annotations = maps.Clone(o.Annotations)
		delete(o.Annotations, q.Query.Get("annotationName"))
		return nil
	})
	return wire.Answer(http.StatusNoContent), err
}

// annotate replaces a version with one that has different annotations.
func annotate(q *call.Request, b *store.Bucket, action string, change func(*store.Object) error) (*store.Object, error) {
	for {
		o, err := openDecrypted(q, b, action)
		if err != nil {
			return nil, err
		}
		if match := q.HTTP.Header.Get("X-Amz-Object-If-Match"); match != "" && strings.Trim(match, `"`) != o.ETag {
			return nil, wire.ErrPreconditionFailed("x-amz-object-if-match")
		}
		changed := *o
		if err := change(&changed); err != nil {
			return nil, err
		}
		if b.Replace(o, &changed) {
			return o, nil
		}
	}
}

// inheritAnnotations copies the annotations of a copy's source, unless the request excludes them
// ("CopyObject", Amazon S3 API Reference: the default is COPY).
func inheritAnnotations(q *call.Request, b *store.Bucket, d *store.Draft, r call.Reading, src *store.Object) error {
	directive := q.HTTP.Header.Get("X-Amz-Object-Annotation-Directive")
	switch {
	case directive == "EXCLUDE":
		return nil
	case directive != "" && directive != "COPY":
		return wire.ErrInvalidArgument("Unknown annotation directive.")
	case len(src.Annotations) == 0:
		return nil
	}
	r.Action = "s3:GetObjectAnnotation"
	if err := q.AllowOn(r.Way(), r.Permission(), r.Key, nil); err != nil {
		return err
	}
	d.Annotations = maps.Clone(src.Annotations)
	return q.Allow(b, "s3:PutObjectAnnotation", q.Key, nil)
}
