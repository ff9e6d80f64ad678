package config_test

import (
	"runtime"
	"strings"
	"testing"

	"syncd/config"
)

// TestFaultsEnd has files of half a megabyte with nothing but faults: the list ends, and so does the work.
func TestFaultsEnd(t *testing.T) {
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
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := config.Parse([]byte(text), "syncd.yaml")
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatal("got no fault")
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
