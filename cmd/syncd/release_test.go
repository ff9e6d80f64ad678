package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"syncd/internal/buildinfo"

	"github.com/goccy/go-yaml"
)

var buildRelease = flag.Bool("release", false, "build the release twice and compare; make release-test sets it")

// workflow has the fields that the files in .github/workflows are allowed to use.
type workflow struct {
	Name        string            `yaml:"name"`
	On          map[string]any    `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Env         map[string]string `yaml:"env"`
	Concurrency map[string]any    `yaml:"concurrency"`
	Jobs        map[string]struct {
		Needs          string            `yaml:"needs"`
		RunsOn         string            `yaml:"runs-on"`
		TimeoutMinutes int               `yaml:"timeout-minutes"`
		Permissions    map[string]string `yaml:"permissions"`
		Steps          []workflowStep    `yaml:"steps"`
	} `yaml:"jobs"`
}

type workflowStep struct {
	ID   string            `yaml:"id"`
	Name string            `yaml:"name"`
	Uses string            `yaml:"uses"`
	With map[string]any    `yaml:"with"`
	Env  map[string]string `yaml:"env"`
	Run  string            `yaml:"run"`
}

// workflows returns all workflows by file name. Unknown fields are errors.
func workflows(t *testing.T) map[string]workflow {
	t.Helper()
	paths, err := filepath.Glob("../../.github/workflows/*")
	if err != nil || len(paths) < 2 {
		t.Fatalf("got %v, %v, want the workflows of CI and of releases", paths, err)
	}
	read := map[string]workflow{}
	for _, path := range paths {
		var w workflow
		if err := yaml.UnmarshalWithOptions(readText(t, path), &w, yaml.Strict()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		read[filepath.Base(path)] = w
	}
	return read
}

func readText(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestWorkflowsCallExistingTargets checks that the make targets and scripts that the workflows call
// exist, and that their shell commands are valid.
func TestWorkflowsCallExistingTargets(t *testing.T) {
	makefile := readText(t, "../../Makefile")
	for name, w := range workflows(t) {
		if len(w.On) == 0 || len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
			t.Errorf("%s: got triggers %v and permissions %v, want a trigger, and only read permission by default", name, w.On, w.Permissions)
		}
		for job, j := range w.Jobs {
			if _, ok := w.Jobs[j.Needs]; j.Needs != "" && !ok || j.TimeoutMinutes == 0 {
				t.Errorf("%s: job %s needs %q and has %d minutes, want a job that exists, and a time limit", name, job, j.Needs, j.TimeoutMinutes)
			}
			for _, s := range j.Steps {
				if (s.Uses == "") == (s.Run == "") {
					t.Errorf("%s: step %q of %s: want either uses or run", name, s.Name, job)
				}
				if s.Uses != "" && !regexp.MustCompile(`^actions/[a-z-]+@[0-9a-f]{40}$`).MatchString(s.Uses) {
					t.Errorf("%s: got action %s, want an action by GitHub, pinned to a commit", name, s.Uses)
				}
				checkShell(t, name+" "+s.Name, s.Run)
				for _, target := range targetsIn(s.Run + string(readText(t, "../../.ci/run"))) {
					if !regexp.MustCompile(`(?m)^` + target + `:`).Match(makefile) {
						t.Errorf("%s: got make %s, want a target of the Makefile", name, target)
					}
				}
			}
		}
	}
}

// targetsIn returns the make targets in the command lines of a script.
func targetsIn(script string) (targets []string) {
	for _, match := range regexp.MustCompile(`(?m)^(?:[A-Z]+=\S+ )*make ([a-z -]+)$`).FindAllStringSubmatch(script, -1) {
		targets = append(targets, strings.Fields(match[1])...)
	}
	return targets
}

// checkShell checks the syntax of a script with a shell, and that the scripts of the repository
// that it calls exist.
func checkShell(t *testing.T, what, script string) {
	t.Helper()
	if strings.Contains(script, "${{") {
		t.Errorf("%s: got an expression in a script, want it in env, because the shell would execute its value", what)
	}
	shell := exec.CommandContext(t.Context(), "bash", "-n")
	shell.Stdin = strings.NewReader(script)
	if output, err := shell.CombinedOutput(); err != nil {
		t.Errorf("%s: %v: %s", what, err, output)
	}
	for _, path := range regexp.MustCompile(`(?m)(?:^|\s)(\.(?:ci|github)/[\w./-]+)`).FindAllStringSubmatch(script, -1) {
		if _, err := os.Stat(filepath.Join("../..", path[1])); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestReleaseWorkflowChecksFirst checks that the release workflow runs CI before it releases.
func TestReleaseWorkflowChecksFirst(t *testing.T) {
	all := workflows(t)
	runs := func(file, job string) (scripts []string) {
		for _, s := range all[file].Jobs[job].Steps {
			if s.Run != "" {
				scripts = append(scripts, s.Run)
			}
		}
		return scripts
	}
	if got, want := runs("release.yml", "check"), runs("ci.yml", "ci"); len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("got checks %q before a release, want the checks of CI, %q", got, want)
	}
	jobs := all["release.yml"].Jobs
	if jobs["binaries"].Needs != "check" || jobs["image"].Needs != "binaries" {
		t.Errorf("got the binaries after %q and the image after %q, want the binaries after check and the image after binaries", jobs["binaries"].Needs, jobs["image"].Needs)
	}
}

// TestBuildFlagsAgree checks that every place that builds the binary uses the same flags, so that a
// release can be reproduced.
func TestBuildFlagsAgree(t *testing.T) {
	const flags = `go build -trimpath -ldflags '-s -w' -o `
	for _, path := range []string{"../../Makefile", "../../Dockerfile", "../../.github/release.sh", "../../docs/release.md"} {
		if text := string(readText(t, path)); !strings.Contains(text, flags) || strings.Count(text, "go build") != strings.Count(text, flags) {
			t.Errorf("%s: got different build flags, want %s", path, flags)
		}
	}
}

// TestReleaseIsReproducible checks that the commands of docs/release.md produce the same bytes in
// two folders.
func TestReleaseIsReproducible(t *testing.T) {
	if !*buildRelease {
		t.Skip("builds four binaries; make release-test runs it")
	}
	first, second := filepath.Join(t.TempDir(), "first"), filepath.Join(t.TempDir(), "elsewhere", "second")
	checkout(t, first)
	git(t, ".", "clone", "--quiet", first, second)
	platform := runtime.GOOS + "/" + runtime.GOARCH
	commands := commandsWith(t, "../../docs/release.md", ".github/release.sh")
	if !strings.Contains(commands, "linux/amd64") {
		t.Fatalf("got %q, want the platform that the test replaces", commands)
	}
	var sums [2]string
	for i, dir := range []string{first, second} {
		shell := exec.CommandContext(t.Context(), "bash", "-e", "-c", strings.ReplaceAll(commands, "linux/amd64", platform))
		shell.Dir, shell.Env = dir, append(os.Environ(), "VERSION=v1.2.3", "GOFLAGS=-buildvcs=false", "GIT_CONFIG_GLOBAL="+os.DevNull)
		output, err := shell.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		sums[i] = string(output)
	}
	if sums[0] != sums[1] || strings.Count(sums[0], "syncd_v1.2.3_") != 2 {
		t.Errorf("got checksums\n%sand then\n%swant the same checksums of an archive and its bill of materials", sums[0], sums[1])
	}
	checkRelease(t, first, strings.ReplaceAll(platform, "/", "_"))
}

// checkRelease checks the contents of an archive and its bill of materials.
func checkRelease(t *testing.T, dir, platform string) {
	t.Helper()
	name := "syncd_v1.2.3_" + platform
	listed, err := exec.CommandContext(t.Context(), "tar", "--list", "--gzip", "--file", filepath.Join(dir, "dist", name+".tar.gz")).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"syncd", "LICENSE", "man/syncd-run.1", "completions/syncd.bash", "docs/getting-started.md"} {
		if !bytes.Contains(listed, []byte(name+"/"+file+"\n")) {
			t.Errorf("got no %s in the archive, want it in\n%s", file, listed)
		}
	}
	var bill buildinfo.BOM
	if err := json.Unmarshal(readText(t, filepath.Join(dir, "dist", name+".cdx.json")), &bill); err != nil {
		t.Fatal(err)
	}
	if got, want := bill.Metadata.Component.PURL, "pkg:golang/syncd@v1.2.3"; got != want {
		t.Errorf("got bill of materials of %s, want %s", got, want)
	}
	if !slices.ContainsFunc(bill.Components, func(c buildinfo.Component) bool { return c.Name == "github.com/aws/aws-sdk-go-v2" }) {
		t.Error("got a bill of materials without the SDK, want every module")
	}
}

// commandsWith returns the command block of a page that contains a text.
func commandsWith(t *testing.T, path, text string) string {
	t.Helper()
	for _, s := range stepsOf(t, path) {
		if strings.Contains(s.commands, text) {
			return s.commands
		}
	}
	t.Fatalf("%s: got no commands with %s, want some", path, text)
	return ""
}

// checkout creates a repository with the current files of the program, one commit and a tag.
func checkout(t *testing.T, dir string) {
	t.Helper()
	for _, part := range []string{"cmd", "config", "internal", "docs", ".github"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join("../..", part))); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"go.mod", "go.sum", ".gitignore", "LICENSE", "README.md", "CHANGELOG.md"} {
		if err := os.WriteFile(filepath.Join(dir, file), readText(t, filepath.Join("../..", file)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "init", "--quiet")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "--quiet", "--message", "all of it")
	git(t, dir, "tag", "v1.2.3")
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v: %s", args, err, output)
	}
}
