package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/config"
	"syncd/internal/assembly"
	"syncd/internal/exit"
	"syncd/internal/invocation"
)

// sound is a configuration without faults, in which tests replace parts.
const sound = `state: file:state
http: {listen: "127.0.0.1:0"}
roles:
  reader: {arn: "arn:aws:iam::222222222222:role/reader"}
mappings:
  - name: a
    schedule: "@every 15m"
    source: {bucket: owner-data, region: us-east-1, account: "111111111111", role: reader}
    destination: {bucket: consumer-copy, region: us-east-1, account: "222222222222", role: reader, kms_key: "arn:aws:kms:us-east-1:222222222222:key/1a2b"}
`

// offline runs a command line without a service and with the given environment.
func offline(t *testing.T, env map[string]string, args ...string) outcome {
	t.Helper()
	var stdout, stderr strings.Builder
	code := run(t.Context(), args, invocation.Process{
		Stdout: &stdout, Stderr: &stderr, ReadFile: os.ReadFile, Now: time.Now,
		LookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	})
	return outcome{code, stdout.String(), stderr.String()}
}

func writeConfig(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "syncd.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCommandsRejectTheSameConfigurations checks that every command rejects the same
// configurations, with the same text and line, before it does anything. Each configuration violates
// a rule of package config, of this version, or of this machine.
func TestCommandsRejectTheSameConfigurations(t *testing.T) {
	for _, tt := range []struct{ name, old, add, want string }{
		{"a cap on cost", "", "    limits: {requests_per_second: 5,\n      cost_usd: 3}\n", ":11: mappings[0].limits.cost_usd: a cap on cost is not supported"},
		{"no checksum", "", "    copy: {checksum: off}\n", ":10: mappings[0].copy.checksum: off is not supported"},
		{"no web configuration", `"127.0.0.1:0"}`, `"127.0.0.1:0", web_config: /nowhere/web.yaml}`, ":2: http.web_config: read web configuration /nowhere/web.yaml: "},
		{"an address", "127.0.0.1:0", "127.0.0.256:0", ":2: http.listen: \"127.0.0.256:0\" is not an address to listen on"},
		{"a region", "us-east-1, account: \"111", "us-wst-2, account: \"111", ":8: mappings[0].source.region: \"us-wst-2\" is not a region; did you mean us-west-2?"},
		{"a scoped role of the state", "state: file:state\n", "state: s3://consumer-state/syncd/\ncheckpoint: {role: keeper}\n", ""},
		{"a socket that is a folder", "state: file:state\n", "state: file:state\ncontrol: {socket: /dev}\n", ":2: control.socket: \"/dev\" is a folder; use the path of a file in it, such as /dev/control.sock"},
		{"a socket that is a device", "state: file:state\n", "state: file:state\ncontrol: {socket: /dev/null}\n", ":2: control.socket: \"/dev/null\" is not a socket (Dc"},
		{"a socket that is a file", "state: file:state\n", "state: file:state\ncontrol: {socket: syncd.yaml}\n", ":2: control.socket: \"/"},
		{"no schedule that fires", "@every 15m", "0 0 31 2 *", ":7: mappings[0].schedule: \"0 0 31 2 *\" is not a schedule: no such date exists"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := sound + tt.add
			if tt.old != "" {
				text = strings.Replace(sound, tt.old, tt.add, 1)
			}
			if tt.want == "" {
				text = strings.Replace(text, "roles:\n", "roles:\n  keeper: {arn: \"arn:aws:iam::222222222222:role/keeper\", session_policy: scoped}\n", 1)
				tt.want = ":5: roles.keeper.session_policy: scoped for the role of the state is not supported"
			}
			path := writeConfig(t, text)
			want := ""
			for _, command := range []string{"config check", "config validate", "config show", "run", "backfill", "plan", "replay", "policy", "doctor", "doctor --offline"} {
				got := offline(t, nil, append(strings.Fields(command), "--config", path)...)
				if want == "" {
					want = got.stderr
				}
				if got.code != exit.CodeUsage || got.stdout != "" || got.stderr != want || !strings.HasPrefix(got.stderr, path+tt.want) || strings.Count(got.stderr, "\n") != 1 {
					t.Errorf("syncd %s: got exit %d, %q and %q, want exit 2 and one fault that begins with %q", command, got.code, got.stdout, got.stderr, path+tt.want)
				}
			}
			if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
				t.Errorf("got %v, %v, want only the configuration", entries, err)
			}
		})
	}
}

