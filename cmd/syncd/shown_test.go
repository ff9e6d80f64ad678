package main

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"syncd/internal/awsfake"
	filestore "syncd/internal/checkpoint/store/file"
	"syncd/internal/control"
	"syncd/internal/demo"
	"syncd/internal/invocation"
)

// evil is a text that changes the title of a terminal, rings its bell, reverses the direction of
// text and starts a new line.
const evil = "a\x1b]0;x\a\u202eb\nNEWLINE\t\r\u009b31m\x7f\u2066\u200f\u061c\u2028"

// checkShown reports characters in a text that must not be printed unescaped.
func checkShown(t *testing.T, where, text string) {
	t.Helper()
	for i, r := range text {
		bad := r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 ||
			strings.ContainsRune("\u200e\u200f\u061c\u2028\u2029", r)
		if bad || strings.HasPrefix(text[i:], "\nNEWLINE") {
			t.Errorf("%s: got %q, want %U escaped", where, text[max(0, i-80):min(len(text), i+40)], r)
			return
		}
	}
	if !utf8.ValidString(text) {
		t.Errorf("%s: got bytes that are not UTF-8", where)
	}
}

// evilSite is a site with keys and service messages that try to deceive the reader of the output.
type evilSite struct {
	*site
	// refuses is the operation that is refused with an evil message, or "".
	refuses atomic.Value
	answers atomic.Int64
	// secret must not occur in any output; "" for none.
	secret string
}

