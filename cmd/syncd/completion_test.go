package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"syncd/internal/invocation"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const twoMappings = `
state: file:state
roles:
  consumer: {arn: "arn:aws:iam::222222222222:role/syncd-consumer", external_id: {env: EXTERNAL_ID}}
mappings:
  - name: exports
    source: &s {bucket: owner-data, prefix: exports/, region: us-east-1, account: "111111111111", role: consumer}
    destination: &d {bucket: consumer-copy, prefix: exports/, region: us-east-1, account: "222222222222", role: consumer,
                     kms_key: "arn:aws:kms:us-east-1:222222222222:key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}
  - name: logs
    source: {<<: *s, prefix: logs/}
    destination: {<<: *d, prefix: logs/}
`

// TestCompletion checks the completions that the shell scripts get from the command __complete. The
// last line of its output is the completion directive: 0 suggests any files, 4 no files, 8 files
// with the listed extensions, and 16 folders; 32 is added to keep the order of the completions.
func TestCompletion(t *testing.T) {
	config := filepath.Join(t.TempDir(), "syncd.yaml")
	if err := os.WriteFile(config, []byte(twoMappings), 0o600); err != nil {
		t.Fatal(err)
	}
	variable := ""
	p := invocation.Process{
		LookupEnv: func(name string) (string, bool) { return variable, name == invocation.ConfigVariable },
		ReadFile:  func(string) ([]byte, error) { return nil, fs.ErrNotExist },
	}
	for _, tt := range []struct{ line, want string }{
		{"policy ch", "check\tCheck existing policies for errors, dangerous grants and missing permissions\n:4\n"},
		{"backfill --reke", "--rekey\tif kms_key has changed, copy everything again under the new key; without this flag the pass reports the cost and stops\n:4\n"},
		{"completion z", "zsh\n:4\n"},
		{"backfill --config CONFIG --mapping ?", "exports\towner-data to consumer-copy\nlogs\towner-data to consumer-copy\n:4\n"},
		{"plan -c CONFIG -m l", "logs\towner-data to consumer-copy\n:4\n"},
		{"policy check -c CONFIG -m exports -m ?", "logs\towner-data to consumer-copy\n:4\n"},
		{"backfill --mapping ?", ":4\n"},
		{"backfill --config absent.yaml --mapping ?", ":4\n"},
		{"backfill --config - --mapping ?", ":4\n"},
		{"SYNCD_CONFIG backfill --mapping l", "logs\towner-data to consumer-copy\n:4\n"},
		{"help pol", "policy\tGenerate the least-privilege policies that both accounts need\n:4\n"},
		{"help policy ?", "check\tCheck existing policies for errors, dangerous grants and missing permissions\n:4\n"},
		{"run --log-level ?", "debug\ninfo\nwarn\nerror\n:36\n"},
		{"policy --style ?", "role\naccount\nabac\n:36\n"},
		{"policy --side ?", "owner\nconsumer\nboth\n:36\n"},
		{"policy --format ?", "json\nterraform\ncloudformation\n:36\n"},
		{"ledger export --format ?", "csv\njsonl\n:36\n"},
		{"policy check --kind l", "lifecycle\n:36\n"},
		{"replay --reason key_", "key_disabled\nkey_unrepresentable\n:36\n"},
		{"run --config ?", "yaml\nyml\n:8\n"},
		{"policy --output ?", ":16\n"},
		{"demo --from ?", ":16\n"},
		{"ledger rename --from ?", ":4\n"},
		{"man ?", ":16\n"},
		{"policy check ?", ":0\n"},
		{"version --sbom --binary ?", ":0\n"},
		{"run ?", ":4\n"},
		{"replay --key ?", ":4\n"},
	} {
		line := tt.line
		if rest, ok := strings.CutPrefix(line, "SYNCD_CONFIG "); ok {
			line, variable = rest, config
		} else {
			line, variable = strings.NewReplacer("CONFIG", config).Replace(line), ""
		}
		args := append([]string{"__complete"}, strings.Fields(line)...)
		if args[len(args)-1] == "?" {
			args[len(args)-1] = "" // nothing typed yet
		}
		var stdout, stderr bytes.Buffer
		p.Stdout, p.Stderr = &stdout, &stderr // the process has only the fields that finding a configuration needs
		code := run(t.Context(), args, p)
		if diff := cmp.Diff(tt.want, stdout.String()); code != 0 || diff != "" {
			t.Errorf("syncd %s: got exit code %d and other completions (-want +got):\n%s", tt.line, code, diff)
		}
	}
}

// TestDocumentedReasonsComplete checks that the reasons in docs/cli.md are offered as completions.
func TestDocumentedReasonsComplete(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `quarantined` \\| objects by reason, such as (.*) \\|$").FindSubmatch(readText(t, "../../docs/cli.md"))
	if row == nil {
		t.Fatal("got no row of reasons in docs/cli.md, want one")
	}
	offered := quarantineReasons()
	for _, match := range regexp.MustCompile("`([a-z_]+)`").FindAllSubmatch(row[1], -1) {
		if !slices.Contains(offered, string(match[1])) {
			t.Errorf("got reasons %v to complete, want %s among them", offered, match[1])
		}
	}
}

// TestEveryFlagIsCompleted checks that every flag with a value has a completion. Otherwise the
// shell would offer files for it.
func TestEveryFlagIsCompleted(t *testing.T) {
	p := invocation.Process{
		LookupEnv: func(string) (string, bool) { return "", false },
		ReadFile:  func(string) ([]byte, error) { return nil, fs.ErrNotExist },
	}
	var check func(*cobra.Command)
	check = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			if flag.Value.Type() == "bool" {
				return
			}
			if _, ok := cmd.GetFlagCompletionFunc(flag.Name); !ok {
				t.Errorf("%s --%s: got no completion, want one", cmd.CommandPath(), flag.Name)
			}
			value, _ := pflag.UnquoteUsage(flag)
			_, is := completionOf(cmd, p, flag.Name)(cmd, nil, "")
			if wantsFile := strings.HasSuffix(value, "FILE") || value == "DIR"; wantsFile == (is&cobra.ShellCompDirectiveNoFileComp != 0) {
				t.Errorf("%s --%s %s: got directive %d, want files only where there is a file", cmd.CommandPath(), flag.Name, value, is)
			}
		})
		for _, child := range cmd.Commands() {
			check(child)
		}
	}
	check(newRoot(invocation.Process{}))
}
