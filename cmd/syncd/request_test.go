package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/control"
	"syncd/internal/demo"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/status"
)

// hourlySite returns a site that runs a pass every hour.
func hourlySite(t *testing.T) *site {
	t.Helper()
	return newSite(t, func(text string) string {
		return "http: {listen: \"127.0.0.1:0\"}\n" + strings.Replace(text, "@every 5s", "@every 1h", 1)
	})
}

// runDaemon runs the daemon in this process until the returned func is called.
func (s *site) runDaemon(t *testing.T) (log func() string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var stdout, stderr lockedBuffer
	p := invocation.Process{Stdout: &stdout, Stderr: &stderr, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: s.now, Ambient: s.SignIn()}
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"run", "--config", s.config}, p) }()
	eventually(t, "the daemon listens", func() bool { return strings.Contains(stderr.String(), `"msg":"daemon started"`) })
	return stderr.String, func() {
		t.Helper()
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("got exit %d of the daemon; stderr:\n%s", code, stderr.String())
		}
	}
}

// expect runs a command and checks its exit code and output.
func (s *site) expect(t *testing.T, code int, stdout, stderr string, args ...string) outcome {
	t.Helper()
	got := s.run(t.Context(), args...)
	if got.code != code || !strings.Contains(got.stdout, stdout) || !strings.Contains(got.stderr, stderr) {
		t.Errorf("syncd %s: got exit %d, want %d with %q and %q; stdout:\n%s\nstderr:\n%s", strings.Join(args, " "), got.code, code, stdout, stderr, got.stdout, got.stderr)
	}
	return got
}

func (s *site) put(keys ...string) {
	for _, key := range keys {
		s.Source.Put(key, awsfake.BytesBody([]byte(key)), awsfake.PutOptions{})
	}
}

func (s *site) has(keys ...string) func() bool {
	return func() bool {
		there := strings.Join(s.Destination.Keys(), " ") + " "
		for _, key := range keys {
			if !strings.Contains(there, key+" ") {
				return false
			}
		}
		return true
	}
}

