package copier_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
	"syncd/internal/copier"
)

// endless is a service with artificial lists. The field page returns the page with a given number.
type endless struct {
	*s3.Client
	page  func(n int) (names []string, token string)
	asked int
}

const mostAsked = 20_000 // maximum number of pages requested of a list

func (e *endless) next() (names []string, token string, err error) {
	if e.asked++; e.asked > mostAsked {
		return nil, "", fmt.Errorf("more than %d pages were requested", mostAsked)
	}
	names, token = e.page(e.asked)
	return names, token, nil
}

func (e *endless) ListObjectAnnotations(context.Context, *s3.ListObjectAnnotationsInput, ...func(*s3.Options)) (*s3.ListObjectAnnotationsOutput, error) {
	names, token, err := e.next()
	out := &s3.ListObjectAnnotationsOutput{NextContinuationToken: &token}
	for _, name := range names {
		out.Annotations = append(out.Annotations, types.AnnotationEntry{AnnotationName: &name})
	}
	return out, err
}

func (e *endless) ListParts(context.Context, *s3.ListPartsInput, ...func(*s3.Options)) (*s3.ListPartsOutput, error) {
	_, token, err := e.next()
	return &s3.ListPartsOutput{IsTruncated: aws.Bool(true), NextPartNumberMarker: &token}, err
}

// TestEndlessAnnotations checks that listing annotations ends with an error if the list is longer
// than an object can have.
func TestEndlessAnnotations(t *testing.T) {
	for name, page := range map[string]func(n int) ([]string, string){
		"empty pages":          func(n int) ([]string, string) { return nil, fmt.Sprint("t", n) },
		"two tokens in turn":   func(n int) ([]string, string) { return nil, fmt.Sprint("t", n%2) },
		"the same token":       func(int) ([]string, string) { return nil, "t" },
		"the same name":        func(n int) ([]string, string) { return []string{"a"}, fmt.Sprint("t", n) },
		"a name twice on one":  func(int) ([]string, string) { return []string{"a", "a"}, "" },
		"many pages of one":    func(n int) ([]string, string) { return []string{fmt.Sprint(n)}, fmt.Sprint("t", n) },
		"too many on one page": func(int) ([]string, string) { return strings.Fields(numbers(1001)), "" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newParted(t)
			w.relaying(64 * mib)
			w.options.Annotations = true
			object := w.put("k", awsfake.SyntheticBody(10, 1), awsfake.PutOptions{})
			w.options.Source = &endless{Client: w.client, page: page}
			_, _, err := copier.New(w.options).Copy(t.Context(), object, copier.Target{}, nil)
			if err == nil || !strings.Contains(err.Error(), "invalid list of annotations") {
				t.Errorf("got %v, want an error for the list", err)
			}
			if n := w.cloud.Requests()["GetObjectAnnotation"]; n > 0 {
				t.Errorf("got %d annotations read, want none", n)
			}
		})
	}
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i)
	}
	return b.String()
}

// TestEndlessParts checks that an endless list of parts is an error.
func TestEndlessParts(t *testing.T) {
	for name, marker := range map[string]func(n int) string{
		"the same":    func(int) string { return "7" },
		"two in turn": func(n int) string { return strconv.Itoa(1 + n%2) },
		"ever more":   strconv.Itoa,
		"none":        func(int) string { return "" },
		"no numbers":  func(n int) string { return fmt.Sprint("part ", n) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newParted(t)
			object := w.putLarge(awsfake.PutOptions{})
			left := w.cut(t, object, 2)
			w.options.Destination = &endless{Client: w.client, page: func(n int) ([]string, string) { return nil, marker(n) }}
			if _, err := w.copyWith(t, object, left); err == nil || !strings.Contains(err.Error(), "continue after") {
				t.Errorf("got %v, want an error for the list", err)
			}
		})
	}
}
