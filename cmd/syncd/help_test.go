package main

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/usage"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// commandsOf returns every command with its help page.
func commandsOf(t *testing.T) map[*cobra.Command]string {
	t.Helper()
	var out bytes.Buffer
	root := newRoot(invocation.Process{Stdout: &out})
	root.InitDefaultHelpCmd()
	pages := map[*cobra.Command]string{}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		out.Reset()
		cmd.InitDefaultHelpFlag()
		if err := cmd.Help(); err != nil {
			t.Fatal(err)
		}
		pages[cmd] = out.String()
		for _, child := range cmd.Commands() {
			walk(child)
		}
	}
	walk(root)
	return pages
}

func TestHelpFits(t *testing.T) {
	for cmd, page := range commandsOf(t) {
		for line := range strings.Lines(page) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > usage.Width {
				t.Errorf("%s --help: got a line of %d columns, want at most %d:\n%s", cmd.CommandPath(), n, usage.Width, line)
			}
		}
	}
}

// exitRow matches a line of the exit codes in the help.
var exitRow = regexp.MustCompile(`(?m)^  (\d+) +(.+)$`)

// exitsIn returns the exit codes of a help page and their meanings.
func exitsIn(page string) map[int]string {
	_, section, _ := strings.Cut(page, "Exit codes:\n")
	section, _, _ = strings.Cut(section, "\n\n")
	codes := map[int]string{}
	for _, row := range exitRow.FindAllStringSubmatch(section, -1) {
		code, _ := strconv.Atoi(row[1])
		codes[code] = row[2]
	}
	return codes
}

// TestHelpAndDocumentsHaveTheSameExitCodes checks that every help page and docs/cli.md have the
// exit codes of the table.
func TestHelpAndDocumentsHaveTheSameExitCodes(t *testing.T) {
	pages := commandsOf(t)
	having := map[int][]string{}
	for cmd, page := range pages {
		name := strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), "syncd"), " ")
		codes := exitsIn(page)
		if _, ok := codes[0]; !ok || codes[exit.CodeUsage] == "" {
			t.Errorf("syncd %s --help: got exit codes %v, want 0 and 2 among them", name, codes)
		}
		if got, want := page, exit.Help(name, slices.Collect(maps.Keys(codes))...); !strings.Contains(got, want+"\n") {
			t.Errorf("syncd %s --help: got exit codes that differ from the table, want%s", name, want)
		}
		if name == "" {
			continue
		}
		for code := range codes {
			having[code] = append(having[code], "`"+name+"`")
		}
	}
	var want []string
	for _, row := range exit.Table() {
		slices.Sort(having[row.Code])
		with := strings.Join(having[row.Code], ", ")
		if len(having[row.Code]) == len(pages)-1 {
			with = "all"
		}
		want = append(want, fmt.Sprintf("| %d | %s | %s |", row.Code, row.General, with))
	}
	_, section, _ := strings.Cut(string(readText(t, "../../docs/cli.md")), "\n## Exit codes\n")
	section, _, _ = strings.Cut(section, "\n## ")
	got := regexp.MustCompile(`(?m)^\| \d+ \|.*$`).FindAllString(section, -1)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table of docs/cli.md (-want +got):\n%s", diff)
	}
}
