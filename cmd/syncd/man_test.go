package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/usage"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// manual writes the manual and returns its pages by name.
func manual(t *testing.T, date time.Time) map[string]string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "man1")
	if err := usage.WriteManual(newRoot(invocation.Process{}), date, dir); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		pages[file.Name()] = string(text)
	}
	return pages
}

// pageNames returns the names of the pages for a command and the commands under it.
func pageNames(cmd *cobra.Command) []string {
	names := []string{strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"}
	for _, child := range cmd.Commands() {
		names = append(names, pageNames(child)...)
	}
	return names
}

func TestManualHasAPageForEachCommand(t *testing.T) {
	want := pageNames(newRoot(invocation.Process{}))
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(manual(t, time.Unix(0, 0)))); !slices.Equal(got, want) {
		t.Errorf("got pages %v, want %v", got, want)
	}
}

// TestManualPagesAreWhole checks that each page has the sections of man-pages(7) and valid roff.
func TestManualPagesAreWhole(t *testing.T) {
	section := regexp.MustCompile(`(?m)^\.SH (.+)$`)
	request := regexp.MustCompile(`(?m)^\.(\w*)`)
	known := []string{"nh", "TH", "SH", "PP", "TP", "EX", "EE", "RS", "RE", "IP"}
	want := []string{"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLE", "SEE ALSO"}
	for name, page := range manual(t, time.Unix(0, 0)) {
		var got []string
		for _, match := range section.FindAllStringSubmatch(page, -1) {
			got = append(got, match[1])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: got other sections (-want +got):\n%s", name, diff)
		}
		for _, match := range request.FindAllStringSubmatch(page, -1) {
			if !slices.Contains(known, match[1]) {
				t.Errorf("%s: got request .%s, want one of %v", name, match[1], known)
			}
		}
		for _, unrendered := range []string{"**", "```", "Exit codes:", "(default )"} {
			if strings.Contains(page, unrendered) {
				t.Errorf("%s: got %q in a page, want it rendered", name, unrendered)
			}
		}
		if bold, ends := strings.Count(page, `\fB`)+strings.Count(page, `\fI`), strings.Count(page, `\fP`)+strings.Count(page, `\fR`); bold != ends {
			t.Errorf("%s: got %d starts of another font and %d ends, want equally many", name, bold, ends)
		}
		if _, codes, _ := strings.Cut(page, ".SH EXIT STATUS\n"); !strings.HasPrefix(codes, ".TP\n\\fB0\\fP\n") {
			t.Errorf("%s: the exit codes do not start with 0, want the table of codes", name)
		}
	}
}

func TestManualIsReproducible(t *testing.T) {
	date := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	first := manual(t, date)
	if diff := cmp.Diff(first, manual(t, date)); diff != "" {
		t.Errorf("got a different output the second time (-first +second):\n%s", diff)
	}
	for name, page := range first {
		if title, _, _ := strings.Cut(strings.TrimPrefix(page, ".nh\n"), "\n"); !strings.Contains(title, ` "Mar 2026" `) {
			t.Errorf("%s: got title %s, want the given date in it", name, title)
		}
	}
}

func TestManualDate(t *testing.T) {
	env := func(value string, ok bool) invocation.Process {
		return invocation.Process{LookupEnv: func(name string) (string, bool) { return value, ok && name == "SOURCE_DATE_EPOCH" }}
	}
	if got, err := usage.ManualDate(env("1767225600", true).LookupEnv); err != nil || got.Format(time.DateOnly) != "2026-01-01" {
		t.Errorf("got %v, %v, want the date of SOURCE_DATE_EPOCH", got, err)
	}
	if _, err := usage.ManualDate(env("yesterday", true).LookupEnv); exit.Code(err) != exit.CodeUsage {
		t.Errorf("got %v, want a usage error", err)
	}
	// A test binary has no revision, so the date is 1 January 1970.
	if got, err := usage.ManualDate(env("", false).LookupEnv); err != nil || !got.Equal(time.Unix(0, 0)) {
		t.Errorf("got %v, %v, want %v", got, err, time.Unix(0, 0).UTC())
	}
}
