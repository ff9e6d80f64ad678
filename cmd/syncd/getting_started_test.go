package main

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const gettingStarted = "../../docs/getting-started.md"

// realAWS is the path of a real AWS CLI. If it is set, the page runs with that CLI and the real
// curl, jq and openssl, and the session is printed (make rehearse).
var realAWS = flag.String("aws", "", "run getting-started with the AWS CLI at this `PATH`")

// pageStep is a block of commands of a page, and the output that the page shows for it.
type pageStep struct {
	line            int
	commands, shown string
}

// stepsOf returns the command blocks (sh) of a page, each with the output block (text) after it.
func stepsOf(t *testing.T, path string) []pageStep {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var steps []pageStep
	for _, at := range regexp.MustCompile("(?s)```(sh|text)\n(.*?)```\n").FindAllSubmatchIndex(page, -1) {
		kind, text := string(page[at[2]:at[3]]), string(page[at[4]:at[5]])
		line := strings.Count(string(page[:at[0]]), "\n") + 1
		switch {
		case kind == "sh":
			steps = append(steps, pageStep{line: line, commands: text})
		case len(steps) == 0 || steps[len(steps)-1].shown != "":
			t.Errorf("%s:%d: output without commands before it", path, line)
		default:
			steps[len(steps)-1].shown = text
		}
	}
	return steps
}

// session is the shell session of a user: the home folder, the working folder, and the folder of
// the programs.
type session struct{ home, work, path string }

// newSession returns a session with stand-ins for programs other than syncd, or with the real
// programs of the machine.
func newSession(t *testing.T) *session {
	t.Helper()
	s := &session{home: t.TempDir(), work: t.TempDir(), path: os.Getenv("PATH")}
	if *realAWS == "" {
		return s
	}
	syncd, err := exec.LookPath("syncd")
	if err != nil {
		t.Fatal(err)
	}
	aws, err := filepath.Abs(*realAWS)
	if err != nil {
		t.Fatal(err)
	}
	programs := t.TempDir()
	for name, program := range map[string]string{"syncd": syncd, "aws": aws} {
		if err := os.Symlink(program, filepath.Join(programs, name)); err != nil {
			t.Fatal(err)
		}
	}
	s.path = programs + ":/usr/local/bin:/usr/bin:/bin"
	return s
}

// run runs the steps in a shell one after the other, as a user would type them, and returns the
// output of each. A step that fails ends the session.
func (s *session) run(t *testing.T, steps []pageStep) []string {
	t.Helper()
	const end = "=== end of step ==="
	var script strings.Builder
	script.WriteString("set -e\ntrap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n")
	for _, step := range steps {
		script.WriteString(step.commands + "echo '" + end + "'\n")
	}
	output, err := s.shell(t.Context(), s.fit(t, script.String()))
	printed := strings.Split(output, end+"\n")
	if err != nil || len(printed) != len(steps)+1 {
		t.Fatalf("%s:%d: got %v after %d of %d steps, want all; the last one printed:\n%s",
			gettingStarted, steps[min(len(printed), len(steps))-1].line, err, len(printed)-1, len(steps), printed[len(printed)-1])
	}
	return printed[:len(steps)]
}

// shell runs a script and returns its output. It also ends the processes that the script left
// running, so that a failed step ends the session.
func (s *session) shell(ctx context.Context, script string) (string, error) {
	var output lockedBuffer
	shell := exec.CommandContext(ctx, "bash", "-c", script)
	shell.Dir, shell.Stdout, shell.Stderr, shell.WaitDelay = s.work, &output, &output, 2*time.Second
	shell.Env = []string{"HOME=" + s.home, "PATH=" + s.path, "AWS_EC2_METADATA_DISABLED=true"}
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }
	err := shell.Run()
	if shell.Process != nil && err != nil {
		_ = shell.Cancel() // end the processes that the failed script left running
	}
	return output.String(), err
}

// TestSessionEndsWithAFailedStep checks that a failed step ends the session even if an earlier step
// left a process running that keeps the output open and ignores SIGTERM.
func TestSessionEndsWithAFailedStep(t *testing.T) {
	s := &session{home: t.TempDir(), work: t.TempDir(), path: os.Getenv("PATH")}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	printed, err := s.shell(ctx, "set -e\n(trap '' TERM; sleep 300) &\necho begun\nfalse\necho not reached\n")
	if err == nil || ctx.Err() != nil || printed != "begun\n" {
		t.Errorf("got %q, %v, want the session to end at the failed step", printed, err)
	}
}

