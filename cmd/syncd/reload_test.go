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

	"syncd/config"
	"syncd/internal/awsfake"
	"syncd/internal/daemon"
)

// listening waits until a daemon tells its address.
func listening(t *testing.T, stderr *lockedBuffer) (address string) {
	t.Helper()
	told := regexp.MustCompile(`"msg":"daemon started".*"address":"([^"]+)"`)
	eventually(t, "the daemon listens", func() bool {
		if m := told.FindStringSubmatch(stderr.String()); m != nil {
			address = m[1]
		}
		return address != ""
	})
	return address
}

// TestRunReloads changes the configuration of the real daemon by SIGHUP: a fault leaves it as it is, a mapping that comes
// copies, one that goes is forgotten, and what only a start reads is refused by name.
func TestRunReloads(t *testing.T) {
	const ours = `{mapping="owner-to-consumer",result="complete"}`
	var original string
	s := newSite(t, func(text string) string {
		// An address of documentation (RFC 5737), which no machine has: --listen takes its place.
		original = "http: {listen: \"192.0.2.1:9090\"}\n" + strings.NewReplacer("bucket: "+demoCopy, "bucket: "+demoCopy+", prefix: first/", "@every 5s", "@every 1s").Replace(text)
		return original
	})
	s.source.Put("a", awsfake.BytesBody([]byte("a")), awsfake.PutOptions{})
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
	eventually(t, "the fault is told", func() bool {
		return strings.Contains(stderr.String(), "colour: unknown key") && scrape(t, address, "syncd_config_reload_success") == 0
	})
	reload("log: {level: debug}\n" + strings.Replace(original, "/state\"", "/elsewhere\"", 1))
	eventually(t, "what cannot change is named", func() bool {
		const what = ": cannot change without a restart; start syncd again, or put the former value back"
		return strings.Contains(stderr.String(), s.config+":1: log"+what) && regexp.MustCompile(regexp.QuoteMeta(s.config)+`:\d+: state`+what).MatchString(stderr.String())
	})
	if got := scrape(t, address, "syncd_config_reload_success"); got != 0 {
		t.Errorf("got reload success %v after a refusal, want 0", got)
	}

	second := strings.NewReplacer("name: "+demoMapping, "name: second", "prefix: first/", "prefix: second/").Replace(original[strings.Index(original, "  - name:"):])
	reload(original + second)
	eventually(t, "the mapping that came copies", func() bool { return scrape(t, address, `syncd_passes_total{mapping="second",result="complete"}`) > 0 })
	if got := scrape(t, address, "syncd_config_reload_success"); got != 1 {
		t.Errorf("got reload success %v after a good configuration, want 1", got)
	}
	reload(original)
	eventually(t, "the mapping that went is forgotten", func() bool { return scrape(t, address, `syncd_passes_total{mapping="second",result="complete"}`) == 0 })
	if got := strings.Join(s.destination.Keys(), " "); got != "first/a second/a" {
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

// TestWatchFollowsTheFile changes the file behind a link, as a ConfigMap does, and looks at what the daemon is told.
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
		p := process{stdout: &stderr, stderr: &stderr, lookupEnv: os.LookupEnv, readFile: os.ReadFile, now: time.Now, ambient: s.signIn()}
		f := flags{config: s.config}
		system, err := newSystem(t.Context(), p, f)
		if err != nil {
			t.Fatal(err)
		}
		r := newReloader(system, f, nil)
		first := r.first()[0].Revision
		var mu sync.Mutex
		var got []daemon.Mapping
		go r.watch(t.Context(), func(m []daemon.Mapping) {
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
		// A file whose writing takes longer than a look is not read before it stays the same.
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

func TestSame(t *testing.T) {
	const text = `state: file:state
roles:
  hub: {arn: "arn:aws:iam::333333333333:role/hub"}
  consumer: {arn: "arn:aws:iam::222222222222:role/consumer", via: hub, external_id: some-id}
  other: {arn: "arn:aws:iam::222222222222:role/other"}
mappings:
  - name: m
    source: {bucket: owner-data, region: us-west-2, account: "111111111111", role: consumer}
    destination: {bucket: consumer-copy, region: us-west-2, account: "222222222222", role: consumer, kms_key: "arn:aws:kms:us-west-2:222222222222:key/1a2b3c4d"}
    schedule: "CRON_TZ=Europe/Zurich 0 4 * * *"
    filter: {include: ["**"]}
`
	load := func(edit ...string) *config.Config {
		t.Helper()
		c, err := config.Parse([]byte(strings.NewReplacer(edit...).Replace(text)), "syncd.yaml")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	former := load()
	tests := []struct {
		name string
		edit []string
		want bool
	}{
		{"nothing", nil, true},
		{"a role it does not use", []string{"role/other", "role/another"}, true},
		{"its role's external id", []string{"some-id", "other-id"}, false},
		{"the role that its role goes through", []string{"role/hub", "role/hub-2"}, false},
		{"its schedule", []string{"0 4", "0 5"}, false},
		{"its filter", []string{`["**"]`, `["*"]`}, false},
		{"how long a drain may take", []string{"state:", "drain_timeout: 9s\nstate:"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			next := load(tt.edit...)
			if got := same(former, former.Mappings[0], next, next.Mappings[0]); got != tt.want {
				t.Errorf("got the same %v, want %v", got, tt.want)
			}
		})
	}
}

// TestUnchangeable names what only a start reads with its line, and says what to do about it.
func TestUnchangeable(t *testing.T) {
	const text = `state: s3://consumer-state/syncd/
http: {listen: "127.0.0.1:0"}
log: {level: info}
control: {socket: /run/syncd/control.sock}
checkpoint: {role: writer, lease: 30s}
aws: {path_style: false}
drain_timeout: 25s
roles:
  writer: {arn: "arn:aws:iam::222222222222:role/writer"}
mappings:
  - name: a
    source: {bucket: owner-data, region: us-east-1, account: "111111111111"}
    destination: {bucket: consumer-copy, region: us-east-1, account: "222222222222", kms_key: "arn:aws:kms:us-east-1:222222222222:key/1a2b"}
`
	parse := func(text string, checks ...config.Check) (*config.Config, error) {
		return config.Parse([]byte(text), "f", checks...)
	}
	former, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	const restart = "cannot change without a restart; start syncd again, or "
	for name, tt := range map[string]struct{ old, changed, want string }{
		"nothing":          {"state", "state", ""},
		"drain_timeout":    {"25s", "24s", ""},
		"state":            {"/syncd/\n", "/other/\n", "f:1: state: " + restart + "put the former value back"},
		"http":             {"127.0.0.1:0", "127.0.0.1:1", "f:2: http: " + restart},
		"log":              {"level: info", "level: debug", "f:3: log: " + restart},
		"control":          {"/run/syncd/control.sock", "off", "f:4: control: " + restart},
		"checkpoint":       {"30s", "31s", "f:5: checkpoint: " + restart},
		"another role":     {"role: writer", "account: \"222222222222\"", "f:5: checkpoint: " + restart},
		"the state's role": {"role/writer", "role/keeper", "f:9: roles.writer: writes the state, and " + restart},
		"its region":       {"consumer-copy, region: us-east-1", "consumer-copy, region: us-west-2", "f:5: checkpoint.region: is that of the first mapping, and " + restart + "set it to us-east-1 to keep it"},
		"its endpoint":     {"path_style: false", "path_style: true", "f:6: aws: has the address of the state, and " + restart},
		"one at fault":     {"/syncd/\n", "/ /../\n", "f:1: state: "},
	} {
		next := strings.Replace(text, tt.old, tt.changed, 1)
		if name == "its region" {
			next = strings.Replace(next, "kms:us-east-1", "kms:us-west-2", 1)
		}
		_, err := parse(next, refuseUnchangeable(former))
		if (err == nil) != (tt.want == "") || err != nil && (!strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: got %v, want one fault that begins with %q", name, err, tt.want)
		}
	}
}