// TestDaemonRequests checks the answers of the daemon on the same machine to requests for passes, a
// pause and a replay through its control socket.
func TestDaemonRequests(t *testing.T) {
	s := hourlySite(t)
	const m = "--mapping=" + demo.Mapping
	s.put("first")
	log, stop := s.runDaemon(t)
	eventually(t, "the first pass has ended", func() bool { return strings.Contains(log(), `"msg":"pass ended"`) })

	s.put("second")
	s.expect(t, 0, demo.Mapping+": trigger: pass 2 complete: 2 objects listed, 1 copied, 0 quarantined", "", "trigger", m)
	s.expect(t, 2, "", "name mappings with --mapping", "trigger")
	s.expect(t, 2, "", "not both", "pause", "--all", m)
	s.expect(t, 2, "", "unknown flag: --all", "rekey", "--all")
	s.expect(t, 5, "", "send it a request: `syncd trigger` for a pass", "backfill", m)

	remove := s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "third", Kind: awsfake.AccessDenied})
	s.put("third")
	s.expect(t, 3, "", "1 object quarantined", "trigger", m)
	remove()
	s.expect(t, 0, "", `not in quarantine: "nosuch": nothing was tried, and the ledger is unchanged`, "replay", m, "--key", "nosuch")
	s.expect(t, 0, "copied       1 object", "replay requested from the process that holds the lease", "replay", m, "--reason", "denied")
	s.expect(t, 0, `"result":"complete"`, "the quarantine is empty", "replay", m, "--json")
	for _, key := range []string{"", strings.Repeat("x", 1025)} {
		s.expect(t, 2, "", "the key of an object has 1 to 1024", "replay", m, "--key", key)
	}
	s.expect(t, 2, "", "--wait 48h0m0s is longer than 24h0m0s", "trigger", m, "--wait=48h")
	history := s.expect(t, 0, "pass 2 complete", "", "status", m, "--history").stdout
	for _, want := range []string{", start: ", "request: 1 copied", "requested by " + control.Self(), "replay: 1 copied", "1 quarantined"} {
		if !strings.Contains(history, want) {
			t.Errorf("got no %q in the history:\n%s", want, history)
		}
	}

	if got := s.expect(t, 0, demo.Mapping+": pause", "", "pause", "--all", "--wait=0s"); strings.Contains(got.stdout, "no daemon") {
		t.Errorf("got %q, want the pause left to the daemon that claimed it", got.stdout)
	}
	s.expect(t, 0, "pause: the mapping was already paused", "", "pause", "--all")
	s.expect(t, 0, "paused       by "+control.Self(), "", "status", m)
	s.expect(t, 1, "", "trigger refused: the mapping is paused by", "trigger", m)
	s.put("fourth")
	eventually(t, "the lease is free", func() bool { return !strings.Contains(s.run(t.Context(), "status", m).stdout, "lease") })
	s.expect(t, 0, "", "mapping is paused, but this pass runs anyway", "backfill", m)
	stop()

	s.put("fifth")
	_, stop = s.runDaemon(t)
	var status status.Status
	if err := json.Unmarshal([]byte(s.expect(t, 0, "", "", "status", m, "--json").stdout), &status); err != nil || status.Paused == nil || status.Paused.Who != control.Self() || status.History[0].Trigger != "backfill" {
		t.Errorf("got %+v, %v, want the mapping still paused, with the backfill in its history", status, err)
	}
	if s.has("fifth")() {
		t.Error("got a copy by a daemon whose mapping is paused")
	}
	s.expect(t, 0, "resume: resumed", "", "resume", m)
	eventually(t, "the pass that was missed has copied", s.has("first", "second", "third", "fourth", "fifth"))
	stop()
	for _, want := range []string{`"msg":"request accepted"`, `"what":"pause"`, `"outcome":"refused"`, `"who":"` + control.Self() + `"`, `"msg":"mapping paused"`} {
		if !strings.Contains(log(), want) {
			t.Errorf("got no %s in the log:\n%s", want, log())
		}
	}
}

// TestRequestsWithoutADaemon checks, for both kinds of state, that a pause and a resume take effect
// at once if no daemon runs, and that other requests wait for a daemon.
func TestRequestsWithoutADaemon(t *testing.T) {
	for name, edit := range map[string]func(text string) string{
		"in a folder": func(text string) string { return text },
		"on S3": func(text string) string {
			return "checkpoint: {account: \"" + demo.Consumer + "\"}\n" + regexp.MustCompile(`(?m)^state: .*$`).ReplaceAllString(text, "state: s3://consumer-state/syncd/")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(text string) string {
				return edit("http: {listen: \"127.0.0.1:0\"}\n" + strings.Replace(text, "@every 5s", "@every 1h", 1))
			})
			s.Cloud.Account(demo.Consumer).CreateBucket("consumer-state", demo.Region, awsfake.BucketOptions{})
			const m = "--mapping=" + demo.Mapping
			s.put("first")
			s.expect(t, 0, "no daemon has answered: a running daemon follows within 15 s", "", "pause", m, "--wait=0s")
			s.expect(t, 0, "paused       by", "", "status", m)
			s.expect(t, 0, `"outcome":"done"`, "", "resume", m, "--wait=1ms", "--json")
			s.expect(t, 1, "", "no daemon has accepted the request within 1ms; it stays in the state until ", "trigger", m, "--wait=1ms")
			s.expect(t, 0, "trigger requested", "", "trigger", m, "--wait=0s")
			log, stop := s.runDaemon(t)
			eventually(t, "both are answered", func() bool { return strings.Count(log(), `"outcome":"done"`) == 2 })
			stop()
			if n := strings.Count(log(), `"msg":"pass ended"`); n != 1 {
				t.Errorf("got %d passes for two requests and a start, want one", n)
			}
		})
	}
}

