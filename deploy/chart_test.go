package deploy_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"syncd/config"
)

const (
	chartValues = "helm/syncd/values.yaml"
	chartSchema = "helm/syncd/values.schema.json"
	chartReadme = "helm/syncd/README.md"
)

// TestConfigurationsOfTheChartLoad checks that syncd's own parser accepts the example in
// values.yaml and the configuration of every values file.
func TestConfigurationsOfTheChartLoad(t *testing.T) {
	files, err := filepath.Glob("helm/syncd/ci/*-values.yaml")
	if err != nil || len(files) < 12 {
		t.Fatalf("got values files %q, %v, want at least 12", files, err)
	}
	texts := map[string][]byte{chartValues: exampleOfTheChart(t)}
	for _, name := range files {
		texts[name] = read(t, filepath.ToSlash(name))
	}
	for name, text := range texts {
		var values struct {
			Config any `yaml:"config"`
		}
		if err := yaml.UnmarshalWithOptions(text, &values, yaml.UseOrderedMap()); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if values.Config == nil {
			if !bytes.Contains(text, []byte("\nexistingConfigMap: ")) {
				t.Errorf("%s: got no config, want one", name)
			}
			continue
		}
		data, err := yaml.Marshal(values.Config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := config.Parse(data, name); err != nil {
			t.Error(err)
		}
	}
}

// exampleOfTheChart returns the example configuration in a comment of values.yaml.
func exampleOfTheChart(t *testing.T) []byte {
	t.Helper()
	_, example, found := strings.Cut(string(read(t, chartValues)), "\n# config:\n")
	example, _, closed := strings.Cut(example, "\n\n")
	if !found || !closed {
		t.Fatal("got no example in a comment of values.yaml, want one")
	}
	return []byte("config:\n" + regexp.MustCompile(`(?m)^# ?`).ReplaceAllString(example, "") + "\n")
}

// TestChartSchemaContainsConfigSchema checks that the $defs in values.schema.json match the
// configuration's schema. The part of the file above the $defs is written by hand.
func TestChartSchemaContainsConfigSchema(t *testing.T) {
	got := read(t, chartSchema)
	head, _, found := bytes.Cut(got, []byte("\n  \"$defs\": "))
	if !found {
		t.Fatal("got no $defs at the end of values.schema.json, want them")
	}
	definitions, err := json.MarshalIndent(configDefinitions(t), "  ", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, chartSchema, fmt.Appendf(nil, "%s\n  \"$defs\": %s\n}\n", head, definitions))
}

// configDefinitions returns the definitions of the configuration's schema, with the whole schema as
// Config.
func configDefinitions(t *testing.T) map[string]any {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal(read(t, "../config/syncd.schema.json"), &whole); err != nil {
		t.Fatal(err)
	}
	definitions := whole["$defs"].(map[string]any)
	for _, key := range []string{"$schema", "$defs", "title"} {
		delete(whole, key)
	}
	definitions["Config"] = whole
	return definitions
}

// TestChartReadmeListsTheValues checks that the table in the chart's README matches the comments in
// values.yaml.
func TestChartReadmeListsTheValues(t *testing.T) {
	const begin, end = "<!-- values: made from values.yaml by go test ./deploy -update -->\n", "<!-- /values -->"
	head, rest, found := strings.Cut(string(read(t, chartReadme)), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("got no %q in the README, want it", begin)
	}
	var table strings.Builder
	table.WriteString("\n| value | default | what it is |\n|---|---|---|\n")
	for _, v := range describedValues(t) {
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", v.path, v.fallback, strings.ReplaceAll(v.about, "|", `\|`))
	}
	golden(t, chartReadme, []byte(head+begin+table.String()+"\n"+end+tail))
}

// TestChartSchemaKnowsTheValues checks that values.yaml and the schema contain the same values.
func TestChartSchemaKnowsTheValues(t *testing.T) {
	type schema struct {
		Properties map[string]json.RawMessage
	}
	known := map[string]bool{}
	var collect func(prefix string, data []byte)
	collect = func(prefix string, data []byte) {
		var s schema
		if err := json.Unmarshal(data, &s); err != nil {
			t.Fatal(err)
		}
		for key, property := range s.Properties {
			known[prefix+key] = true
			collect(prefix+key+".", property)
			if slices.ContainsFunc(sortedKeys(known), func(k string) bool { return strings.HasPrefix(k, prefix+key+".") }) {
				delete(known, prefix+key)
			}
		}
	}
	collect("", read(t, chartSchema))
	delete(known, "global") // Helm sets global, and parent charts set enabled as the condition
	delete(known, "enabled")
	delete(known, "updateStrategy.type")
	delete(known, "updateStrategy.rollingUpdate")
	known["updateStrategy"] = true
	var described []string
	for _, v := range describedValues(t) {
		described = append(described, v.path)
	}
	slices.Sort(described)
	if got := sortedKeys(known); !slices.Equal(got, described) {
		t.Errorf("got the values %v in the schema, want the values of values.yaml: %v", got, described)
	}
}

func sortedKeys(set map[string]bool) (keys []string) {
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// A describedValue is a row of the table in the README.
type describedValue struct{ path, fallback, about string }

// describedValues parses values.yaml and its comments: "# -- " starts the description of a value,
// "# @default -- " replaces the displayed default. A value without a comment is a section of
// values.
func describedValues(t *testing.T) (all []describedValue) {
	t.Helper()
	var about, fallback, section string
	var described bool // whether the lines below belong to a value that already has a row
	for line := range strings.Lines(string(read(t, chartValues))) {
		text := strings.TrimSpace(line)
		comment, isComment := strings.CutPrefix(text, "# ")
		switch indented := strings.HasPrefix(line, " "); {
		case strings.HasPrefix(comment, "-- ") && isComment:
			about = strings.TrimPrefix(comment, "-- ")
		case strings.HasPrefix(comment, "@default -- ") && isComment:
			fallback = strings.TrimPrefix(comment, "@default -- ")
		case isComment && about != "":
			about += " " + comment
		case isComment || text == "#" || text == "" || indented && described:
		default:
			key, value, _ := strings.Cut(text, ":")
			value = strings.TrimSpace(value)
			described = !indented && about != ""
			switch {
			case !indented && about == "" && value == "":
				section = key
				continue
			case about == "":
				t.Errorf("values.yaml: got no description of %s, want one", key)
			}
			if indented {
				key = section + "." + key
			}
			all = append(all, describedValue{key, cmp.Or(fallback, "`"+value+"`"), about})
			about, fallback = "", ""
		}
	}
	return all
}

// TestInvalidChartExamplesStateTheirMessage checks that every invalid values file states the
// expected message; the module deploytest compares it with the actual message.
func TestInvalidChartExamplesStateTheirMessage(t *testing.T) {
	files, err := filepath.Glob("helm/syncd/ci/wrong/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("got the invalid values files %q, %v, want more", files, err)
	}
	for _, name := range files {
		if !bytes.HasPrefix(read(t, filepath.ToSlash(name)), []byte("# want: ")) {
			t.Errorf("%s: got no expected message in the first line, want one", name)
		}
	}
}

// TestNoRegistryIsAssumed checks that no example names an image that a cluster could pull from a
// public registry. The placeholder IMAGE cannot be pulled, because it is not a valid image name.
func TestNoRegistryIsAssumed(t *testing.T) {
	named := regexp.MustCompile(`(?m)^ *(?:- )?(image|newName|repository): *([^ #\n]*)`)
	found := map[string]int{}
	walk(t, func(name string) {
		if path.Ext(name) != ".yaml" || !strings.HasPrefix(name, "kubernetes/") && name != chartValues {
			return
		}
		for _, match := range named.FindAllStringSubmatch(string(read(t, name)), -1) {
			found[match[1]+" "+match[2]]++
		}
	})
	delete(found, "image ") // image: without a name is a section of values.yaml
	want := map[string]int{"image syncd": 3, "newName IMAGE": 3, `repository ""`: 1}
	if !maps.Equal(found, want) {
		t.Errorf("got images %v, want %v", found, want)
	}
}

// golden compares a file with want, or writes the file with -update.
func golden(t *testing.T, name string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.FromSlash(name), want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(read(t, name), want) {
		t.Errorf("%s does not match the files it is generated from: run go test ./deploy -update", name)
	}
}
