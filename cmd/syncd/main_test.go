package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"syncd/internal/demo"
	"syncd/internal/invocation"

	"github.com/rogpeppe/go-internal/testscript"
)

// beSyncd is an environment variable that makes this test binary run the program instead of the
// tests, so that tests can stop and kill a real process.
const beSyncd = "SYNCD_TEST_BE_SYNCD"

func TestMain(m *testing.M) {
	if os.Getenv(beSyncd) != "" {
		mainAhead(os.Getenv(clockAhead))
	}
	programs := standIns()
	programs["syncd"] = main
	testscript.Main(m, programs)
}

// clockAhead is the environment variable with the time by which the clock of a process is ahead.
const clockAhead = "SYNCD_TEST_CLOCK_AHEAD"

// mainAhead is main with a clock that is ahead.
func mainAhead(text string) {
	ahead, err := time.ParseDuration(text)
	if err != nil {
		main()
	}
	os.Exit(run(context.Background(), os.Args[1:], invocation.Process{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile,
		Now: func() time.Time { return time.Now().Add(ahead) },
	}))
}

// TestScripts checks the user sessions in the files of testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true})
}

// skipIfShort skips a test that is slow under the race detector, because of its numbers or although other
// tests have its concurrency.
func skipIfShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("too slow under the race detector; make test runs it")
	}
}

// site is two simulated accounts that are being served, and a configuration to run the program
// with.
type site struct {
	*demo.World
	now    func() time.Time // the clock of the accounts, and of the program if it runs in this process
	dir    string
	config string
	env    []string // environment of processes that start begins
}

// newSite starts two accounts until the test ends. edit changes the text of the configuration
// before it is written.
func newSite(t *testing.T, edit func(text string) string) *site {
	t.Helper()
	return newSiteAt(t, time.Now, edit)
}

// newSiteAt is newSite with a clock for the accounts.
func newSiteAt(t *testing.T, now func() time.Time, edit func(text string) string) *site {
	t.Helper()
	w := demo.NewWorld(now)
	closeServer, err := w.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closeServer(); err != nil {
			t.Error(err)
		}
	})
	s := &site{World: w, now: now, dir: t.TempDir()}
	if err := w.Write(s.dir); err != nil {
		t.Fatal(err)
	}
	s.config = filepath.Join(s.dir, "syncd.yaml")
	if edit == nil {
		return s
	}
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	edited := edit(string(text))
	if edited == string(text) {
		t.Fatal("the edit changed nothing")
	}
	if err := os.WriteFile(s.config, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// outcome is the result of a run of the program.
type outcome struct {
	code           int
	stdout, stderr string
}

// run runs the program in this process.
func (s *site) run(ctx context.Context, args ...string) outcome {
	var stdout, stderr lockedBuffer
	p := invocation.Process{Stdout: &stdout, Stderr: &stderr, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: s.now, Ambient: s.SignIn()}
	code := run(ctx, append(args, "--config", s.config), p)
	return outcome{code, stdout.String(), stderr.String()}
}

// start starts the program as a separate process.
func (s *site) start(t *testing.T, stdout, stderr *lockedBuffer, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append(args, "--config", s.config)...)
	cmd.Env = append(os.Environ(), beSyncd+"=1", "AWS_PROFILE=consumer", "AWS_CONFIG_FILE="+os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(s.dir, "credentials"))
	cmd.Env = append(cmd.Env, s.env...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// exitStatus waits for a process and returns its exit code, or -1 if a signal killed it.
func exitStatus(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	err := cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if err != nil && !ok {
		t.Fatal(err)
	}
	if exit != nil {
		return exit.ExitCode()
	}
	return 0
}

// eventually polls until holds returns true, and fails the test after a minute. It limits the
// number of polls, which take at least a minute, and not the time, so that a busy or suspended
// machine has more time.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 12_000 {
		if holds() {
			return
		}
		<-tick.C
	}
	t.Fatalf("gave up waiting until %s", what)
}
