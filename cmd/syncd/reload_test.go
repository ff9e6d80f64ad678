package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/assembly"
	"syncd/internal/awsfake"
	"syncd/internal/daemon"
	"syncd/internal/demo"
	"syncd/internal/invocation"
)

// listening waits until a daemon logs its address.
func listening(t *testing.T, stderr *lockedBuffer) (address string) {
	t.Helper()
	started := regexp.MustCompile(`"msg":"daemon started".*"address":"([^"]+)"`)
	eventually(t, "the daemon listens", func() bool {
		if m := started.FindStringSubmatch(stderr.String()); m != nil {
			address = m[1]
		}
		return address != ""
	})
	return address
}

// TestRunReloads checks what the real daemon does on SIGHUP after its configuration has changed: a
// configuration with a fault changes nothing, a new mapping copies, a removed mapping is no longer
// reported, and a change of a setting that is read only at start is refused with an error that
// names the setting.
func TestRunReloads(t *testing.T) {
	const ours = `{mapping="owner-to-consumer",result="complete"}`
	var original string
	s := newSite(t, func(text string) string {
		// 192.0.2.1 is reserved for documentation (RFC 5737), so no machine has the address. The
		// daemon does not use it, because --listen overrides http.listen.
		original = "http: {listen: \"192.0.2.1:9090\"}\n" + strings.NewReplacer("bucket: "+demo.Copy, "bucket: "+demo.Copy+", prefix: first/", "@every 5s", "@every 1s").Replace(text)
		return original
	})
	s.Source.Put("a", awsfake.BytesBody([]byte("a")), awsfake.PutOptions{})
	var stdout, stderr lockedBuffer
	cmd := s.start(t, &stdout, &stderr, "run", "--listen", "127.0.0.1:0")
	address := listening(t, &stderr)
	reload := func(text string) {
		t.Helper()
		if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "a first pass ended", func() bool { return scrape(t, address, "syncd_passes_total"+ours) > 0 })

	reload("colour: red\n" + original)
	eventually(t, "the fault is logged", func() bool {
		return strings.Contains(stderr.String(), "colour: unknown key") && scrape(t, address, "syncd_config_reload_success") == 0
	})
	reload("log: {level: debug}\n" + strings.Replace(original, "/state\"", "/elsewhere\"", 1))
	eventually(t, "what cannot change is named", func() bool {
		const what = ": cannot change without a restart; restart syncd, or restore the former value"
		return strings.Contains(stderr.String(), s.config+":1: log"+what) && regexp.MustCompile(regexp.QuoteMeta(s.config)+`:\d+: state`+what).MatchString(stderr.String())
	})
	if got := scrape(t, address, "syncd_config_reload_success"); got != 0 {
		t.Errorf("got reload success %v after a refusal, want 0", got)
	}

	second := strings.NewReplacer("name: "+demo.Mapping, "name: second", "prefix: first/", "prefix: second/").Replace(original[strings.Index(original, "  - name:"):])
	reload(original + second)
	eventually(t, "the mapping that came copies", func() bool { return scrape(t, address, `syncd_passes_total{mapping="second",result="complete"}`) > 0 })
	if got := scrape(t, address, "syncd_config_reload_success"); got != 1 {
		t.Errorf("got reload success %v after a good configuration, want 1", got)
	}
	reload(original)
	eventually(t, "the mapping that went is forgotten", func() bool { return scrape(t, address, `syncd_passes_total{mapping="second",result="complete"}`) == 0 })
	if got := strings.Join(s.Destination.Keys(), " "); got != "first/a second/a" {
		t.Errorf("got copies %q, want one of each mapping", got)
	}
	if strings.Contains(stderr.String(), `"msg":"mapping changed"`) {
		t.Errorf("the mapping that stayed the same was disturbed:\n%s", stderr.String())
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := exitStatus(t, cmd); code != 0 {
		t.Errorf("got exit %d, want 0; stderr:\n%s", code, stderr.String())
	}
}

// TestWatchFollowsTheFile checks that the daemon reads the changed configuration if the path is a
// symbolic link that is changed to point to another file, as in a ConfigMap.
func TestWatchFollowsTheFile(t *testing.T) {
	s := newSite(t, nil)
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.config); err != nil {
		t.Fatal(err)
	}
	var stderr lockedBuffer
	sets := 0
	put := func(version int, text string) {
		t.Helper()
		target := filepath.Join(s.dir, fmt.Sprintf("version-%d.yaml", version))
		if err := os.WriteFile(target, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, s.config+".new"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(s.config+".new", s.config); err != nil {
			t.Fatal(err)
		}
	}
	put(1, string(text))
	synctest.Test(t, func(t *testing.T) {
		p := invocation.Process{Stdout: &stderr, Stderr: &stderr, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: time.Now, Ambient: s.SignIn()}
		f := invocation.Flags{Config: s.config}
		system, err := assembly.New(t.Context(), p, f)
		if err != nil {
			t.Fatal(err)
		}
		r := assembly.NewReloader(system, f, nil)
		first := r.First()[0].Revision
		var mu sync.Mutex
		var got []daemon.Mapping
		go r.Watch(t.Context(), func(m []daemon.Mapping) {
			mu.Lock()
			defer mu.Unlock()
			sets, got = sets+1, m
		})
		seen := func() (int, []daemon.Mapping) {
			mu.Lock()
			defer mu.Unlock()
			return sets, got
		}
		wait := func(want int) {
			t.Helper()
			time.Sleep(11 * time.Second)
			synctest.Wait()
			if n, _ := seen(); n != want {
				t.Fatalf("got %d changes, want %d; log:\n%s", n, want, stderr.String())
			}
		}
		wait(0)
		put(2, string(text)+"# a comment changes nothing\n")
		wait(1)
		if _, got := seen(); got[0].Revision != first {
			t.Error("got another revision of a mapping that is the same")
		}
		put(3, strings.Replace(string(text), "@every 5s", "@every 7s", 1))
		wait(2)
		if _, got := seen(); got[0].Revision == first || got[0].Schedule.String() != "@every 7s" {
			t.Errorf("got revision %d, schedule %s, want another revision with the new schedule", got[0].Revision, got[0].Schedule)
		}
		put(4, "nonsense")
		wait(2)
		wait(2)
		if n := strings.Count(stderr.String(), "configuration refused"); n != 1 {
			t.Errorf("got %d refusals in the log, want 1 for a file that stays the same:\n%s", n, stderr.String())
		}
		put(5, string(text))
		wait(3)
		// A file that is still being written is read only when two checks find it unchanged.
		for i := range 6 {
			put(6+i, string(text)+strings.Repeat("#", i+1)+"\n")
			time.Sleep(5 * time.Second)
			synctest.Wait()
		}
		if n, _ := seen(); n != 3 {
			t.Errorf("got %d changes while the file was being written, want none", n-3)
		}
		wait(4)
	})
}
