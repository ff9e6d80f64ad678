package config_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/invopop/jsonschema"

	"syncd/config"
)

const referenceHead = `# The configuration, key by key

A test generates this page from the types of package config, as it does [syncd.schema.json](../config/syncd.schema.json); edit the types
instead. Examples are in [config/examples](../config/examples).

The file is one YAML document. Unknown keys are rejected. A key without a value is rejected too: leave it out to get its default. Anchors,
aliases and merge keys work. Relative paths are resolved against the folder of the file.

` + "`syncd config check`" + ` reports everything that is wrong with a file, with line numbers, and sends no request. ` + "`syncd config show`" + ` prints
the file with every default filled in. [cli.md](cli.md#the-check-of-a-configuration) describes both.

` + "`limits.cost_usd` and `copy.checksum: off`" + ` are reserved: this version rejects them.

| type | format |
|---|---|
| duration | a number and its unit: ` + "`500ms`, `10s`, `15m`, `1h30m`" + ` |
| period | a duration, or whole days or years of 365 days: ` + "`90d`, `10y`" + ` |
| size | bytes, or with a unit: ` + "`64MiB` (1024), `50TB` (1000)" + ` |
| time | ` + "`2006-01-02T15:04:05Z`, or `2006-01-02`" + `, which is midnight UTC |
| schedule | ` + "`\"@every 15m\"`, `\"@hourly\"` and the like, or the five fields of cron, optionally after `CRON_TZ=Europe/Berlin` and one space" + ` |
| glob | ` + "`*` and `?` within one segment of a key, `**` across segments, `[a-z]`, `{a,b}`, `\\` before a literal character" + ` |
| external id | text, ` + "`{file: PATH}`, `{env: NAME}`, or `none`" + ` |
`

// TestReference checks that docs/configuration.md matches the types.
func TestReference(t *testing.T) {
	root := schema(t)
	var text strings.Builder
	text.WriteString(referenceHead)
	writeSection(t, &text, root, reflect.TypeFor[config.Config](), "")
	checkGolden(t, "../docs/configuration.md", text.String())
}

// writeSection writes the keys of a section at a config path, and then the sections within it.
func writeSection(t *testing.T, text *strings.Builder, root *jsonschema.Schema, of reflect.Type, path string) {
	t.Helper()
	s, title, about := root, "The whole file", ""
	if path != "" {
		s = root.Definitions[of.Name()]
		title, about = "`"+path+"`", plainMeaning(of, of.Name(), s.Description)+"\n\n"
	}
	fmt.Fprintf(text, "\n## %s\n\n%s| key | type | default | bounds | meaning |\n|---|---|---|---|---|\n", title, about)
	within := map[string]reflect.Type{}
	var paths []string
	for field := range of.Fields() {
		key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if !field.IsExported() {
			continue
		}
		property, ok := s.Properties.Get(key)
		if !ok || property.Description == "" {
			t.Fatalf("%s: no description of %s", of, key)
		}
		text.WriteString(referenceRow(of, field, key, property, slices.Contains(s.Required, key)))
		if inner, at := sectionIn(field.Type, strings.TrimPrefix(path+"."+key, ".")); inner != nil {
			within[at] = inner
			paths = append(paths, at)
		}
	}
	for _, at := range paths {
		writeSection(t, text, root, within[at], at)
	}
}

// sectionIn returns the type and the config path of a key's section, or nil for a key with a plain
// value.
func sectionIn(of reflect.Type, path string) (inner reflect.Type, at string) {
	switch of.Kind() { //nolint:exhaustive // other kinds have no sections
	case reflect.Map:
		inner, at = of.Elem(), path+".NAME"
	case reflect.Slice:
		inner, at = of.Elem(), path+"[]"
	default:
		inner, at = of, path
	}
	if typeName(inner) != "section" {
		return nil, ""
	}
	return inner, at
}

func referenceRow(of reflect.Type, field reflect.StructField, key string, property *jsonschema.Schema, required bool) string {
	value := "none"
	switch kind := field.Type.Kind(); {
	case required:
		value = "required"
	case property.Default != nil:
		value = fmt.Sprintf("`%v`", property.Default)
	case kind == reflect.Struct && typeName(field.Type) == "section":
		value = "as below"
	case kind == reflect.Bool:
		value = "`false`"
	case kind == reflect.Slice || kind == reflect.Map:
		value = "empty"
	}
	meaning := plainMeaning(of, field.Name, property.Description)
	bounds := regexp.MustCompile(`[0-9][0-9a-zA-Z]*\.\.[0-9][0-9a-zA-Z]*(?: characters)?`).FindString(meaning)
	if bounds == "" {
		bounds = regexp.MustCompile(`(?:up to|at most|at least) (?:one|[0-9][0-9a-z]*)(?: characters)?`).FindString(meaning)
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s | %s |\n", key, typeName(field.Type), value, bounds, strings.ReplaceAll(meaning, "|", `\|`))
}

// typeName returns the name of a key's type in docs/configuration.md.
func typeName(of reflect.Type) string {
	if c, ok := reflect.TypeAssert[interface{ Choices() []string }](reflect.New(of).Elem()); ok {
		return "`" + strings.Join(c.Choices(), "`, `") + "`"
	}
	names := map[string]string{
		"Duration": "duration", "Period": "period", "Size": "size", "AutoSize": "size or `auto`", "AutoInt": "number or `auto`", "Time": "time",
		"Schedule": "schedule", "Glob": "glob", "ExternalID": "external id", "Tags": "`copy`, `omit` or `{only: [KEY, ...]}`",
	}
	if name := names[of.Name()]; name != "" {
		return name
	}
	switch of.Kind() { //nolint:exhaustive // the schema has no other kinds
	case reflect.Pointer:
		return typeName(of.Elem())
	case reflect.Slice:
		return "list of " + typeName(of.Elem()) + "s"
	case reflect.Map:
		if of.Elem().Kind() == reflect.Struct {
			return "sections by name"
		}
		return "texts by name"
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "`true` or `false`"
	case reflect.Int64, reflect.Float64:
		return "number"
	}
	return "section"
}

// plainMeaning returns the comment of a type or a field without Go names.
func plainMeaning(of reflect.Type, name, comment string) string {
	text := strings.TrimPrefix(comment, name+" ")
	for _, verb := range []string{"is ", "are "} {
		text = strings.TrimPrefix(text, verb)
	}
	for field := range of.Fields() {
		key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if key != "" && field.Name != strings.ToUpper(field.Name) {
			text = regexp.MustCompile(`([a-z,(] )`+field.Name+`\b`).ReplaceAllString(text, "${1}`"+key+"`")
		}
	}
	text = strings.ReplaceAll(text, "DefaultListen", "`"+config.DefaultListen+"`")
	runes := []rune(text)
	if len(runes) > 0 && !strings.HasPrefix(text, "file:") {
		runes[0] = unicode.ToUpper(runes[0])
	}
	return string(runes)
}
