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

// Rendered is one output file.
type Rendered struct {
	// Name is the file name, with extension.
	Name string
	Text []byte
}

// indented encodes the body as JSON indented by two spaces.
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

// JSON returns one file for every document, in the format that the AWS CLI accepts.
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

// JSONBundle returns one JSON object whose list "documents" contains all documents with their
// metadata.
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

// encode writes indented JSON without HTML escapes.
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

// byAccount groups documents by account. It keeps the order of the accounts and of each account's
// documents.
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

// madeRoles returns the ARNs of the roles that the documents create, which are the roles with a
// trust policy.
func madeRoles(documents []Document) (arns []string) {
	for _, d := range documents {
		if d.Kind == access.KindTrust {
			arns = append(arns, d.Target)
		}
	}
	return arns
}

// pathOf returns the path in a role's ARN, or "/" if the ARN has no path (IAM User Guide, "IAM
// identifiers").
func pathOf(role string) string {
	a, _ := arn.Split(role)
	path := strings.TrimPrefix(a.Resource, "role")
	return path[:strings.LastIndex(path, "/")+1]
}

// distinct returns the list sorted and without duplicates.
func distinct(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}