// TestLoopsOfPageEnd checks that every loop of the page ends, even if the event that it waits for
// never happens.
func TestLoopsOfPageEnd(t *testing.T) {
	loops := 0
	for _, step := range stepsOf(t, gettingStarted) {
		for line := range strings.Lines(step.commands) {
			if !strings.Contains(line, "; do ") {
				continue
			}
			loops++
			if !strings.HasPrefix(line, "for ") && !strings.Contains(line, "|| ! kill -0 ") {
				t.Errorf("%s:%d: %s waits forever if the event that it waits for never happens, want a limit or kill -0", gettingStarted, step.line, strings.TrimSpace(line))
			}
		}
	}
	if loops < 2 {
		t.Errorf("got %d loops in the page, want the loops that wait for the accounts and for the pass", loops)
	}
}

// sourceFolder is the folder of the syncd source on the page.
const sourceFolder = "SYNCD_CHECKOUT=$HOME/syncd "

// fit adapts the page to a test: ports that may be in use, waiting times, and the folder of the
// syncd source.
func (s *session) fit(t *testing.T, script string) string {
	t.Helper()
	for _, address := range []string{"127.0.0.1:9000", "127.0.0.1:9001", "127.0.0.1:9090"} {
		if !strings.Contains(script, address) {
			t.Errorf("got no %s in the page, want the address that the test replaces", address)
		}
		script = strings.ReplaceAll(script, address, freeAddress(t))
	}
	source, err := filepath.Abs("../..")
	if err != nil || !strings.Contains(script, sourceFolder) {
		t.Errorf("got %v and no %q in the page, want the folder that the test replaces", err, sourceFolder)
	}
	return strings.NewReplacer(sourceFolder, "SYNCD_CHECKOUT='"+source+"' ", `"@every 1m"`, `"@every 1s"`, "sleep 1;", "sleep 0.1;").Replace(script)
}

// varying lists the values that differ from run to run, with their replacements for a comparison.
func varying(text string) string {
	for _, v := range []struct{ pattern, word string }{
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z`, "TIME"},
		{`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, "UUID"},
		{`\(request [0-9A-F]{16}\)`, "(request ID)"},
		{`\b\d+(\.\d+)?(µs|ms|s)\b`, "DURATION"},
		// The generation depends on how many passes the daemon has completed.
		{`generation +\d+`, "generation N"},
	} {
		text = regexp.MustCompile(v.pattern).ReplaceAllString(text, v.word)
	}
	return text
}

// missing returns the first line of shown that is not at its place in printed. In printed, each
// line must directly follow the previous line of shown, unless shown has the line "..." between the
// two lines. The last line must end the output, unless it is "...". A line that ends in ... is a
// prefix.
func missing(shown, printed string) string {
	lines := strings.Split(strings.Trim(varying(printed), "\n"), "\n")
	skips := false
	for want := range strings.SplitSeq(strings.Trim(varying(shown), "\n"), "\n") {
		if want == "..." {
			skips = true
			continue
		}
		at := slices.IndexFunc(lines, func(got string) bool {
			begin, open := strings.CutSuffix(want, "...")
			return got == want || open && strings.HasPrefix(got, begin)
		})
		if at < 0 || at > 0 && !skips {
			return want
		}
		lines, skips = lines[at+1:], false
	}
	if len(lines) > 0 && !skips {
		return "the end, before " + lines[0]
	}
	return ""
}

// TestGettingStarted checks that the whole page works for a new user, against "syncd demo --serve
// --empty".
func TestGettingStarted(t *testing.T) {
	if testing.Short() {
		t.Skip("a session of fifty processes, each of which starts slowly under the race detector")
	}
	s := newSession(t)
	steps := stepsOf(t, gettingStarted)
	for i, printed := range s.run(t, steps) {
		if *realAWS != "" {
			t.Logf("%s:%d\n$ %s\n%s", gettingStarted, steps[i].line, strings.ReplaceAll(strings.TrimSpace(steps[i].commands), "\n", "\n$ "), printed)
		}
		if line := missing(steps[i].shown, printed); steps[i].shown != "" && line != "" {
			t.Errorf("%s:%d: the page shows\n%s\nwhich is not what was printed:\n%s", gettingStarted, steps[i].line, line, printed)
		}
	}
	left, err := os.ReadDir(s.work)
	if err != nil || len(left) > 0 {
		t.Errorf("got %v, %v left, want the page to remove everything that it creates", left, err)
	}
}
