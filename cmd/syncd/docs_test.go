package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncd/config"
	"syncd/internal/exit"
	"syncd/internal/invocation"
)

// documents returns the text of the documents that contain commands to copy, by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/decisions/*.md", "../../deploy/*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts[path] = string(text)
		}
	}
	return texts
}

// goFiles returns the paths of the Go files in a folder and its subfolders, except testdata, hidden
// folders and node_modules.
func goFiles(t *testing.T, root string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch name := filepath.Base(path); {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".")):
			return filepath.SkipDir
		case !entry.IsDir() && filepath.Ext(path) == ".go":
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// TestDocumentedCommandsExist checks that every syncd command line in the documents and in the help
// has an existing command and existing flags.
func TestDocumentedCommandsExist(t *testing.T) {
	root := newRoot(invocation.Process{})
	root.InitDefaultHelpCmd()
	texts := documents(t)
	for _, cmd := range append(root.Commands(), root) {
		texts["syncd "+cmd.Name()+" --help"] = cmd.Long + "\n" + cmd.Example
	}
	code := regexp.MustCompile("(?m)(?:`|^ *|[a-z=] )syncd ((?:[a-z]+)(?: +[^`\\n|;&)]+)?)")
	found := 0
	for name, text := range texts {
		for _, match := range code.FindAllStringSubmatch(text, -1) {
			line := strings.Fields(match[1])
			if !isCommandLine(match[0], root, line) {
				continue
			}
			found++
			checkCommandLine(t, name, root, line)
		}
	}
	if found < 20 {
		t.Errorf("got only %d command lines in the documents, want more", found)
	}
}

// isCommandLine distinguishes a command line from a sentence that begins with "syncd": a command
// line is in code or has flags.
func isCommandLine(match string, root *cobra.Command, words []string) bool {
	cmd, _, err := root.Find(words)
	inCode := strings.HasPrefix(match, "`")
	hasFlags := strings.Contains(match, " --")
	return inCode || hasFlags && err == nil && cmd != root
}

func checkCommandLine(t *testing.T, name string, root *cobra.Command, words []string) {
	t.Helper()
	cmd, _, err := root.Find(words)
	if err != nil || cmd == root && words[0] != strings.ToUpper(words[0]) {
		t.Errorf("%s: no command for `syncd %s`", name, strings.Join(words, " "))
		return
	}
	for _, word := range words {
		flag, ok := strings.CutPrefix(strings.Trim(word, "[]."), "--")
		if !ok || flag == "help" {
			continue
		}
		flag, _, _ = strings.Cut(flag, "=")
		if cmd.Flags().Lookup(flag) == nil {
			t.Errorf("%s: `syncd %s`: no flag --%s", name, strings.Join(words, " "), flag)
		}
	}
}

