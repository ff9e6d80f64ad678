package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// hclPair is a name and its value in HCL.
type hclPair struct{ name, value string }

// hclExpression converts JSON to a Terraform expression, formatted as terraform fmt does. It
// converts an ExternalId mark to a reference to the variable of its role. margin is the indentation
// of the line on which the expression begins.
func hclExpression(text []byte, margin string) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return hclValue(decoder, margin)
}

func hclValue(d *json.Decoder, margin string) (string, error) {
	token, err := d.Token()
	if err != nil {
		return "", err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '[' {
			return hclList(d, margin)
		}
		return hclObject(d, margin)
	case string:
		if role, ok := strings.CutPrefix(token, externalIDMark); ok {
			return variableOf(role), nil
		}
		return hclText(token), nil
	case nil:
		return "null", nil
	default:
		return fmt.Sprint(token), nil
	}
}

func hclList(d *json.Decoder, margin string) (string, error) {
	var items []string
	for d.More() {
		item, err := hclValue(d, margin+"  ")
		if err != nil {
			return "", err
		}
		items = append(items, margin+"  "+item)
	}
	if _, err := d.Token(); err != nil || len(items) == 0 {
		return "[]", err
	}
	return "[\n" + strings.Join(items, ",\n") + "\n" + margin + "]", nil
}

func hclObject(d *json.Decoder, margin string) (string, error) {
	var pairs []hclPair
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return "", err
		}
		value, err := hclValue(d, margin+"  ")
		if err != nil {
			return "", err
		}
		name := fmt.Sprint(key)
		if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`).MatchString(name) {
			name = hclText(name)
		}
		pairs = append(pairs, hclPair{name, value})
	}
	if _, err := d.Token(); err != nil || len(pairs) == 0 {
		return "{}", err
	}
	return "{\n" + hclPairs(pairs, margin+"  ") + margin + "}", nil
}

// hclPairs writes one line for each pair. It aligns the equals signs of consecutive single-line
// pairs.
func hclPairs(pairs []hclPair, margin string) string {
	whole := func(i int) bool { return !strings.Contains(pairs[i].value, "\n") }
	var b strings.Builder
	for i := 0; i < len(pairs); {
		end, width := i+1, len(pairs[i].name)
		for whole(i) && end < len(pairs) && whole(end) {
			width = max(width, len(pairs[end].name))
			end++
		}
		for ; i < end; i++ {
			fmt.Fprintf(&b, "%s%-*s = %s\n", margin, width, pairs[i].name, pairs[i].value)
		}
	}
	return b.String()
}

// hclText quotes text in ASCII, with template sequences escaped.
func hclText(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.NewReplacer("${", "$${", "%{", "%%{").Replace(text) {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= ' ' && r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func variableOf(role string) string { return "var.external_id_" + role }