// TestGateChecksSocketPath checks that the gate rejects the paths where run cannot create a socket,
// and accepts the paths where run, or run as another user, can create one.
func TestGateChecksSocketPath(t *testing.T) {
	dir := t.TempDir()
	open, sticky, file, link := filepath.Join(dir, "open"), filepath.Join(dir, "sticky"), filepath.Join(dir, "file"), filepath.Join(dir, "link")
	err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777), os.Mkdir(sticky, 0o700), os.Chmod(sticky, 0o777|fs.ModeSticky),
		os.WriteFile(file, nil, 0o600), os.Symlink(filepath.Join(dir, "nothing"), link))
	if err != nil {
		t.Fatal(err)
	}
	for socket, want := range map[string]string{
		open + "/s": "other users can write to " + open + " (drwxrwxrwx): another user may control it; make that folder writable only for the user of the daemon and root, " +
			"or use a path one folder deeper, such as " + open + "/own/s: syncd creates the new folder, and only the user of the daemon can access it",
		file + "/s":           file + " is not a folder (-rw-------): no socket can be created there; use a path in a folder that only",
		file + "/deeper/s":    file + " is not a folder (-rw-------)",
		link + "/s":           link + " is not a folder (L",
		"/proc/nope/s.sock":   "/proc is in a kernel file system",
		"/proc/self/s.sock":   "/proc/self is in a kernel file system",
		open + "/own/s":       "",
		sticky + "/s":         "",
		dir + "/not/there/s":  "",
		"/nowhere/of/this/so": "",
	} {
		path := writeConfig(t, "control: {socket: "+socket+"}\n"+sound)
		got := offline(t, nil, "config", "check", "--config", path)
		if want == "" {
			if got.code != 0 {
				t.Errorf("%s: got exit %d, %q, want it accepted", socket, got.code, got.stderr)
			}
			continue
		}
		start := offline(t, nil, "run", "--config", path)
		if prefix := path + ":1: control.socket: \"" + socket + "\": " + want; got.code != exit.CodeUsage || !strings.HasPrefix(got.stderr, prefix) || start != got {
			t.Errorf("%s: got exit %d, %q of the check and exit %d, %q of run, want exit 2 and %q of both", socket, got.code, got.stderr, start.code, start.stderr, prefix)
		}
	}
}

// TestGateReportsAllFaults checks that faults of the configuration and of the gate are reported
// together.
func TestGateReportsAllFaults(t *testing.T) {
	path := writeConfig(t, strings.Replace(sound, "@every 15m", "every 15 min", 1)+
		"    limits: {cost_usd: 100}\n    copy: {checksum: off}\n    filter: {min_sise: 5}\n")
	got := offline(t, nil, "config", "check", "--json", "--config", path)
	var checked checkedConfig
	if err := json.Unmarshal([]byte(got.stdout), &checked); err != nil {
		t.Fatalf("got %q: %v", got.stdout, err)
	}
	var lines []int
	for _, f := range checked.Faults {
		lines = append(lines, f.Line)
	}
	if got.code != exit.CodeUsage || checked.Valid || !slices.Equal(lines, []int{7, 10, 11, 12}) || strings.Count(got.stderr, "\n") != 4 {
		t.Errorf("got exit %d, %+v and\n%s, want four faults in both forms", got.code, checked, got.stderr)
	}
}

// TestGateAccepts checks that the system can be built from accepted configurations, as each command
// builds it before its first request.
func TestGateAccepts(t *testing.T) {
	for _, tt := range []struct{ name, old, with, warning string }{
		{"as it is", "", "", ""},
		{"no schedule", "    schedule: \"@every 15m\"\n", "", ":5: mappings: no mapping has a schedule: passes run only on request; "},
		{"a new region", "us-east-1, account: \"111", "us-north-1, account: \"111", ":8: mappings[0].source.region: \"us-north-1\" is not a region that this version knows; "},
		{"an external id of another machine", "role/reader\"", "role/reader\", external_id: {env: NOT_HERE}", ":4: roles.reader.external_id: the role cannot be assumed on this machine: "},
		{"the region of another service", "us-east-1, account: \"111", "garage, endpoint_url: \"https://s3.example.net\", account: \"111", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := writeConfig(t, strings.Replace(sound, tt.old, tt.with, 1))
			got := offline(t, nil, "config", "check", "--config", path)
			if got.code != 0 || !strings.Contains(got.stdout, "-> s3://consumer-copy/") || strings.Contains(got.stderr, "warning: "+path+tt.warning) != (tt.warning != "") {
				t.Errorf("check: got exit %d,\n%s\nand\n%s, want the warning %q", got.code, got.stdout, got.stderr, tt.warning)
			}
			isWarned := strings.Contains(tt.warning, "region")
			if got := offline(t, nil, "doctor", "--offline", "--config", path); strings.Contains(got.stderr, "configuration has a doubtful setting") != isWarned {
				t.Errorf("doctor --offline: got %s, want a warning: %t", got.stderr, isWarned)
			}
			for _, command := range [][]string{{"doctor", "--offline"}, {"config", "show"}} {
				if got := offline(t, nil, append(command, "--config", path)...); got.code != 0 {
					t.Errorf("%v: got exit %d and %s, want it accepted", command, got.code, got.stderr)
				}
			}
			f := invocation.Flags{Config: path, LogLevel: "error"}
			p := invocation.Process{Stdout: t.Output(), Stderr: t.Output(), ReadFile: os.ReadFile, LookupEnv: os.LookupEnv, Now: time.Now}
			if _, err := assembly.New(t.Context(), p, f); err != nil {
				t.Errorf("backfill and plan: got %v, want a system", err)
			}
			isScheduled := tt.name != "no schedule"
			if _, err := assembly.New(t.Context(), p, f, invocation.WarnUnscheduled(f)); err != nil {
				t.Errorf("run: got %v, want it accepted", err)
			}
			if got := offline(t, nil, "config", "check", "--daemon", "--config", path); (got.code == 0) != isScheduled {
				t.Errorf("check --daemon: got exit %d and %s, want it accepted: %t", got.code, got.stderr, isScheduled)
			}
		})
	}
}

