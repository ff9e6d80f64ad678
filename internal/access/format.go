package access

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf16"
)

// Rendered is a text made of documents.
type Rendered struct {
	// Name is a file name, with extension.
	Name string
	Text []byte
}

// compact is the body in as few characters as AWS counts. What lies beyond ASCII is escaped: IAM takes characters up to
// U+00FF only, and keys may have others.
func compact(body json.Marshaler) ([]byte, error) {
	text, err := body.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode document: %w", err)
	}
	return escapeNonASCII(text), nil
}

// indented is the body for people, indented by two spaces.
func indented(body json.Marshaler) ([]byte, error) {
	text, err := compact(body)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return nil, fmt.Errorf("indent document: %w", err)
	}
	return b.Bytes(), nil
}

func escapeNonASCII(text []byte) []byte {
	var b []byte
	for _, r := range string(text) {
		if r < 0x7f {
			b = append(b, byte(r))
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			b = fmt.Appendf(b, `\u%04x`, unit)
		}
	}
	return b
}

// JSON returns every document as a file of its own, ready for the AWS CLI.
func JSON(documents []Document) ([]Rendered, error) {
	files := make([]Rendered, len(documents))
	for i, d := range documents {
		text, err := indented(d.Body)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", d.Title, err)
		}
		files[i] = Rendered{d.Name + ".json", append(text, '\n')}
	}
	return files, nil
}

// JSONBundle returns all documents as one JSON object with a list "documents", each with what is known about it.
func JSONBundle(documents []Document) ([]byte, error) {
	type entry struct {
		Name     string          `json:"name"`
		Title    string          `json:"title"`
		Side     Side            `json:"side"`
		Account  string          `json:"account"`
		Kind     Kind            `json:"kind"`
		Target   string          `json:"target"`
		Mappings []string        `json:"mappings"`
		Notes    []string        `json:"notes"`
		Body     json.RawMessage `json:"body"`
	}
	entries := make([]entry, len(documents))
	for i, d := range documents {
		body, err := compact(d.Body)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", d.Title, err)
		}
		entries[i] = entry{d.Name, d.Title, d.Side, d.Account, d.Kind, d.Target, d.Mappings, append([]string{}, d.Notes...), body}
	}
	return encode(map[string]any{"documents": entries})
}

// encode writes indented JSON without the escapes that only HTML would need.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		return nil, fmt.Errorf("encode documents: %w", err)
	}
	return b.Bytes(), nil
}
