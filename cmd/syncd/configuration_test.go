package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"syncd/internal/daemon"
)

// TestConfigurationIsFoundInOrder prefers --config to SYNCD_CONFIG, and that to ./syncd.yaml.
func TestConfigurationIsFoundInOrder(t *testing.T) {
	for _, tt := range []struct {
		name, env, flag string
		isThere, given  bool
		need            configNeed
		want            string
	}{
		{name: "all", flag: "f", given: true, env: "e", isThere: true, want: "f"},
		{name: "variable", env: "e", isThere: true, want: "e"},
		{name: "file", isThere: true, want: "syncd.yaml"},
		{name: "none", want: "there is no --config, SYNCD_CONFIG is not set, and there is no ./syncd.yaml"},
		{name: "empty flag", given: true, env: "e", isThere: true, want: "--config is empty"},
		{name: "optional", need: configOptional, want: ""},
		{name: "optional variable", need: configOptional, env: "e", want: "e"},
		{name: "only where it is asked for", need: configExplicit, env: "e", isThere: true, want: ""},
		{name: "only where it is asked for, as it is", need: configExplicit, flag: "f", given: true, want: "f"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := process{
				lookupEnv: func(name string) (string, bool) { return tt.env, name == configVariable && tt.env != "" },
				readFile: func(path string) ([]byte, error) {
					if path == "syncd.yaml" && tt.isThere {
						return nil, nil
					}
					return nil, fs.ErrNotExist
				},
			}
			v := configFlag{&flags{config: tt.flag}, tt.need}
			err := v.find(p, tt.given)
			if err != nil {
				if got := exitCode(err); got != exitUsage || tt.want == "" || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got exit %d, %v, want %q", got, err, tt.want)
				}
				return
			}
			if v.config != tt.want {
				t.Errorf("got %q, want %q", v.config, tt.want)
			}
		})
	}
}

func TestStandardInputThatCannotBeRead(t *testing.T) {
	v := configFlag{&flags{config: standardInput}, configRequired}
	err := v.find(process{stdin: iotest.ErrReader(fs.ErrClosed)}, true)
	if err == nil || exitCode(err) != 1 || !strings.Contains(err.Error(), "read configuration from standard input") {
		t.Errorf("got %v, want it to name standard input", err)
	}
}

// TestConfigurationFromStandardInput is read once, however often a command needs it, and is not reloaded.
func TestConfigurationFromStandardInput(t *testing.T) {
	s := newSite(t, nil)
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr lockedBuffer
	p := process{
		stdin: strings.NewReader(string(text)), stdout: &stdout, stderr: &stderr,
		lookupEnv: os.LookupEnv, readFile: os.ReadFile, now: time.Now, ambient: s.signIn(),
	}
	// The doctor reads it again for the mapping that never had a pass.
	if code := run(t.Context(), []string{"doctor", "--config", "-"}, p); code != 0 {
		t.Errorf("doctor: got exit %d; stdout:\n%s\nstderr:\n%s", code, stdout.String(), stderr.String())
	}
	synctest.Test(t, func(t *testing.T) {
		f := flags{config: standardInput, stdin: text}
		system, err := newSystem(t.Context(), p, f)
		if err != nil {
			t.Fatal(err)
		}
		asked := make(chan os.Signal, 1)
		r := newReloader(system, f, asked)
		r.first()
		go r.watch(t.Context(), func([]daemon.Mapping) { t.Error("got a reload, want none") })
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := strings.Count(stderr.String(), "configuration came from standard input"); n != 1 {
			t.Errorf("got %d times that there is no reload, want once:\n%s", n, stderr.String())
		}
		asked <- syscall.SIGHUP
		synctest.Wait()
		if !strings.Contains(stderr.String(), "cannot be read again, the former one stays in force") {
			t.Errorf("after SIGHUP: got %s", stderr.String())
		}
	})
}

// TestHealthcheckFindsTheConfiguration as the daemon next to it does.
func TestHealthcheckFindsTheConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "syncd.yaml")
	if err := os.WriteFile(file, []byte("http: {listen: \"127.0.0.1:1\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr lockedBuffer
	p := process{
		stdout: &stderr, stderr: &stderr, readFile: os.ReadFile,
		lookupEnv: func(name string) (string, bool) { return file, name == configVariable },
	}
	if code := run(t.Context(), []string{"healthcheck"}, p); code != 1 || !strings.Contains(stderr.String(), "127.0.0.1:1/healthz") {
		t.Errorf("got exit %d, %q, want it to ask on http.listen of the file", code, stderr.String())
	}
}