// newEvilSite serves the two accounts behind a service that can refuse requests with evil messages.
func newEvilSite(t *testing.T, edit func(text string) string) *evilSite {
	t.Helper()
	e := &evilSite{site: newSite(t, edit)}
	e.refuses.Store("")
	server := httptest.NewServer(http.HandlerFunc(e.answer))
	t.Cleanup(server.Close)
	text, err := os.ReadFile(e.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(e.config, []byte(strings.ReplaceAll(string(text), e.Endpoint, server.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{evil, "bad\xff\xc3bytes", "=1+1", "plain"} {
		e.Source.Put(key, awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
		e.Source.Put("denied/"+key, awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
		e.Source.Put("archived/"+key, awsfake.BytesBody([]byte("x")), awsfake.PutOptions{StorageClass: "GLACIER"})
		e.Destination.Put("foreign/"+key, awsfake.BytesBody([]byte("other")), awsfake.PutOptions{})
		e.Source.Put("foreign/"+key, awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	}
	return e
}

// answer refuses a request with an error in XML. The message in the error lacks most C0 control
// characters, which XML does not allow.
func (e *evilSite) answer(w http.ResponseWriter, r *http.Request) {
	operation := e.refuses.Load().(string)
	isList := r.URL.Query().Get("list-type") == "2"
	isDenied := strings.Contains(r.URL.Path, "/denied/") && r.Header.Get("X-Amz-Copy-Source") != ""
	isSTS := r.Method == http.MethodPost && r.URL.Path == "/" && r.URL.RawQuery == ""
	isRefused := isDenied || operation == "list" && isList || operation == "sts" && isSTS
	if !isRefused {
		e.Cloud.ServeHTTP(w, r)
		return
	}
	message := "b&#xA;NEWLINE&#x9;&#xD;" + "\u202e\u0085\u009b31m\u2066\u200f\u061c\u2028\u007f"
	w.Header().Set("X-Amz-Request-Id", fmt.Sprint("id-\u009b31m", e.answers.Add(1)))
	w.WriteHeader(http.StatusForbidden)
	text := "<Error><Code>AccessDenied" + message + "</Code><Message>" + message + "</Message><RequestId>" + message + "</RequestId></Error>"
	if isSTS {
		text = "<ErrorResponse>" + text + "</ErrorResponse>"
	}
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+text)
}

// say runs the program in this process and checks all of its output. If raw is true, it does not
// check standard output.
func (e *evilSite) say(t *testing.T, raw bool, args ...string) outcome {
	t.Helper()
	return e.sayIn(t.Context(), t, raw, args...)
}

func (e *evilSite) sayIn(ctx context.Context, t *testing.T, raw bool, args ...string) outcome {
	t.Helper()
	var stdout, stderr lockedBuffer
	p := invocation.Process{Stdout: &stdout, Stderr: &stderr, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: e.now, Ambient: e.SignIn()}
	got := outcome{run(ctx, args, p), stdout.String(), stderr.String()}
	line := fmt.Sprintf("syncd %q", args)
	if !raw {
		checkShown(t, line+": stdout", got.stdout)
	}
	checkShown(t, line+": stderr", got.stderr)
	if e.secret != "" && strings.Contains(got.stdout+got.stderr, e.secret) {
		t.Errorf("%s: got %q, want no %s in it", line, got.stdout+got.stderr, e.secret)
	}
	return got
}

// sessions returns the command lines to test for each command. The test fails if a command has
// none.
func (e *evilSite) sessions(t *testing.T) map[string][][]string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	odd := strings.ReplaceAll(evil, "/", "_")
	policy := write(odd+".json", `{"Version":"2012-10-17","Statement":[{"Sid":"a\u001b\u202e`+"\u202e\u009b"+`","Effect":"Allow","Principal":"*\u202e",
		"Action":"s3:Get\u202eObject\n","Resource":"arn:aws:s3:::x\u009b/*","Condition":{"String\u202eEquals":{"aws:x\u009b":"\u2028"}}}]}`)
	broken := write("broken.json", `{"Version":"`+evil+`"`)
	faults := write(odd+".yaml", "state: \"file:x\"\n\"colour\\e\\u202e\": red\nlog: {level: \"\\e\\u202e\\x9b\", format: \u202e}\nmappings: [{name: \"\\n\\u2028\"}]\n")
	syntax := write("syntax.yaml", "state: [\u202e\u009b\nx: {\n")
	files := filepath.Join(dir, "files")
	if err := os.Mkdir(files, 0o700); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join("files", odd), "x")
	sick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, evil, http.StatusInternalServerError) }))
	t.Cleanup(sick.Close)

	e.pauseAs(t, evil)
	of := func(args ...string) []string { return append(args, "--config", e.config) }
	mapping := []string{"--mapping", demo.Mapping}
	return map[string][][]string{
		"syncd":             {{}, {"--help"}, {evil}, {"--" + evil}},
		"syncd backfill":    {of("backfill"), of("backfill", "--json"), of("backfill", "--log-level", "debug"), of("backfill", "--mapping", evil), {"backfill", "--config", faults}, {"backfill", "--config", syntax}, {"backfill", "--config", evil}, of("backfill", evil)},
		"syncd plan":        {of("plan"), of("plan", "--list"), of("plan", "--list", "--json"), of("plan", "--take-over", "--list")},
		"syncd trigger":     {of(append(mapping, "trigger", "--wait", "0s")...), of("trigger", "--all", "--wait", "0s", "--json"), of("trigger", "--mapping", evil), of("trigger", "--wait", evil)},
		"syncd pause":       {of(append(mapping, "pause", "--wait", "0s")...), of(append(mapping, "pause", "--wait", "0s", "--json")...)},
		"syncd resume":      {of(append(mapping, "resume", "--wait", "0s")...), of("resume", evil)},
		"syncd rekey":       {of(append(mapping, "rekey", "--wait", "1ms")...), of("rekey", evil)},
		"syncd replay":      {of("replay"), of("replay", "--json", "--key", evil), of("replay", "--log-level", evil)},
		"syncd verify":      {of("verify"), of("verify", "--json"), of("verify", "--csv", "--deep"), of("verify", "--sample", evil), of("verify", "--mapping", evil), of("verify", "--deep", "--repair", "--take-over", "--json")},
		"syncd status":      {of("status"), of("status", "--history"), of("status", "--json"), of("status", "--quarantine"), of("status", "--quarantine", "--json")},
		"syncd healthcheck": {{"healthcheck", "--url", sick.URL}, {"healthcheck", "--url", evil}},
		"syncd ledger":      {{"ledger"}, {"ledger", evil}},
		"syncd ledger export": {
			of(append(mapping, "ledger", "export")...), of(append(mapping, "ledger", "export", "--format", evil)...),
			of(append(mapping, "ledger", "export", "--for-spreadsheet")...), of(append(mapping, "ledger", "export", "--format", "csv")...),
		},
		"syncd ledger rename": {of(append(mapping, "ledger", "rename", "--from", evil)...)},
		"syncd demo":          {{"demo", "--from", files}, {"demo", "--from", files, "--json"}, {"demo", "--serve", evil, "--dir", dir}, {"demo", "--from", evil}},
		"syncd policy": {
			of("policy"), of("policy", "--side", "owner", "--format", "terraform"), of("policy", "--side", "owner", "--format", "cloudformation"),
			of("policy", "-o", filepath.Join(dir, odd)), of("policy", "--side", evil), of("policy", "--format", evil), of("policy", "--source-key", evil), of("policy", "--org-id", evil), of("policy", "--vpc-endpoint", evil),
		},
		"syncd policy check": {
			{"policy", "check", policy},
			{"policy", "check", "--json", policy},
			{"policy", "check", "--sarif", policy},
			{"policy", "check", broken},
			{"policy", "check", evil},
			{"policy", "check", "--kind", evil, policy},
			of("policy", "check", policy),
		},
		"syncd config":       {{"config"}, {"config", evil}},
		"syncd config check": {of("config", "check"), of("config", "check", "--json"), {"config", "check", "--config", faults}, {"config", "check", "--json", "--config", faults}, {"config", "check", "--config", evil}},
		"syncd config show":  {of("config", "show"), {"config", "show", "--config", faults}},
		"syncd doctor":       {of("doctor"), of("doctor", "--json"), of("doctor", "--offline"), of("doctor", "--offline", "--json")},
		"syncd version":      {{"version"}, {"version", "--sbom"}, {"version", "--sbom", "--binary", evil}},
		"syncd completion":   {{"completion", "fish"}, {"completion", evil}},
		"syncd man":          {{"man", filepath.Join(dir, "man")}, {"man", filepath.Join(policy, evil)}},
	}
}

