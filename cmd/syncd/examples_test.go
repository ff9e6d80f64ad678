package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// TestShippedConfigurationsPassTheCheck runs `syncd config check` on every configuration in the
// repository: in files, in the values of a chart, in a ConfigMap, and in documents.
func TestShippedConfigurationsPassTheCheck(t *testing.T) {
	found := map[string]int{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); name == "testdata" || name == ".git" || name == "node_modules" || name == "wrong" {
				return fs.SkipDir
			}
			return nil
		}
		for _, text := range configurationsIn(t, path) {
			found[filepath.Dir(path)]++
			file := writeConfig(t, text)
			if got := offline(t, nil, "config", "check", "--config", file); got.code != 0 {
				t.Errorf("%s: got exit %d, want it accepted:\n%s", path, got.code, strings.ReplaceAll(got.stderr, file, filepath.Base(path)))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"../..", "../../config/examples", "../../docs", "../../deploy/ecs", "../../deploy/helm/syncd/ci", "../../deploy/kubernetes/base"} {
		if found[folder] == 0 {
			t.Errorf("got no configuration in %s, want the existing ones", folder)
		}
	}
}

// configurationsIn returns the configurations in a file.
func configurationsIn(t *testing.T, path string) (texts []string) {
	t.Helper()
	extension := filepath.Ext(path)
	if extension != ".yaml" && extension != ".yml" && extension != ".md" {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := fillIn(path, string(data))
	if extension == ".md" {
		// A block of YAML, or a here-document in a shell command.
		for _, block := range regexp.MustCompile("(?sm)(?:^```ya?ml\n|<<'?END'?\n)(state:.*?)(?:^```|^END$)").FindAllStringSubmatch(text, -1) {
			texts = append(texts, block[1])
		}
		return texts
	}
	file, err := parser.ParseBytes([]byte(text), parser.ParseComments)
	if err != nil {
		return nil // a template
	}
	for _, doc := range file.Docs {
		texts = append(texts, configurationsOf(doc.Body)...)
	}
	return texts
}

// configurationsOf returns the node if it is a configuration, and otherwise the configurations
// inside it.
func configurationsOf(n ast.Node) (texts []string) {
	switch n := n.(type) {
	case *ast.MappingNode:
		keys := map[string]bool{}
		for _, pair := range n.Values {
			keys[pair.Key.GetToken().Value] = true
		}
		if keys["state"] && keys["mappings"] {
			return []string{n.String()}
		}
		for _, pair := range n.Values {
			texts = append(texts, configurationsOf(pair.Value)...)
		}
	case *ast.MappingValueNode:
		return configurationsOf(n.Value)
	case *ast.SequenceNode:
		for _, value := range n.Values {
			texts = append(texts, configurationsOf(value)...)
		}
	case *ast.LiteralNode:
		var v map[string]any
		if yaml.Unmarshal([]byte(n.Value.Value), &v) == nil && v["state"] != nil && v["mappings"] != nil {
			return []string{n.Value.Value}
		}
	}
	return texts
}

// fillIn replaces the placeholders of a file.
func fillIn(path, text string) string {
	switch {
	case strings.HasSuffix(path, "deploy/ecs/syncd.yaml"):
		return strings.NewReplacer("OWNER_ACCOUNT_ID", "111111111111", "ACCOUNT_ID", "222222222222", "DESTINATION_KEY_ARN", "arn:aws:kms:us-west-2:222222222222:key/1a2b",
			"SOURCE_BUCKET", "owner-data", "DESTINATION_BUCKET", "consumer-copy", "STATE_BUCKET", "consumer-state", "REGION", "us-west-2").Replace(text)
	case strings.HasSuffix(path, "ci/monitoring-values.yaml"):
		return strings.Replace(text, ", web_config: /etc/syncd-web/web.yaml", "", 1) // the file web.yaml exists only in the pod
	case strings.HasSuffix(path, ".md"):
		return strings.NewReplacer("$CONSUMER", "222222222222", "$OWNER", "111111111111", "$SOURCE", "owner-data", "$AWS_REGION", "us-west-2", "$COPY", "consumer-copy",
			"$KEY", "arn:aws:kms:us-west-2:222222222222:key/1a2b").Replace(text)
	}
	return text
}
