package main

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
)

const gettingStarted = "../../docs/getting-started.md"

// pageStep is a block of commands of a page, and the output that the page shows of it.
type pageStep struct {
	line            int
	commands, shown string
}

// stepsOf reads the blocks of commands (sh) of a page, each with the output (text) that follows it.
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

// session is two accounts that know nothing of each other, and a folder to work in.
type session struct {
	cloud                *awsfake.Cloud
	owner, consumer      *awsfake.Account
	source               *awsfake.Bucket
	home, work, endpoint string
	client               *http.Client // that trusts the endpoint
}

// authority is the file with the certificate of the endpoint: only over TLS may a profile name one.
func (s *session) authority() string { return filepath.Join(s.home, "ca.pem") }

// newSession brings two accounts up that are reached at one endpoint, which start serves.
func newSession(t *testing.T, start func(http.Handler) *httptest.Server) *session {
	t.Helper()
	s := &session{cloud: awsfake.New(awsfake.Options{}), home: t.TempDir(), work: t.TempDir()}
	s.owner, s.consumer = s.cloud.Account(demoOwner), s.cloud.Account(demoConsumer)
	key := s.owner.CreateKey("us-west-2", nil)
	s.source = s.owner.CreateBucket(demoSource, "us-west-2", awsfake.BucketOptions{KeyARN: key.ARN()})
	for i := range 240 {
		name := fmt.Sprintf("exports/2026/%02d/part-%05d.csv", i%12+1, i)
		s.source.Put(name, awsfake.SyntheticBody(5_000_000, uint64(i)), awsfake.PutOptions{})
	}
	owner, consumer := s.owner.AdminUser(), s.consumer.AdminUser()
	doors := http.NewServeMux()
	doors.Handle(iamDoor, serveIAM(map[*awsfake.User]*awsfake.Account{owner: s.owner, consumer: s.consumer}))
	server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == iamDoor {
			doors.ServeHTTP(w, r)
			return
		}
		s.cloud.ServeHTTP(w, r) // keys are bytes: no multiplexer may clean them
	}))
	t.Cleanup(server.Close)
	s.endpoint, s.client = server.URL, server.Client()
	if authority := server.Certificate(); authority != nil {
		certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw})
		if err := os.WriteFile(s.authority(), certificate, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.signIn(t, map[string]*awsfake.User{"owner": owner, "consumer": consumer})
	return s
}

// signIn writes the profiles of the administrators where the AWS CLI and the SDK look for them.
func (s *session) signIn(t *testing.T, admins map[string]*awsfake.User) {
	t.Helper()
	var credentials, config strings.Builder
	for profile, admin := range admins {
		fmt.Fprintf(&credentials, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", profile, admin.AccessKeyID, admin.SecretAccessKey)
		fmt.Fprintf(&config, "[profile %s]\nendpoint_url = %s\n", profile, s.endpoint)
	}
	for name, text := range map[string]string{"credentials": credentials.String(), "config": config.String()} {
		path := filepath.Join(s.home, ".aws", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// run has a shell run the steps one after the other, as one who types them would, and returns what each printed. A step that
// fails ends the session.
func (s *session) run(t *testing.T, steps []pageStep) []string {
	t.Helper()
	const end = "=== end of step ==="
	var script strings.Builder
	script.WriteString("set -e\ntrap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n")
	for _, step := range steps {
		script.WriteString(step.commands + "echo '" + end + "'\n")
	}
	var output lockedBuffer
	shell := exec.CommandContext(t.Context(), "bash", "-c", s.fit(t, script.String()))
	shell.Dir, shell.Stdout, shell.Stderr = s.work, &output, &output
	shell.Env = []string{"HOME=" + s.home, "PATH=" + os.Getenv("PATH"), "AWS_EC2_METADATA_DISABLED=true", "SSL_CERT_FILE=" + s.authority()}
	err := shell.Run()
	printed := strings.Split(output.String(), end+"\n")
	if err != nil || len(printed) != len(steps)+1 {
		t.Fatalf("%s:%d: got %v after %d of %d steps, want all; the last one printed:\n%s",
			gettingStarted, steps[min(len(printed), len(steps))-1].line, err, len(printed)-1, len(steps), printed[len(printed)-1])
	}
	return printed[:len(steps)]
}

// fit changes what a test cannot have as the page has it: ports that may be taken, and time to wait for.
func (s *session) fit(t *testing.T, script string) string {
	t.Helper()
	for _, address := range []string{"127.0.0.1:9000", "127.0.0.1:9090"} {
		if !strings.Contains(script, address) {
			t.Errorf("got no %s in the page, want the address that is to be changed", address)
		}
		script = strings.ReplaceAll(script, address, freeAddress(t))
	}
	return strings.NewReplacer(`"@every 1m"`, `"@every 1s"`, "sleep 1;", "sleep 0.1;").Replace(script)
}

// varying is what differs from one run to the next, with the word that stands for it in a comparison.
func varying(text string) string {
	for _, v := range []struct{ pattern, word string }{
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z`, "TIME"},
		{`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, "UUID"},
		{`\(request [0-9A-F]{16}\)`, "(request ID)"},
		{`\b\d+(\.\d+)?(µs|ms|s)\b`, "DURATION"},
		{`generation +\d+`, "generation N"}, // how many passes of the daemon have ended by then
	} {
		text = regexp.MustCompile(v.pattern).ReplaceAllString(text, v.word)
	}
	return text
}

// missing returns the first line of what is shown that was not printed in its place: each line must follow the one before it,
// at once unless ... stands between them, and end the output unless ... does. A line that ends in ... is the beginning of one.
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

// TestGettingStarted runs the page as a newcomer would, against two accounts in which nothing is in force.
func TestGettingStarted(t *testing.T) {
	if testing.Short() {
		t.Skip("a session of fifty processes, each of which starts slowly under the race detector")
	}
	s := newSession(t, httptest.NewTLSServer)
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(repository, "deploy"), filepath.Join(s.work, "deploy")); err != nil {
		t.Fatal(err)
	}
	steps := stepsOf(t, gettingStarted)
	for i, printed := range s.run(t, steps) {
		if line := missing(steps[i].shown, printed); steps[i].shown != "" && line != "" {
			t.Errorf("%s:%d: the page shows\n%s\nwhich is not what was printed:\n%s", gettingStarted, steps[i].line, line, printed)
		}
	}
	if diff := cmp.Diff(s.source.Keys(), s.copies(t)); diff != "" {
		t.Errorf("got other copies than sources (-source +copy):\n%s", diff)
	}
}

// copies are the keys in the consumer's bucket, which the session itself has made.
func (s *session) copies(t *testing.T) []string {
	t.Helper()
	reader := s.consumer.AdminUser()
	client := s3.New(s3.Options{
		BaseEndpoint: &s.endpoint, UsePathStyle: true, Region: "us-west-2", HTTPClient: s.client,
		Credentials: credentials.NewStaticCredentialsProvider(reader.AccessKeyID, reader.SecretAccessKey, ""),
	})
	listed, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(demoCopy)})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, object := range listed.Contents {
		keys = append(keys, *object.Key)
	}
	return keys
}
