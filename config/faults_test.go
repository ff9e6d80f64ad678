package config_test

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"syncd/config"
)

// TestFaultsEnd checks that Parse reports a limited number of faults, and allocates limited memory,
// for files of half a megabyte in which everything is a fault.
func TestFaultsEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("its numbers cost too much under the race detector; make test runs it")
	}
	const most = 512 << 20
	for name, text := range map[string]string{
		"repeated keys":         strings.Repeat("state: a\n", 56<<10),
		"unknown keys":          numbered("k", ": 1\n"),
		"repeated unknown keys": strings.Repeat("a: 1\n", 100<<10),
		"a flow of keys":        "roles: {" + strings.Repeat("a: {}, ", 70<<10) + "}\n",
		"a flow of lists":       "mappings: [" + strings.Repeat("1, ", 160<<10) + "]\n",
		"empty mappings":        "mappings:\n" + strings.Repeat("- {}\n", 100<<10),
		"repeated tags":         "roles:\n  r:\n    tags:\n" + strings.Repeat("      k: v\n", 45<<10),
		"nested":                strings.Repeat("[", 500<<10),
		"merges":                strings.Repeat("<<: {a: 1}\n", 45<<10),
		"keys without values":   "a:\n" + counted("  ? k#\n"),
		"keys behind anchors":   counted("&a# k#: 1\n"),
		"a bracket in between":  "a:\n" + strings.Repeat(counted("  k#: 1\n")[:40<<10]+"\n  k: {\nx: 1}\n", 12),
		"wide mappings":         strings.Repeat("m:\n"+counted("  k#: 1\n")[:38<<10]+"\n", 14),
		"small mappings":        "a:\n" + strings.Repeat("- b: 1\n", 78<<10),
		"small flow mappings":   "a: [" + strings.Repeat("{a: 1}, ", 68<<10) + "]\n",
		"aliases of a mapping":  "state: file:x\nmappings:\n- &m {name: m, source: {bucket: a}}\n" + strings.Repeat("- *m\n", 110<<10),
		"a chain of roles":      "roles:\n" + chainOfRoles(4990),
		"tags to copy":          "mappings:\n- copy: {tags: {only: [" + counted("k#, ") + "k]}}\n",
		"transitive tags":       "roles: {r: {tags: {a: b}, transitive_tags: [" + counted("k#, ")[:100<<10] + "]}}\n",
		"long values":           "x: &b \"" + strings.Repeat("\\x01", 130<<10) + "\"\nroles:\n" + counted("  r#: {arn: *b}\n")[:30<<10] + "}\n",
		"values":                "x: &b \"" + strings.Repeat("\\x01", 4000) + "\"\nroles:\n" + counted("  r#: {arn: *b, via: *b, region: *b}\n")[:90<<10] + "\n",
		"secrets":               "roles:\n  r: {external_id: [" + counted("secretsecret#, ") + "a], arn: x}\n" + counted("x#: 1\n")[:9<<10] + "\n",
		"mappings of one name":  oneName(9000),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := config.Parse([]byte(text), "syncd.yaml")
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatal("got no fault")
			}
			if got := len(err.Error()); got > 256<<10 {
				t.Errorf("got %d bytes of faults, want values cut", got)
			}
			if faults := strings.Count(err.Error(), "\n") + 1; faults > 101 {
				t.Errorf("got %d faults, want an end of them", faults)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > most {
				t.Errorf("got %d bytes of memory, garbage included, want at most %d", grown, most)
			}
		})
	}
}

func numbered(prefix, suffix string) string {
	var b strings.Builder
	for i := range 50 << 10 {
		b.WriteString(prefix + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/26%40) + suffix)
	}
	return b.String()
}

// counted returns half a megabyte of copies of unit, each with a number in place of #.
func counted(unit string) string {
	var b strings.Builder
	for i := 0; b.Len() < 500<<10; i++ {
		b.WriteString(strings.ReplaceAll(unit, "#", strconv.Itoa(i)))
	}
	return b.String()
}

func chainOfRoles(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  r%d: {arn: \"arn:aws:iam::111111111111:role/r\", via: r%d}\n", i, i+1)
	}
	return b.String() + fmt.Sprintf("  r%d: {arn: \"arn:aws:iam::111111111111:role/r\"}\n", n)
}

// oneName returns mappings that are valid one by one, but all have the same name and destination.
func oneName(n int) string {
	return "state: file:x\nmappings:\n- &m {name: m, source: {bucket: owner-data, region: us-west-2, account: \"111111111111\"}, " +
		"destination: {bucket: consumer-copy, region: us-west-2, account: \"222222222222\", kms_key: \"arn:aws:kms:us-west-2:222222222222:key/1a\"}}\n" +
		strings.Repeat("- *m\n", n)
}

// TestFaultsCutValues checks that faults cut long values.
func TestFaultsCutValues(t *testing.T) {
	_, err := config.Parse([]byte("state: \""+strings.Repeat("é", 5000)+"\"\n"), "syncd.yaml")
	got := fmt.Sprint(err)
	if want := "state: \"" + strings.Repeat("é", 99) + "...\" is neither"; !strings.Contains(got, want) || !utf8.ValidString(got) {
		t.Errorf("got %s, want %q in it", got, want)
	}
}