// pauseAs pauses the mapping under any user name, as a writer of the state can.
func (e *evilSite) pauseAs(t *testing.T, who string) {
	t.Helper()
	store, err := filestore.Open(filepath.Join(e.dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := control.NewDesk(store, time.Now).Pause(t.Context(), control.Request{ID: control.NewID(time.Now()), Mapping: demo.Mapping, Who: who, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
}

// TestOutputIsEscaped checks the output of every command for evil keys, messages, files and
// arguments.
func TestOutputIsEscaped(t *testing.T) {
	skipIfShort(t)
	for _, tt := range []struct{ format, refuses string }{{"text", ""}, {"json", ""}, {"text", "list"}, {"json", "sts"}} {
		t.Run(tt.format+tt.refuses, func(t *testing.T) {
			e := newEvilSite(t, func(text string) string {
				return "log: {level: debug, format: " + tt.format + "}\n" +
					strings.Replace(text, "bucket: "+demo.Copy, `prefix: "to\e\u202e\x9b/", bucket: `+demo.Copy, 1)
			})
			if tt.refuses == "" {
				if got := e.say(t, false, "backfill", "--config", e.config); got.code != 3 || !strings.Contains(got.stderr, "denied/") {
					t.Fatalf("got exit %d, want keys in quarantine; stderr:\n%s", got.code, got.stderr)
				}
			}
			e.refuses.Store(tt.refuses)
			e.walk(t)
		})
	}
}

// TestOutputHidesExternalID checks that no output shows the external id if a template has put the
// external id in place of the name of a variable or file.
func TestOutputHidesExternalID(t *testing.T) {
	for i, form := range []string{"{env: hunter2_hunter2}", "{file: hunter2_hunter2}"} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			e := newEvilSite(t, func(text string) string { return strings.Replace(text, demo.ExternalID, form, 1) })
			e.secret = "hunter2"
			e.walk(t)
		})
	}
}

// walk runs the sessions of every command.
func (e *evilSite) walk(t *testing.T) {
	t.Helper()
	sessions := e.sessions(t)
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		said := sessions[cmd.CommandPath()]
		if len(said) == 0 && cmd.CommandPath() != "syncd run" { // syncd run has a separate test
			t.Errorf("%s: no session says what it prints", cmd.CommandPath())
		}
		for _, args := range said {
			line := strings.Join(args, " ")
			isPlain := strings.Contains(line, "export --format csv")
			if got := e.say(t, isPlain, args...); isPlain && e.secret == "" && e.refuses.Load() == "" && !strings.Contains(got.stdout, evil) {
				t.Errorf("%q: got %q, want every key as its bytes", args, got.stdout)
			}
		}
		for _, child := range cmd.Commands() {
			visit(child)
		}
	}
	visit(newRoot(invocation.Process{}))
}

