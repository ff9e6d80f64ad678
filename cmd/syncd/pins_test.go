package main

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestActionsUseOneCommit checks that each action is pinned to the same commit everywhere, with its
// version in a comment.
func TestActionsUseOneCommit(t *testing.T) {
	commits := map[string]string{}
	for name := range workflows(t) {
		text := string(readText(t, filepath.Join("../../.github/workflows", name)))
		pinned := regexp.MustCompile(`uses: ([a-z/-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)\n`).FindAllStringSubmatch(text, -1)
		if got := strings.Count(text, "uses:"); got != len(pinned) {
			t.Errorf("%s: got %d actions, %d of them pinned with their version, want all", name, got, len(pinned))
		}
		for _, p := range pinned {
			if known := commits[p[1]]; known != "" && known != p[2]+p[3] {
				t.Errorf("%s: got %s at %s, want the same commit as in other places", name, p[1], p[2])
			}
			commits[p[1]] = p[2] + p[3]
		}
	}
	if len(commits) < 3 {
		t.Errorf("got actions %v, want the actions of the workflows", commits)
	}
}

// TestWorkflowRunsGovulncheck checks that the hosted workflow runs govulncheck.
func TestWorkflowRunsGovulncheck(t *testing.T) {
	steps := workflows(t)["ci.yml"].Jobs["vulnerabilities"].Steps
	if !slices.ContainsFunc(steps, func(s workflowStep) bool { return s.Run == "make vuln" }) {
		t.Errorf("got steps %+v, want one of make vuln", steps)
	}
}

// TestRenovateKnowsThePins checks that the configuration of Renovate covers everything that is
// pinned: actions, images, and programs by matching text.
func TestRenovateKnowsThePins(t *testing.T) {
	var renovate struct {
		Extends        []string `json:"extends"`
		CustomManagers []struct {
			Files   []string `json:"managerFilePatterns"`
			Strings []string `json:"matchStrings"`
		} `json:"customManagers"`
	}
	if err := json.Unmarshal(readText(t, "../../.github/renovate.json"), &renovate); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"helpers:pinGitHubActionDigestsToSemver", "docker:pinDigests"} {
		if !slices.Contains(renovate.Extends, want) {
			t.Errorf("got presets %q, want %s", renovate.Extends, want)
		}
	}
	files := map[string]string{"Makefile": "", ".github/workflows/release.yml": ""}
	for _, m := range renovate.CustomManagers {
		for _, s := range m.Strings {
			found := false
			for name := range files {
				watched := slices.ContainsFunc(m.Files, func(p string) bool { return regexp.MustCompile(strings.Trim(p, "/")).MatchString(name) })
				found = found || watched && regexp.MustCompile(s).Match(readText(t, "../../"+name))
			}
			if !found {
				t.Errorf("got no text that %s matches, want every pin to match", s)
			}
		}
	}
	if len(renovate.CustomManagers) == 0 {
		t.Error("got no managers for programs, want one")
	}
}
