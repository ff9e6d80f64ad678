package deploytest_test

import (
	"bytes"
	"flag"
	"os/exec"
	"path/filepath"
	"testing"
)

var promtool = flag.String("promtool", "", "the promtool that checks rules, their tests and metrics, as /usr/bin/promtool; none by default")

// TestPromtool runs promtool, the program that operators use, on the rules and their tests.
// TestRules does the same in this process with a newer version of Prometheus. Operators use
// versions between the version of promtool and the version in this process.
func TestPromtool(t *testing.T) {
	if *promtool == "" {
		t.Skip("needs -promtool PATH")
	}
	runPromtool(t, nil, "check", "rules", rulesFile)
	files, err := filepath.Glob("../prometheus/*_test.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("got %q, %v, want the tests of the rules", files, err)
	}
	runPromtool(t, nil, append([]string{"test", "rules"}, files...)...)
}

// runPromtool runs promtool. It fails the test if promtool reports a problem.
func runPromtool(t *testing.T, input []byte, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), *promtool, args...)
	cmd.Stdin = bytes.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %q: %v:\n%s", args, err, out)
	}
}
