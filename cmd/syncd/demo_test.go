package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"syncd/internal/demo"
)

// TestDemoRemovesOnlyItsOwnLedger checks that a demo removes the ledger of an earlier demo from its
// folder, and that it removes nothing from a folder with other files.
func TestDemoRemovesOnlyItsOwnLedger(t *testing.T) {
	for _, tt := range []struct {
		name, former string
		kept         bool
	}{
		{"an earlier demo", demo.Config, false},
		{"somebody's configuration", "state: file:state\n", true},
		{"no configuration", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			ledger := filepath.Join(dir, "state", "ledger")
			if err := os.Mkdir(filepath.Dir(ledger), 0o700); err != nil {
				t.Fatal(err)
			}
			for path, text := range map[string]string{ledger: "x", filepath.Join(dir, "syncd.yaml"): tt.former} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := demo.NewWorld(time.Now).Write(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(ledger); (err == nil) != tt.kept {
				t.Errorf("got %v, want the ledger kept: %v", err, tt.kept)
			}
		})
	}
}

// TestEmptyDemoLeavesNoFormerDemo checks that an empty demo removes the configuration and the
// ledger of an earlier demo, whose buckets no longer exist.
func TestEmptyDemoLeavesNoFormerDemo(t *testing.T) {
	dir := t.TempDir()
	if err := demo.NewWorld(time.Now).Write(dir); err != nil {
		t.Fatal(err)
	}
	if err := demo.NewEmptyWorld(time.Now).WriteEmpty(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "syncd.yaml")); !os.IsNotExist(err) {
		t.Errorf("got %v, want no syncd.yaml", err)
	}
}

// TestDemoEnvironment checks the file environment in a shell, in a folder whose name must be
// quoted: an AWS CLI that does not read the endpoint from the environment gets it as a flag, and
// the credentials and endpoints of the user's own accounts are removed.
func TestDemoEnvironment(t *testing.T) {
	dir, bin := filepath.Join(t.TempDir(), "it's a demo"), t.TempDir()
	w := demo.NewEmptyWorld(time.Now)
	listener, err := w.Bind(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if listener, err = w.Secure(listener); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if err := w.WriteEmpty(dir); err != nil {
		t.Fatal(err)
	}
	for version, flag := range map[string]string{
		"1.19.1": "--endpoint-url", "1.28.85": "--endpoint-url", "2.0.30": "--endpoint-url", "2.9.19": "--endpoint-url", "2.12.7": "--endpoint-url",
		"1.29.0": "s3", "1.45.11": "s3", "2.13.0": "s3", "2.23.6": "s3", "2.38.1": "s3",
	} {
		program := "#!/bin/sh\nif test $1 = --version; then echo aws-cli/" + version + " Python/3; else echo aws $1 $AWS_ENDPOINT_URL $AWS_ACCESS_KEY_ID $AWS_ENDPOINT_URL_S3; fi\n"
		if err := os.WriteFile(filepath.Join(bin, "aws"), []byte(program), 0o700); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
		got := inDemoShell(t, dir, bin, `cat "$AWS_SHARED_CREDENTIALS_FILE" "$AWS_CA_BUNDLE" >/dev/null; aws s3 ls`)
		if want := "aws " + flag + " " + w.Endpoint + "\n"; got != want {
			t.Errorf("AWS CLI %s: got %q, want %q", version, got, want)
		}
	}
	checkDemoRegion(t, dir)
	if got := inDemoShell(t, dir, bin, "env | grep -c REAL || :"); got != "0\n" {
		t.Errorf("got %s variables of real accounts, want none", got)
	}
	if got := inDemoShell(t, dir, t.TempDir(), `echo "$NO_PROXY $no_proxy"`); got != "127.0.0.1,localhost 127.0.0.1,localhost\n" {
		t.Errorf("without an AWS CLI: got %q", got)
	}
	w.Authority, w.Endpoint = nil, "http://127.0.0.1:9000"
	if err := w.WriteAccess(dir, demo.Region); err != nil {
		t.Fatal(err)
	}
	if got := inDemoShell(t, dir, bin, `echo "$AWS_ENDPOINT_URL ${AWS_CA_BUNDLE-none}"`); got != "http://127.0.0.1:9000 none\n" {
		t.Errorf("without TLS: got %q", got)
	}
}

// checkDemoRegion checks that every client uses the region of getting-started: version 1 of the AWS
// CLI reads only AWS_DEFAULT_REGION, and clients without that variable and AWS_REGION read the
// profile.
func checkDemoRegion(t *testing.T, dir string) {
	t.Helper()
	page, err := os.ReadFile(gettingStarted)
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`AWS_REGION=([a-z0-9-]+)`).FindSubmatch(page)
	if named == nil {
		t.Fatal("got no region in the page, want one")
	}
	region := string(named[1])
	want := region + " " + region + "\nregion = " + region + "\nregion = " + region + "\n"
	if got := inDemoShell(t, dir, t.TempDir(), `echo "$AWS_REGION $AWS_DEFAULT_REGION"; grep region "$AWS_SHARED_CREDENTIALS_FILE"`); got != want {
		t.Errorf("got regions %q, want %q", got, want)
	}
}

// inDemoShell returns the output of a command in a shell that loads the environment of the demo
// after the environment of real accounts.
func inDemoShell(t *testing.T, dir, bin, command string) string {
	t.Helper()
	shell := exec.CommandContext(t.Context(), "/bin/sh", "-euc", `. "$1/environment"; `+command, "sh", dir)
	shell.Env = []string{
		"PATH=" + bin + ":/usr/bin:/bin", "AWS_ACCESS_KEY_ID=AKIAREAL", "AWS_CA_BUNDLE=/REAL", "AWS_REGION=eu-REAL-1", "AWS_DEFAULT_REGION=eu-REAL-2",
		"AWS_DEFAULT_PROFILE=REAL", "AWS_USE_FIPS_ENDPOINT=REAL",
	}
	for _, service := range []string{"S3", "S3_CONTROL", "STS", "KMS", "IAM", "CLOUDFORMATION", "SQS"} {
		shell.Env = append(shell.Env, "AWS_ENDPOINT_URL_"+service+"=https://REAL.example")
	}
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v", command, err)
	}
	return string(out)
}

// TestDemoCertificate checks that clients trust the endpoint of empty accounts if and only if they
// trust ca.pem.
func TestDemoCertificate(t *testing.T) {
	w := demo.NewEmptyWorld(time.Now)
	listener, err := w.Bind(t.Context(), "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	if listener, err = w.Secure(listener); err != nil {
		t.Fatal(err)
	}
	closeServer := w.Serve(t.Context(), listener)
	defer func() {
		if err := closeServer(); err != nil {
			t.Error(err)
		}
	}()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(w.Authority) {
		t.Fatal("got no certificate")
	}
	for _, tt := range []struct {
		name  string
		roots *x509.CertPool
		want  bool
	}{{"with the authority", pool, true}, {"with that of the system", nil, false}} {
		dialer := &tls.Dialer{Config: &tls.Config{RootCAs: tt.roots, MinVersion: tls.VersionTLS12}}
		connection, err := dialer.DialContext(t.Context(), "tcp", listener.Addr().String())
		if (err == nil) != tt.want {
			t.Errorf("%s: got %v, want trust %v", tt.name, err, tt.want)
		}
		if err == nil {
			_ = connection.Close()
		}
	}
}