// TestInterruptedRequests checks that a signal ends the wait with exit code 130, and that the
// message and the JSON report what happens to the request.
func TestInterruptedRequests(t *testing.T) {
	s := hourlySite(t)
	for _, tt := range []struct{ what, outcome, want string }{
		{"trigger", "withdrawn", "the request was withdrawn before any daemon accepted it"},
		{"rekey", "withdrawn", "the request was withdrawn before any daemon accepted it"},
		{"pause", "pending", "no daemon has accepted the request yet; it stays in the state until "},
	} {
		ctx, interrupt := context.WithCancel(t.Context())
		go func() {
			defer interrupt()
			eventually(t, "the request is in the state", func() bool {
				sent, err := filepath.Glob(filepath.Join(s.dir, "state", "control.v1", demo.Mapping, "*.request.json"))
				return err == nil && len(sent) > 0
			})
		}()
		got := s.run(ctx, tt.what, "--mapping="+demo.Mapping, "--wait=1m", "--json")
		var answer control.Answer
		err := json.Unmarshal([]byte(got.stdout), &answer)
		if got.code != 130 || !strings.Contains(got.stderr, tt.what+": interrupted: "+tt.want) || err != nil || string(answer.Outcome) != tt.outcome || answer.Version != control.Version || answer.At.IsZero() {
			t.Errorf("%s: got exit %d and %+v, %v, want 130 and %s; stderr:\n%s", tt.what, got.code, answer, err, tt.outcome, got.stderr)
		}
	}
}

// TestInterruptedReplay checks that a replay that a daemon has accepted continues when the command
// that waits for it is interrupted.
func TestInterruptedReplay(t *testing.T) {
	s := hourlySite(t)
	const m = "--mapping=" + demo.Mapping
	remove := s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "denied", Kind: awsfake.AccessDenied})
	s.put("denied", "fine")
	log, stop := s.runDaemon(t)
	eventually(t, "the first pass has ended", func() bool { return strings.Contains(log(), `"msg":"pass ended"`) })
	remove()
	released := make(chan struct{})
	s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "denied", Kind: awsfake.None, Do: func() { <-released }})
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		defer interrupt()
		eventually(t, "the daemon has accepted it", func() bool { return strings.Contains(log(), `"msg":"request accepted"`) })
	}()
	got := s.run(ctx, "replay", m)
	close(released)
	if got.code != 130 || !strings.Contains(got.stderr, "replay: interrupted: the request was accepted by ") || strings.Contains(got.stderr, "draining") {
		t.Errorf("got exit %d, want 130 and the daemon that has accepted the request; stderr:\n%s", got.code, got.stderr)
	}
	eventually(t, "it was copied all the same", s.has("denied"))
	stop()
}

// TestPauseNotWritable checks that the request for a pause stays in the state if the command cannot
// carry it out itself, for example because the disk is full, and that the message reports that the
// request stays.
func TestPauseNotWritable(t *testing.T) {
	s := newSite(t, func(text string) string {
		return "checkpoint: {account: \"" + demo.Consumer + "\"}\n" + regexp.MustCompile(`(?m)^state: .*$`).ReplaceAllString(text, "state: s3://consumer-state/syncd/")
	})
	s.Cloud.Account(demo.Consumer).CreateBucket("consumer-state", demo.Region, awsfake.BucketOptions{})
	before := s.Cloud.Requests()["PutObject"]
	s.expect(t, 0, "trigger requested", "", "trigger", "--mapping="+demo.Mapping, "--wait=0s")
	s.Cloud.Inject(awsfake.Fault{Operation: "PutObject", Bucket: "consumer-state", Kind: awsfake.AccessDenied, Skip: 1})
	s.expect(t, 1, "", "it stays in the state until ", "pause", "--mapping="+demo.Mapping, "--wait=0s")
	if n := s.Cloud.Requests()["PutObject"] - before; n < 3 {
		t.Errorf("got %d writes, want the writes of two requests and a claim", n)
	}
}