// TestConfigCheckPrintsMappings checks the printed mappings for both methods, server-side and
// relay.
func TestConfigCheckPrintsMappings(t *testing.T) {
	path := writeConfig(t, sound+strings.ReplaceAll(strings.ReplaceAll(sound[strings.Index(sound, "  - name"):], "role: reader, kms", "kms"), "consumer-copy", "copy-2"))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "name: a\n    schedule: \"@every 15m\"\n    source: {bucket: owner-data, region: us-east-1, account: \"111111111111\", role: reader}\n    destination: {bucket: copy-2", "name: b\n    source: {bucket: owner-data, region: us-east-1, account: \"111111111111\", role: reader}\n    destination: {bucket: copy-2", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	want := path + ": no faults, 2 mappings, 0 warnings\n" +
		"  a  s3://owner-data/  -> s3://consumer-copy/  server_side  @every 15m\n" +
		"  b  s3://owner-data/  -> s3://copy-2/         relay        no schedule\n"
	if got := offline(t, nil, "config", "check", "-c", path); got.stdout != want || got.stderr != "" || got.code != 0 {
		t.Errorf("got exit %d, %q and %q, want %q", got.code, got.stdout, got.stderr, want)
	}
	if got := offline(t, nil, "config", "check", "-c", path, "--mapping", "b"); !strings.Contains(got.stdout, "1 mapping, 1 warning") {
		t.Errorf("one mapping without a schedule: got %q, want its warning", got.stdout)
	}
	if got := offline(t, nil, "config", "check", path); got.stdout != want || got.code != 0 {
		t.Errorf("the file as an argument: got exit %d and %q, want %q", got.code, got.stdout, want)
	}
	if got := offline(t, nil, "config", "check", "-c", path, path); got.code != exit.CodeUsage {
		t.Errorf("two files: got exit %d, want 2", got.code)
	}
	for _, args := range [][]string{{"--mapping", "c"}, {"--log-level", "loud"}} {
		if got := offline(t, nil, append(args, "config", "check", "-c", path)...); got.code != exit.CodeUsage {
			t.Errorf("%v: got exit %d, want 2", args, got.code)
		}
	}
	if got := offline(t, nil, "config", "check", "-c", path+".no"); got.code != exit.CodeUsage {
		t.Errorf("no file: got exit %d, want 2", got.code)
	}
}

