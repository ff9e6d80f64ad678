package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/assembly"
	"syncd/internal/daemon"
	"syncd/internal/exit"
	"syncd/internal/invocation"
)

// TestConfigurationFromStandardInput checks that a configuration from standard input is read only
// once, and is not reloaded.
func TestConfigurationFromStandardInput(t *testing.T) {
	s := newSite(t, nil)
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr lockedBuffer
	p := invocation.Process{
		Stdin: strings.NewReader(string(text)), Stdout: &stdout, Stderr: &stderr,
		LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: time.Now, Ambient: s.SignIn(),
	}
	// The doctor uses the configuration twice for a mapping that never ran a pass.
	if code := run(t.Context(), []string{"doctor", "--config", "-"}, p); code != 0 {
		t.Errorf("doctor: got exit %d; stdout:\n%s\nstderr:\n%s", code, stdout.String(), stderr.String())
	}
	synctest.Test(t, func(t *testing.T) {
		f := invocation.Flags{Config: invocation.StandardInput, Once: text}
		system, err := assembly.New(t.Context(), p, f)
		if err != nil {
			t.Fatal(err)
		}
		asked := make(chan os.Signal, 1)
		r := assembly.NewReloader(system, f, asked)
		r.First()
		go r.Watch(t.Context(), func([]daemon.Mapping) { t.Error("got a reload, want none") })
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := strings.Count(stderr.String(), "configuration came from standard input or a pipe"); n != 1 {
			t.Errorf("got %d messages that there is no reload, want one:\n%s", n, stderr.String())
		}
		asked <- syscall.SIGHUP
		synctest.Wait()
		if !strings.Contains(stderr.String(), "cannot be read again, keeping the current one") {
			t.Errorf("after SIGHUP: got %s", stderr.String())
		}
	})
}

// pipe creates a named pipe. It has no writer until the test writes to it.
func pipe(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // unblocks readers that still wait for a writer
		end, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
		if err == nil {
			err = end.Close()
		}
		if err != nil {
			t.Error(err)
		}
	})
	return path
}

// stopping is an endless input that interrupts the program when it is read.
type stopping struct {
	stop func()
	end  <-chan struct{}
}

func (r stopping) Read([]byte) (int, error) {
	r.stop()
	<-r.end
	return 0, io.EOF
}

// TestInterruptedWhileReading checks that commands end at once if they are interrupted while they
// read their configuration or a policy.
func TestInterruptedWhileReading(t *testing.T) {
	for _, command := range []string{
		"run -c -", "status -c -", "backfill -c -", "config check -c -", "healthcheck -c -", "policy -c -", "policy check -",
		"run -c PIPE", "replay -c PIPE", "config show -c PIPE", "policy check PIPE",
	} {
		ctx, stop := context.WithCancel(t.Context())
		if strings.Contains(command, "PIPE") {
			command = strings.Replace(command, "PIPE", pipe(t), 1)
			stop() // the pipe has no writer, so the command must be interrupted
		}
		var stdout, stderr lockedBuffer
		p := invocation.Process{
			Stdin: stopping{stop, t.Context().Done()}, Stdout: &stdout, Stderr: &stderr, ReadFile: os.ReadFile, Now: time.Now,
			LookupEnv: func(string) (string, bool) { return "", false },
		}
		code := run(ctx, strings.Fields(command), p)
		if want := ": interrupted: not all of its input was read; hint: "; code != 130 || !strings.Contains(stderr.String(), want) || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("syncd %s: got exit %d, %q, want 130 and %q", command, code, stderr.String(), want)
		}
		stop()
	}
}

// TestUnreadableConfigurations checks that every command rejects an unreadable configuration with
// the same exit code, and names the path.
func TestUnreadableConfigurations(t *testing.T) {
	dir := t.TempDir()
	loop, closed := filepath.Join(dir, "loop"), filepath.Join(dir, "closed")
	if err := errors.Join(os.Symlink(loop, loop), os.WriteFile(closed, nil, 0)); err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{filepath.Join(dir, "none"): "no such file", dir: "is a directory", loop: "too many levels of symbolic links"}
	if os.Geteuid() != 0 {
		paths[closed] = "permission denied"
	}
	for path, why := range paths {
		for _, command := range []string{
			"run", "backfill", "plan", "replay", "status", "doctor", "policy", "config check", "config show", "healthcheck", "policy check " + os.DevNull,
			"trigger --all", "ledger export -m x", "ledger rename --from y -m x",
		} {
			got := offline(t, nil, append(strings.Fields(command), "--config", path)...)
			if got.code != exit.CodeUsage || !strings.Contains(got.stderr, path+": "+why) || !strings.Contains(got.stderr, "; hint: ") {
				t.Errorf("syncd %s --config %s: got exit %d, %q, want exit 2, %q and a hint", command, path, got.code, got.stderr, why)
			}
		}
	}
}

// TestHealthcheckFindsTheConfiguration checks that healthcheck reads the same configuration as the
// daemon.
func TestHealthcheckFindsTheConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "syncd.yaml")
	if err := os.WriteFile(file, []byte("http: {listen: \"127.0.0.1:1\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr lockedBuffer
	p := invocation.Process{
		Stdout: &stderr, Stderr: &stderr, ReadFile: os.ReadFile,
		LookupEnv: func(name string) (string, bool) { return file, name == invocation.ConfigVariable },
	}
	if code := run(t.Context(), []string{"healthcheck"}, p); code != 1 || !strings.Contains(stderr.String(), "127.0.0.1:1/healthz") {
		t.Errorf("got exit %d, %q, want it to use http.listen of the file", code, stderr.String())
	}
}
