// Package deploy_test checks this folder against syncd itself: every syncd.yaml loads without
// errors, every alert has a section in the runbook, and duplicated content is identical.
//
// The module in deploytest checks more, with the libraries of Kubernetes, Helm, Prometheus and
// Terraform.
package deploy_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"syncd/config"
)

var update = flag.Bool("update", false, "write the copies of the rules, the dashboard and the schema, and the table of chart values")

func TestConfigurationsLoad(t *testing.T) {
	found := 0
	walk(t, func(name string) {
		if path.Base(name) != "syncd.yaml" {
			return
		}
		found++
		if _, err := config.Parse(filledIn(t, read(t, name)), name); err != nil {
			t.Error(err)
		}
	})
	if found < 3 {
		t.Errorf("got %d files, want the files of Kubernetes and ECS", found)
	}
}

// filledIn replaces the placeholders listed in ecs/README.md with their examples.
func filledIn(t *testing.T, data []byte) []byte {
	t.Helper()
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| `([^`]+)` \\|").FindAllSubmatch(read(t, "ecs/README.md"), -1) {
		data = bytes.ReplaceAll(data, row[1], row[2])
	}
	return data
}

// TestAlertsHaveSections checks that every alert has a section in the runbook, and that every
// section has an alert.
func TestAlertsHaveSections(t *testing.T) {
	names := func(pattern string, data []byte) (found []string) {
		for _, match := range regexp.MustCompile(pattern).FindAllSubmatch(data, -1) {
			found = append(found, string(match[1]))
		}
		slices.Sort(found)
		return found
	}
	alerts := names(`(?m)^      - alert: (\w+)$`, read(t, "prometheus/rules.yaml"))
	sections := names(`(?m)^### (Syncd\w+)$`, read(t, "../docs/operations.md"))
	if len(alerts) == 0 || !slices.Equal(alerts, sections) {
		t.Errorf("got sections %v, want the alerts %v", sections, alerts)
	}
	anchors := names(`runbook: docs/operations\.md#(\w+)\n`, read(t, "prometheus/rules.yaml"))
	want := names(`(syncd\w+)`, bytes.ToLower([]byte(strings.Join(alerts, "\n"))))
	if !slices.Equal(anchors, want) {
		t.Fatalf("got runbook anchors %v, want %v", anchors, want)
	}
}

// TestRunbookLinksByHand checks the sed command in README.md for operators who use the rules
// without the chart. For each alert, the command must add one link to the alert's section of the
// runbook.
func TestRunbookLinksByHand(t *testing.T) {
	command := regexp.MustCompile(`sed 's\|([^|]+)\|([^|]+)\|' deploy/prometheus/rules\.yaml`).FindSubmatch(read(t, "README.md"))
	if command == nil {
		t.Fatal("got no sed command in README.md, want one")
	}
	rules := read(t, "prometheus/rules.yaml")
	linked := bytes.ReplaceAll(rules, command[1], command[2])
	links := regexp.MustCompile(`(?m)^          runbook_url: https://[^ ]+/docs/operations\.md#syncd\w+$`).FindAll(linked, -1)
	if got, want := len(links), bytes.Count(rules, []byte("- alert: ")); got != want {
		t.Errorf("got %d links, want %d", got, want)
	}
}

// TestCopiesAgree checks that copies of files are identical. The copies are needed because
// kustomize and Helm read only files in their own folder.
func TestCopiesAgree(t *testing.T) {
	rules := read(t, "prometheus/rules.yaml")
	indented := regexp.MustCompile(`(?m)^(.)`).ReplaceAll(rules, []byte("  $1"))
	head := "# Generated from deploy/prometheus/rules.yaml by make golden.\n" +
		"apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\n" +
		"metadata:\n  name: syncd\n  namespace: syncd\n  labels: {app.kubernetes.io/name: syncd}\nspec:\n"
	for name, want := range map[string][]byte{
		"helm/syncd/files/rules.yaml":                          rules,
		"helm/syncd/files/syncd.json":                          read(t, "grafana/syncd.json"),
		"kubernetes/components/monitoring/prometheusrule.yaml": slices.Concat([]byte(head), indented),
	} {
		golden(t, name, want)
	}
}

