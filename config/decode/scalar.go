package decode

import (
	"encoding"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"syncd/config/document"
	"syncd/internal/hint"
)

func (d *reader) leaf(n ast.Node, p encoding.TextUnmarshaler, path string) {
	text, ok := d.Text(n, path)
	if !ok || !d.filled(text, path) {
		return
	}
	if err := p.UnmarshalText([]byte(text)); err != nil {
		d.AddErr(path, err)
	}
}

func (d *reader) choice(n ast.Node, v reflect.Value, choices []string, path string) {
	text, ok := d.Text(n, path)
	switch {
	case !ok || !d.filled(text, path):
	case slices.Contains(choices, text):
		v.SetString(text)
	default:
		d.Add(path, strconv.Quote(text)+" is not one of "+strings.Join(choices, ", "), hint.DidYouMean(text, choices))
	}
}

// scalar decodes text, numbers and booleans into the pointer p. A string must be a string in YAML
// too: other YAML parsers read an account such as 012345678901 as an octal number.
func (d *reader) scalar(n ast.Node, p any, path string) {
	text, ok := d.Text(n, path)
	if !ok || !d.filled(text, path) {
		return
	}
	var err error
	switch p := p.(type) {
	case *string:
		*p, err = text, wantKind(n, document.KindText, "put it in quotes")
	case *bool:
		*p, err = strings.EqualFold(text, "true"), wantKind(n, document.KindBoolean, "use true or false")
	case *int64:
		if err = wantKind(n, document.KindNumber, ""); err == nil {
			*p, err = parseInt(text)
		}
	case *float64:
		if err = wantKind(n, document.KindNumber, ""); err == nil {
			*p, err = parseFloat(text)
		}
	}
	if err != nil {
		d.AddErr(path, err)
	}
}

func wantKind(n ast.Node, want, instead string) error {
	if got := document.Kind(n); got != want {
		return hint.New("is "+got+", not "+want, instead)
	}
	return nil
}

func parseInt(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, hint.New(strconv.Quote(text)+" is not a whole number", "use decimal digits only")
	}
	return n, nil
}

func parseFloat(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, hint.New(strconv.Quote(text)+" is not a number", "use decimal digits")
	}
	return f, nil
}