// TestDocumentedConfigurationsLoad checks that every YAML block in the documents that begins with
// state is a valid configuration.
func TestDocumentedConfigurationsLoad(t *testing.T) {
	block := regexp.MustCompile("(?s)```yaml\n(state:.*?)```")
	found := 0
	for name, text := range documents(t) {
		for _, match := range block.FindAllStringSubmatch(text, -1) {
			found++
			if _, err := config.Parse([]byte(match[1]), filepath.Base(name)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if found == 0 {
		t.Error("got no configuration in the documents")
	}
}

// TestFlagsAreDocumented checks that the table of docs/cli.md has exactly the flags of each
// command.
func TestFlagsAreDocumented(t *testing.T) {
	missing := map[string]bool{}
	for cmd := range commandsOf(t) {
		name := strings.TrimPrefix(cmd.CommandPath(), "syncd ")
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if flag.Name != "help" && !flag.Hidden {
				missing[name+" --"+flag.Name] = true
			}
		})
	}
	_, section, _ := strings.Cut(string(readText(t, "../../docs/cli.md")), "\n## Flags\n")
	section, _, _ = strings.Cut(section, "\n`completion ")
	name := regexp.MustCompile("`--([a-z-]+)")
	rows := regexp.MustCompile(`(?m)^\| (`+"`--.*?`"+`(?:, `+"`.*?`"+`)*) \| ([^|]+) \| .*\|$`).FindAllStringSubmatch(strings.ReplaceAll(section, `\|`, "/"), -1)
	documented := map[string]bool{}
	for _, row := range rows {
		for _, flag := range name.FindAllStringSubmatch(row[1], -1) {
			for command := range strings.SplitSeq(strings.TrimSuffix(strings.ReplaceAll(row[2], "`", ""), " alone"), ", ") {
				documented[command+" --"+flag[1]] = true
			}
		}
	}
	for pair := range documented {
		if !missing[pair] {
			t.Errorf("docs/cli.md has syncd %s, which is no flag of that command", pair)
		}
		delete(missing, pair)
	}
	for pair := range missing {
		t.Errorf("docs/cli.md lacks syncd %s", pair)
	}
	if len(rows) < 30 {
		t.Errorf("got %d rows of the table, want all of them", len(rows))
	}
}

// TestMappingIsRequiredWhereTheHelpSaysSo checks, for every command with --mapping, that it fails
// without the flag if and only if its help calls the flag required.
func TestMappingIsRequiredWhereTheHelpSaysSo(t *testing.T) {
	path := writeConfig(t, sound)
	for cmd := range commandsOf(t) {
		flag := cmd.Flags().Lookup("mapping")
		if flag == nil || cmd.Name() == "run" || cmd.Name() == "policy" || cmd.CommandPath() == "syncd policy check" {
			continue
		}
		args := append(strings.Fields(cmd.CommandPath())[1:], "--config", path)
		switch cmd.Name() {
		case "rename":
			args = append(args, "--from", "former")
		case "doctor":
			args = append(args, "--offline")
		}
		cancelled, stop := context.WithCancel(t.Context())
		stop() // so that no request is sent
		var stdout, stderr strings.Builder
		code := run(cancelled, args, invocation.Process{Stdout: &stdout, Stderr: &stderr, ReadFile: os.ReadFile, Now: time.Now, LookupEnv: func(string) (string, bool) { return "", false }})
		isRefused := code == exit.CodeUsage && strings.Contains(stderr.String(), "--mapping")
		if isRequired := strings.Contains(flag.Usage, "required"); isRefused != isRequired {
			t.Errorf("%s --help: got %q, and without a mapping exit %d and %q", cmd.CommandPath(), flag.Usage, code, stderr.String())
		}
	}
}

// TestDecisionsAreListed checks that the list of decisions has one row for every decision, with its
// number and title, and a sentence about every number without a decision.
func TestDecisionsAreListed(t *testing.T) {
	const folder = "../../docs/decisions/"
	list := string(readText(t, folder+"README.md"))
	files, err := filepath.Glob(folder + "[0-9]*.md")
	if err != nil || len(files) < 20 {
		t.Fatalf("got decisions %q, %v, want all", files, err)
	}
	title := regexp.MustCompile(`^# (\d+)\. (.+)\n`)
	expected, named := 1, map[string]bool{}
	for _, file := range files {
		match := title.FindStringSubmatch(string(readText(t, file)))
		if match == nil {
			t.Errorf("%s: got no title with a number, want one", file)
			continue
		}
		for ; fmt.Sprint(expected) != match[1]; expected++ {
			if note := fmt.Sprintf("There is no decision %d:", expected); expected > len(files)+10 || !strings.Contains(list, note) {
				t.Fatalf("got no %q in the list, and no such file", note)
			}
		}
		if !strings.HasPrefix(filepath.Base(file), fmt.Sprintf("%04d-", expected)) {
			t.Errorf("%s: got number %s in the title, want the number in the file name", file, match[1])
		}
		expected++
		row := fmt.Sprintf("\n| %s | [%s](%s)", match[1], match[2], filepath.Base(file))
		_, rest, found := strings.Cut(list, row)
		rest, _, _ = strings.Cut(rest, "\n")
		if text := match[2] + rest; !found || named[text] {
			t.Errorf("got no row for %s in the list, want %s |", file, strings.TrimSpace(row))
		} else {
			named[text] = true
		}
	}
	if got := strings.Count(list, "\n| ") - 1; got != len(files) {
		t.Errorf("got %d rows in the list, want %d", got, len(files))
	}
}

// TestChangelogBeginsWithWhatBreaks checks that breaking changes come first, and that no entry is
// repeated.
func TestChangelogBeginsWithWhatBreaks(t *testing.T) {
	_, unreleased, found := strings.Cut(string(readText(t, "../../CHANGELOG.md")), "\n## Unreleased\n\n### Changed\n\nBreaking changes, each with what to do:\n\n")
	breaking, others, split := strings.Cut(unreleased, "\nOther changes:\n\n")
	others, added, ends := strings.Cut(others, "\n### Added\n\n")
	if !found || !split || !ends {
		t.Fatal("got other sections in Unreleased, want the breaking changes first, then the other changes, then the additions")
	}
	if len(strings.Split(breaking, "\n- ")) < 20 || strings.Contains(others, "### ") {
		t.Errorf("got %d breaking changes, want all, and one section of changes", len(strings.Split(breaking, "\n- ")))
	}
	beginnings := map[string]bool{}
	for entry := range strings.SplitSeq("\n"+breaking+"\n"+others+"\n"+added, "\n- ") {
		beginning := strings.Join(strings.Fields(entry)[:min(5, len(strings.Fields(entry)))], " ")
		if beginning != "" && beginnings[beginning] {
			t.Errorf("got two entries that begin with %q, want one", beginning)
		}
		beginnings[beginning] = true
	}
}
