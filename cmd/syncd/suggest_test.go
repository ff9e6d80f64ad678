package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/usage"
)

// TestMistypedWordsGetASuggestion checks that the hint suggests a word, and names the help of the
// right command, at every level.
func TestMistypedWordsGetASuggestion(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"bakfill", "unknown command \"bakfill\"; hint: did you mean `syncd backfill`? run `syncd --help`"},
		{"vresion", "did you mean `syncd version`?"},
		{"doc", "did you mean `syncd doctor`?"},
		{"health", "did you mean `syncd healthcheck`?"},
		{"sync", "did you mean `syncd backfill`?"},
		{"rename", "did you mean `syncd ledger rename`? run `syncd --help`"},
		{"frobnicate", "unknown command \"frobnicate\"; hint: run `syncd --help`"},
		{"policy chek x.json", "did you mean `syncd policy check`? run `syncd policy --help`"},
		{"ledger renam", "did you mean `syncd ledger rename`? run `syncd ledger --help`"},
		{"ledger", ""},
		{"help plam", "did you mean `syncd plan`?"},
		{"help ledger exprot", "did you mean `syncd ledger export`? run `syncd ledger --help`"},
		{"trigr --config x --mapping a", "unknown command \"trigr\"; hint: did you mean `syncd trigger`? run `syncd --help`"},
		{"--config x trigr", "did you mean `syncd trigger`?"},
		{"--config=x statsu --json", "did you mean `syncd status`?"},
		{"bakfill -m a", "did you mean `syncd backfill`?"},
		{"trigr --help", "did you mean `syncd trigger`?"},
		{"policy chek --json x.json", "did you mean `syncd policy check`? run `syncd policy --help`"},
		{"ledger exprot --format csv", "did you mean `syncd ledger export`?"},
		{"config shwo -c x", "did you mean `syncd config show`?"},
		{"unpause -m a", "did you mean `syncd resume`?"},
		{"suspend --all", "did you mean `syncd pause`?"},
		{"re-encrypt -m a", "did you mean `syncd rekey`?"},
		{"stop", "hint: to stop the passes of a mapping, run `syncd pause`; to stop the daemon, send it SIGTERM"},
		{"history -m a", "hint: run `syncd status --history`"},
		{"nope", "unknown command \"nope\"; hint: run `syncd --help`"},
		{"nope --config x", "unknown command \"nope\"; hint: run `syncd --help`"},
		{"once", "did you mean `syncd backfill`?"},
		{"plan --jsn", "unknown flag: --jsn; hint: did you mean --json? run `syncd plan --help`"},
		{"backfill --confg=x", "did you mean --config? run `syncd backfill --help`"},
		{"ledger export --for-spread", "hint: did you mean --for-spreadsheet?"},
		{"--verson", "did you mean --version? run `syncd --help`"},
		{"plan --apply", "unknown flag: --apply; hint: run `syncd plan --help`"},
		{"plan -z", "unknown shorthand flag: 'z' in -z; hint: run `syncd plan --help`"},
		{"plan --config", "flag needs an argument: --config; hint: run `syncd plan --help`"},
		{"plan --list=perhaps", "hint: run `syncd plan --help`"},
		{"plan extra", "syncd plan: unexpected argument \"extra\"; hint: run `syncd plan --help`"},
		{"completion bsh", "hint: did you mean bash?"},
		{"completion", "hint: run `syncd completion --help`"},
		{"policy check --kind buckt x.json", "hint: did you mean bucket?"},
		{"healthcheck --config x --url y", "hint: run `syncd healthcheck --help`"},
		{"version --binary x", "hint: run `syncd version --help`"},
		{"policy check --json --sarif x.json", "hint: run `syncd policy check --help`"},
	} {
		var stdout, stderr bytes.Buffer
		p := invocation.Process{
			Stdout: &stdout, Stderr: &stderr, LookupEnv: func(string) (string, bool) { return "", false },
			ReadFile: func(string) ([]byte, error) { return nil, fs.ErrNotExist },
		}
		code := run(t.Context(), strings.Fields(tt.line), p)
		if tt.want == "" {
			if code != 0 || stderr.Len() > 0 {
				t.Errorf("syncd %s: got exit %d, %q", tt.line, code, stderr.String())
			}
			continue
		}
		if lines := strings.Count(stderr.String(), "\n"); code != exit.CodeUsage || lines != 1 || !strings.Contains(stderr.String(), tt.want) {
			t.Errorf("syncd %s: got exit %d, %q, want %q in one line", tt.line, code, stderr.String(), tt.want)
		}
		if stdout.Len() > 0 {
			t.Errorf("syncd %s: got %q on stdout, want nothing", tt.line, stdout.String())
		}
	}
}

func TestHintsLimitNames(t *testing.T) {
	var names []string
	for i := range 1200 {
		names = append(names, fmt.Sprintf("tenant-%04d", i))
	}
	if got, want := usage.OneOf("tenant-11111", names), "did you mean tenant-1111?"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got := usage.OneOf("something-else", names)
	if !strings.HasSuffix(got, "tenant-0009 and 1190 more") || len(got) > 200 {
		t.Errorf("got %q, want ten names and the number of further names", got)
	}
	if got, want := usage.OneOf("quite-other", names[:2]), "use one of tenant-0000, tenant-0001"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
