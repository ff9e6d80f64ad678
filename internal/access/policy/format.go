package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/arn"
)

// Rendered is a text made of documents.
type Rendered struct {
	// Name is a file name, with extension.
	Name string
	Text []byte
}

// indented is the body for people, indented by two spaces.
func indented(body json.Marshaler) ([]byte, error) {
	text, err := access.Compact(body)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return nil, fmt.Errorf("indent document: %w", err)
	}
	return b.Bytes(), nil
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

// JSONBundle returns all documents as one JSON object with a list "documents", each with what is
// known about it.
func JSONBundle(documents []Document) ([]byte, error) {
	type entry struct {
		Name     string          `json:"name"`
		Title    string          `json:"title"`
		Side     access.Side     `json:"side"`
		Account  string          `json:"account"`
		Kind     access.Kind     `json:"kind"`
		Target   string          `json:"target"`
		Mappings []string        `json:"mappings"`
		Notes    []string        `json:"notes"`
		Body     json.RawMessage `json:"body"`
	}
	entries := make([]entry, len(documents))
	for i, d := range documents {
		body, err := access.Compact(d.Body)
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

// byAccount splits documents into those of each account, in their order.
func byAccount(documents []Document) (groups [][]Document) {
	for _, d := range documents {
		i := slices.IndexFunc(groups, func(g []Document) bool { return g[0].Account == d.Account })
		if i < 0 {
			groups = append(groups, []Document{d})
			continue
		}
		groups[i] = append(groups[i], d)
	}
	return groups
}

// madeRoles are the roles that come into being with their trust policies.
func madeRoles(documents []Document) (arns []string) {
	for _, d := range documents {
		if d.Kind == access.KindTrust {
			arns = append(arns, d.Target)
		}
	}
	return arns
}

// pathOf is the path of a role's ARN, "/" for none (IAM User Guide, "IAM identifiers").
func pathOf(role string) string {
	a, _ := arn.Split(role)
	path := strings.TrimPrefix(a.Resource, "role")
	return path[:strings.LastIndex(path, "/")+1]
}

// distinct is the members of a list, each once and sorted.
func distinct(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}