// TestDaemonOutputIsEscaped checks the log and every page of the daemon, while passes quarantine
// objects and while they fail.
func TestDaemonOutputIsEscaped(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			e := newEvilSite(t, func(text string) string {
				return "http: {listen: \"127.0.0.1:0\"}\nlog: {level: debug, format: " + format + "}\n" + strings.Replace(text, "@every 5s", "@every 1s", 1)
			})
			ctx, stop := context.WithCancel(t.Context())
			var stdout, stderr lockedBuffer
			ended := make(chan int)
			go func() {
				p := invocation.Process{Stdout: &stdout, Stderr: &stderr, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: e.now, Ambient: e.SignIn()}
				ended <- run(ctx, []string{"run", "--config", e.config}, p)
			}()
			listening := regexp.MustCompile(`address[=":]+([0-9.:]+)`)
			eventually(t, "the daemon listens", func() bool { return listening.MatchString(stderr.String()) })
			address := listening.FindStringSubmatch(stderr.String())[1]
			eventually(t, "keys are set aside", func() bool { return strings.Contains(stderr.String(), "object quarantined") })
			pages(t, address)
			e.refuses.Store("list")
			eventually(t, "a pass failed", func() bool { return strings.Contains(page(t, address, "/status.json", ""), "AccessDenied") })
			pages(t, address)
			stop()
			<-ended
			checkShown(t, "stdout", stdout.String())
			checkShown(t, "stderr", stderr.String())
		})
	}
}

func pages(t *testing.T, address string) {
	t.Helper()
	for _, path := range []string{"/", "/status", "/status/live", "/status.json", "/healthz", "/readyz", "/metrics", "/status?state=%1b%e2%80%ae", "/none%1b%e2%80%ae"} {
		checkShown(t, path, page(t, address, path, ""))
		checkShown(t, path+" as JSON", page(t, address, path, "application/json"))
	}
}

func page(t *testing.T, address, path, accept string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestPrintsUsePrintable checks that no call prints text without package printable.
func TestPrintsUsePrintable(t *testing.T) {
	spared := map[string]string{
		"../../internal/usage/manual.go":               "Markdown of the manual, from the program's own texts",
		"../../internal/terminal/progress/listing.go":  "control sequences that redraw a line",
		"../../internal/terminal/progress/progress.go": "control sequences that redraw a line",
	}
	var paths []string
	for _, pattern := range []string{
		".", "../../internal/daemon", "../../internal/assembly", "../../internal/buildinfo", "../../internal/caller", "../../internal/demo", "../../internal/exit",
		"../../internal/invocation", "../../internal/report", "../../internal/secretfile", "../../internal/status", "../../internal/terminal",
		"../../internal/terminal/progress", "../../internal/usage",
	} {
		found, err := filepath.Glob(filepath.Join(pattern, "*.go"))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: got %d files, %v", pattern, len(found), err)
		}
		paths = append(paths, found...)
	}
	for path := range spared {
		if !slices.Contains(paths, path) {
			t.Errorf("%s: there is no such file", path)
		}
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || spared[path] != "" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			switch name := nameOf(call.Fun); name {
			case "fmt.Fprint", "fmt.Fprintf", "fmt.Fprintln", "io.WriteString", "fmt.Print", "fmt.Printf", "fmt.Println":
				t.Errorf("%s: %s prints what it is given as it is; use package printable", path, name)
			case "json.NewEncoder", "slog.NewTextHandler", "slog.NewJSONHandler":
				if inner, ok := call.Args[0].(*ast.CallExpr); !ok || !strings.HasPrefix(nameOf(inner.Fun), "printable.") {
					t.Errorf("%s: %s writes past package printable", path, name)
				}
			}
			return true
		})
	}
}

func nameOf(fun ast.Expr) string {
	selector, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if pkg, ok := selector.X.(*ast.Ident); ok {
		return pkg.Name + "." + selector.Sel.Name
	}
	return ""
}