// TestConfigShow checks that the output of config show loads from another folder, and that it
// contains no external ids.
func TestConfigShow(t *testing.T) {
	roles := `
  plain: {arn: "arn:aws:iam::222222222222:role/r", external_id: "s3cret-in-the-file"}
  there: {arn: "arn:aws:iam::222222222222:role/r", external_id: {env: lower_case}}
  named: {arn: "arn:aws:iam::222222222222:role/r", external_id: {env: EXTERNAL_ID}}
  misplaced: {arn: "arn:aws:iam::222222222222:role/r", external_id: {env: s3cret_in_env}}
  file: {arn: "arn:aws:iam::222222222222:role/r", external_id: {file: id}}
  absolute: {arn: "arn:aws:iam::222222222222:role/r", external_id: {file: /run/secrets/id}}
  lost: {arn: "arn:aws:iam::222222222222:role/r", external_id: {file: s3cret-as-a-file}}
  open: {arn: "arn:aws:iam::222222222222:role/r", external_id: none}
mappings:`
	path := writeConfig(t, strings.Replace(strings.Replace(sound, "\nmappings:", roles, 1), "region: us-east-1, account: \"111", `prefix: "a\e\u202e'#/", region: us-east-1, account: "111`, 1))
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "id"), []byte("an-id"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := offline(t, map[string]string{"lower_case": "x-external-id"}, "config", "show", "--config", path)
	if got.code != 0 || strings.Contains(got.stdout+got.stderr, "s3cret") {
		t.Fatalf("got exit %d and\n%s%s, want no external id", got.code, got.stdout, got.stderr)
	}
	for _, want := range []string{
		"state: file:" + filepath.Dir(path) + "/state\n", "flush_interval: 10s\n", "{env: lower_case}\n", "{env: EXTERNAL_ID}\n", "{env: \"[redacted]\"}\n", filepath.Dir(path) + "/id",
		"{file: /run/secrets/id}\n", "{file: \"[redacted]\"}\n", "external_id: \"[redacted]\"\n", "external_id: none\n",
	} {
		if !strings.Contains(strings.ReplaceAll(got.stdout, "'", `"`), want) {
			t.Errorf("got\n%s, want %q in it", got.stdout, want)
		}
	}
	shown := writeConfig(t, got.stdout)
	if _, err := config.Load(shown); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v, want the three missing commands to fail", err)
	}
	filled := strings.NewReplacer(`"[redacted]"`, "again_1", `'[redacted]'`, "again_1").Replace(got.stdout)
	shown = writeConfig(t, filled)
	if again := offline(t, map[string]string{"lower_case": "x-external-id", "again_1": "x-id"}, "config", "show", "--config", shown); again.code != 0 ||
		strings.ReplaceAll(again.stdout, filepath.Dir(shown), filepath.Dir(path)) != strings.Replace(strings.Replace(filled, "external_id: again_1", "external_id: \"[redacted]\"", 1), "file: again_1", "file: \"[redacted]\"", 1) {
		t.Errorf("got exit %d, %s and\n%s\nwant the same output as before:\n%s", again.code, again.stderr, again.stdout, filled)
	}
}

// TestReloadChecksConfiguration checks that a reload reports the same faults as a start.
func TestReloadChecksConfiguration(t *testing.T) {
	path := writeConfig(t, sound)
	f := invocation.Flags{Config: path, LogLevel: "error"}
	p := invocation.Process{Stdout: t.Output(), Stderr: t.Output(), ReadFile: os.ReadFile, LookupEnv: os.LookupEnv, Now: time.Now}
	s, err := assembly.New(t.Context(), p, f, invocation.WarnUnscheduled(f))
	if err != nil {
		t.Fatal(err)
	}
	r := assembly.NewReloader(s, f, nil)
	for text, want := range map[string]string{
		sound:                                 "",
		sound + "    limits: {cost_usd: 3}\n": path + ":10: mappings[0].limits.cost_usd: a cap on cost is not supported by this version; ",
		strings.Replace(sound, "    schedule: \"@every 15m\"\n", "", 1): "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Read(); (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestConfigCheckMakesSessionPolicies checks that config check warns about a session policy that
// AssumeRole would refuse.
func TestConfigCheckMakesSessionPolicies(t *testing.T) {
	text := strings.NewReplacer(`role/reader"}`, `role/reader", session_policy: scoped}`, "owner-data,", "owner-data, prefix: "+strings.Repeat("a", 900)+"/,",
		"consumer-copy,", "consumer-copy, prefix: "+strings.Repeat("b", 900)+"/,").Replace(sound)
	path := writeConfig(t, text)
	want := "warning: " + path + ":4: roles.reader.session_policy: mapping a would fail: "
	if got := offline(t, nil, "config", "check", "-c", path); got.code != 0 || !strings.HasPrefix(got.stderr, want) {
		t.Errorf("got exit %d and %q, want %q", got.code, got.stderr, want)
	}
}

// TestGateChecksWebConfig checks that a relative path in http.web_config starts at the folder of
// the configuration.
func TestGateChecksWebConfig(t *testing.T) {
	path := writeConfig(t, strings.Replace(sound, `"127.0.0.1:0"}`, `"127.0.0.1:0", web_config: web.yaml}`, 1))
	web := filepath.Join(filepath.Dir(path), "web.yaml")
	for text, want := range map[string]string{
		"http_server_config: {http2: true}\n": "",
		"colour: red\nshape: round\n":         path + ":2: http.web_config: read web configuration " + web + ": ",
	} {
		if err := os.WriteFile(web, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := offline(t, nil, "config", "check", "-c", path)
		if (got.code == 0) != (want == "") || !strings.HasPrefix(got.stderr, want) || strings.Count(got.stderr, "\n") > 1 {
			t.Errorf("%q: got exit %d and %q, want %q on one line", text, got.code, got.stderr, want)
		}
	}
}