// TestReadmeNamesEveryFolder checks that the README mentions every folder.
func TestReadmeNamesEveryFolder(t *testing.T) {
	readme := string(read(t, "README.md"))
	walk(t, func(name string) {
		dir := path.Dir(name)
		top, _, _ := strings.Cut(dir, "/")
		if dir == "." || top == "deploytest" || top == "helm" {
			return
		}
		if inKubernetes, ok := strings.CutPrefix(dir, "kubernetes/"); ok && strings.Contains(readme, "`"+inKubernetes+"`") {
			return
		}
		if !strings.Contains(readme, "("+dir+")") && !strings.Contains(readme, "`"+dir+"`") {
			t.Errorf("got no line on %s in README.md, want one", dir)
		}
	})
}

// TestImageIsSmallAndUnprivileged checks the Dockerfile: its stages, its user and its health check.
// Commands are in exec form (JSON), because the image has no shell.
func TestImageIsSmallAndUnprivileged(t *testing.T) {
	instructions := dockerfile(t, "../Dockerfile")
	if got, want := instructions["FROM"], []string{"--platform=$BUILDPLATFORM ${GO_IMAGE} AS build", "scratch"}; !slices.Equal(got, want) {
		t.Errorf("got stages from %q, want %q", got, want)
	}
	if got := instructions["USER"]; !slices.Equal(got, []string{"65532:65532"}) {
		t.Errorf("got user %q, want the user in the manifests", got)
	}
	_, check, _ := strings.Cut(strings.Join(instructions["HEALTHCHECK"], " "), "CMD ")
	entry := append(exec(t, instructions["ENTRYPOINT"]), exec(t, instructions["CMD"])...)
	want := []string{"/syncd", "healthcheck", "--config", "/etc/syncd/syncd.yaml"}
	if got := exec(t, []string{check}); !slices.Equal(got, want) || len(entry) != 4 || entry[3] != want[3] {
		t.Errorf("got health check %q of %q, want %q with the same configuration", got, entry, want)
	}
	copied := strings.Join(instructions["COPY"], "\n")
	for _, file := range []string{"/etc/ssl/certs/ca-certificates.crt", "/out/syncd /syncd"} {
		if !strings.Contains(copied, file) {
			t.Errorf("got no COPY of %s, want it in the image", file)
		}
	}
	if built := strings.Join(instructions["RUN"], "\n"); !strings.Contains(built, "CGO_ENABLED=0 ") || !strings.Contains(built, " -trimpath ") {
		t.Errorf("got build %q, want a static and reproducible one", built)
	}
}

// dockerfile returns the instructions of a Dockerfile by kind, in order, with continued lines
// joined.
func dockerfile(t *testing.T, name string) map[string][]string {
	t.Helper()
	known := []string{"ARG", "FROM", "WORKDIR", "COPY", "RUN", "VOLUME", "USER", "EXPOSE", "LABEL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
	text := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAll(read(t, name), nil)
	text = regexp.MustCompile(`\\\n\s*`).ReplaceAll(text, nil)
	instructions := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "" {
			continue
		}
		if !slices.Contains(known, word) {
			t.Errorf("%s: got instruction %s, want one of %v", name, word, known)
		}
		instructions[word] = append(instructions[word], rest)
	}
	return instructions
}

// exec returns the exec form of an instruction that occurs once.
func exec(t *testing.T, instructions []string) (words []string) {
	t.Helper()
	if len(instructions) != 1 {
		t.Fatalf("got %q, want one", instructions)
	}
	if err := json.Unmarshal([]byte(instructions[0]), &words); err != nil {
		t.Fatalf("read %s: %v", instructions[0], err)
	}
	return words
}

// walk calls visit with the slash-separated name of every file of this folder.
func walk(t *testing.T, visit func(name string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			visit(filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestCommandsInPodsFitThePod checks the kubectl exec commands in the documents against the
// manifest: the name of the Deployment, the program and the configuration.
func TestCommandsInPodsFitThePod(t *testing.T) {
	manifest := string(read(t, "kubernetes/base/deployment.yaml"))
	command := regexp.MustCompile("exec (deployment/\\w+) -- (/\\w+) (\\w+) --config\\s+(/[^` \n]+)")
	asked := false
	for _, name := range []string{"README.md", "../docs/operations.md"} {
		for _, match := range command.FindAllStringSubmatch(string(read(t, name)), -1) {
			asked = asked || match[3] == "pause"
			if match[1] != "deployment/syncd" || match[2] != "/syncd" || !strings.Contains(manifest, "--config, "+match[4]+"]") {
				t.Errorf("%s: got %q, want the Deployment, the program and the configuration of kubernetes/base/deployment.yaml", name, match[0])
			}
		}
	}
	if !asked {
		t.Error("got no kubectl exec that pauses a mapping in README.md, want one: a pod with state on S3 has no socket")
	}
}