// TestDamagedPause checks that status shows a damaged pause and a damaged history.
func TestDamagedPause(t *testing.T) {
	s := hourlySite(t)
	const m = "--mapping=" + demo.Mapping
	s.put("one")
	s.expect(t, 0, "", "", "backfill", m)
	s.expect(t, 0, "paused by", "", "pause", m, "--wait=0s")
	for _, pattern := range []string{"control.v1/" + demo.Mapping + "/*.paused.json", demo.Mapping + "/history-*"} {
		paths, err := filepath.Glob(filepath.Join(s.dir, "state", pattern))
		if err != nil || len(paths) != 1 {
			t.Fatalf("got %q, %v", paths, err)
		}
		if err := os.WriteFile(paths[0], []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shown := s.expect(t, 0, "  paused       (the record of who paused it cannot be read)\n", "", "status", m, "--history").stdout
	if !strings.Contains(shown, "  history      cannot be read") || strings.Contains(shown, "no pass has ended") {
		t.Errorf("got %s, want a history that cannot be read", shown)
	}
	if got := s.expect(t, 0, `"paused":{`, "", "status", m, "--json").stdout; strings.Contains(got, "0001-01-01") || strings.Contains(got, `"who"`) {
		t.Errorf("got %s, want no unknown values", got)
	}
	s.expect(t, 0, "resumed", "", "resume", m, "--wait=0s")
}

// TestRequestSurvivesKill checks that if a daemon is killed after it has claimed a request, the
// next daemon carries out the request, and the user gets the answer.
func TestRequestSurvivesKill(t *testing.T) {
	s := hourlySite(t)
	const m = "--mapping=" + demo.Mapping
	var stdout, stderr lockedBuffer
	killed := s.start(t, &stdout, &stderr, "run")
	eventually(t, "the first pass has ended", func() bool { return strings.Contains(stderr.String(), `"msg":"pass ended"`) })
	for i := range 500 {
		s.put(fmt.Sprintf("k%03d", i))
	}
	s.Cloud.SetLatency(20 * time.Millisecond)
	answered := make(chan outcome, 1)
	go func() { answered <- s.run(t.Context(), "trigger", m, "--wait=2m") }()
	eventually(t, "the pass that was asked for copies", func() bool { return s.Cloud.Requests()["CopyObject"] > 20 })
	if err := killed.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	exitStatus(t, killed)
	s.Cloud.SetLatency(0)
	log, stop := s.runDaemon(t)
	if got := <-answered; got.code != 0 || !strings.Contains(got.stdout, "trigger: pass 2 complete") {
		t.Errorf("got exit %d, want the answer of the next daemon; stdout:\n%s\nstderr:\n%s", got.code, got.stdout, got.stderr)
	}
	stop()
	if !strings.Contains(log(), `"claims":2`) || len(s.Destination.Keys()) != 500 {
		t.Errorf("got %d copies, want the request claimed a second time and all objects copied; log:\n%s", len(s.Destination.Keys()), log())
	}
}

// TestSocketOfAnotherDaemon checks the second of two daemons with the same state: the second daemon
// has no socket, logs a warning about the missing socket, and receives requests through the state.
// If the configuration names the socket, the second daemon does not start.
func TestSocketOfAnotherDaemon(t *testing.T) {
	s := hourlySite(t)
	log, stop := s.runDaemon(t)
	other, stopOther := s.runDaemon(t)
	if !strings.Contains(other(), "control socket was not created") || strings.Contains(log(), "control socket was not created") {
		t.Errorf("got a socket for the second of two daemons, want none; logs:\n%s\n%s", log(), other())
	}
	stopOther()
	text := readText(t, s.config)
	taken := filepath.Join(s.dir, "asked-for.yaml")
	if err := os.WriteFile(taken, append([]byte("control: {socket: state/control.sock}\n"), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	got := offline(t, nil, "run", "--config", taken)
	want := fmt.Sprintf("another process is listening on it; hint: another `syncd run` on this machine uses it (process %d): stop that process", os.Getpid())
	if got.code != 1 || !strings.Contains(got.stderr, want) {
		t.Errorf("got exit %d, want 1 with %q; stderr:\n%s", got.code, want, got.stderr)
	}
	stop()
	if left, err := filepath.Glob(filepath.Join(s.dir, "*", "control.sock")); err != nil || len(left) > 0 {
		t.Errorf("got %v left, %v", left, err)
	}
	if err := os.WriteFile(s.config, append([]byte("control: {socket: /proc/none/s}\n"), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := s.run(t.Context(), "run"); got.code != exit.CodeUsage || !strings.Contains(got.stderr, ":1: control.socket: \"/proc/none/s\": /proc is in a kernel file system") {
		t.Errorf("got exit %d, want an error because the configured socket cannot be created; stderr:\n%s", got.code, got.stderr)
	}
}

// TestReplayReadsItsConfigurationOnce checks that a replay that a daemon carries out reads its
// configuration only once.
func TestReplayReadsItsConfigurationOnce(t *testing.T) {
	s := hourlySite(t)
	remove := s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "one", Kind: awsfake.AccessDenied})
	s.put("one", "two")
	log, stop := s.runDaemon(t)
	eventually(t, "the first pass has ended", func() bool { return strings.Contains(log(), `"msg":"pass ended"`) })
	remove()
	path, written := pipe(t), make(chan error, 1)
	go func() { written <- os.WriteFile(path, readText(t, s.config), 0) }()
	var stdout, stderr lockedBuffer
	p := invocation.Process{Stdout: &stdout, Stderr: &stderr, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: s.now, Ambient: s.SignIn()}
	code := run(t.Context(), []string{"replay", "--config", path}, p)
	if err := <-written; err != nil || code != 0 || !strings.Contains(stderr.String(), "replay requested from the process that holds the lease") || !strings.Contains(stdout.String(), "copied       1 object") {
		t.Errorf("got exit %d, %v, want a replay by the daemon; stdout:\n%s\nstderr:\n%s", code, err, stdout.String(), stderr.String())
	}
	stop()
}

// TestSocketInVolume checks that the daemon creates its socket in the folder of a state that
// belongs to another user and to a group of this process, like the root of a volume with an
// fsGroup, and that commands find the socket there.
func TestSocketInVolume(t *testing.T) {
	s := hourlySite(t)
	volume := filepath.Join(s.dir, "state")
	if err := errors.Join(os.Mkdir(volume, 0o700), os.Chown(volume, -1, os.Getegid()), os.Chmod(volume, 0o775|fs.ModeSetgid)); err != nil {
		t.Fatal(err)
	}
	log, stop := s.runDaemon(t)
	if text := log(); strings.Contains(text, "control socket was not created") {
		t.Errorf("got a daemon without a socket:\n%s", text)
	}
	s.expect(t, 0, demo.Mapping+": pause: paused", "", "pause", "--all")
	if info, err := os.Lstat(filepath.Join(volume, "control.sock")); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("got %v, %v, want the socket", info, err)
	}
	stop()
}

// TestHistoryOfSeveralMappings checks that the histories of several mappings are printed after the
// table.
func TestHistoryOfSeveralMappings(t *testing.T) {
	s := newSite(t, func(text string) string {
		text = strings.Replace(text, "bucket: "+demo.Copy, "bucket: "+demo.Copy+", prefix: first/", 1)
		at := strings.Index(text, "  - name:")
		return text + strings.NewReplacer("name: "+demo.Mapping, "name: second", "prefix: first/", "prefix: second/").Replace(text[at:])
	})
	s.put("one")
	s.expect(t, 0, "", "", "backfill")
	got := s.expect(t, 0, "2 mappings: ", "", "status", "--history").stdout
	if !regexp.MustCompile(`(?s)\n` + demo.Mapping + `\n  history +\S+  pass 1 complete.*\nsecond\n  history +\S+  pass 1 complete`).MatchString(got) {
		t.Errorf("got no history of each mapping:\n%s", got)
	}
	if got := s.run(t.Context(), "status").stdout; strings.Contains(got, "history") {
		t.Errorf("got a history without --history:\n%s", got)
	}
}
