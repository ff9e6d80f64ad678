package creds_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/creds"
	"syncd/internal/iam"
)

// agent responds like the endpoint of EKS Pod Identity: with a new session of a role for each
// request.
type agent struct {
	cloud *awsfake.Cloud
	user  *awsfake.User
	role  *awsfake.Role

	mu     sync.Mutex
	asked  int
	kept   []byte // response that the agent repeats from now on
	keeps  bool
	answer func(r *http.Request, asked int) *http.Response // if set, can return another response
}

// podIdentity makes an agent the source of the world's ambient credentials.
func (w *world) podIdentity(t *testing.T) *agent {
	t.Helper()
	role := w.account.CreateRole("pod", trust(w.user.ARN, ""), awsfake.RoleOptions{Policies: []*iam.Document{allowAll()}})
	a := &agent{cloud: w.cloud, user: w.user, role: role}
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")
	w.options.Ambient, w.options.HTTPClient = nil, &http.Client{Transport: detour{w.cloud.RoundTripper(), a}}
	w.role.SetTrust(trust(role.ARN, ""))
	return a
}

func (a *agent) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	a.asked++
	asked, answer := a.asked, a.answer
	a.mu.Unlock() // answer may sleep, and synctest's time stops while a goroutine waits for a mutex
	if r.URL.Host != "169.254.170.23" {
		return nil, fmt.Errorf("asked %s", r.URL.Host)
	}
	if answer != nil {
		res := answer(r, asked)
		if err := r.Context().Err(); err != nil || res != nil {
			return res, err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.keeps || a.kept == nil {
		body, err := a.session(r.Context())
		if err != nil {
			return nil, err
		}
		a.kept = body
	}
	return reply(r, http.StatusOK, string(a.kept)), nil
}

// answers changes how the agent responds.
func (a *agent) answers(answer func(r *http.Request, asked int) *http.Response) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = answer
}

func (a *agent) session(ctx context.Context) ([]byte, error) {
	out, err := a.assume(ctx)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]string{
		"AccessKeyId": out.AccessKeyID, "SecretAccessKey": out.SecretAccessKey, "Token": out.SessionToken, "Expiration": out.Expires.Format(time.RFC3339),
	})
}

// assume returns a session of the agent's role.
func (a *agent) assume(ctx context.Context) (aws.Credentials, error) {
	client := sts.New(sts.Options{
		Region: region, BaseEndpoint: aws.String("http://aws.invalid"), HTTPClient: &http.Client{Transport: a.cloud.RoundTripper()},
		Credentials: credentials.NewStaticCredentialsProvider(a.user.AccessKeyID, a.user.SecretAccessKey, ""),
	})
	out, err := client.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &a.role.ARN, RoleSessionName: aws.String("pod")})
	if err != nil {
		return aws.Credentials{}, err
	}
	c := out.Credentials
	return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken, Expires: *c.Expiration}, nil
}

func reply(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}
}

// silent does not respond. It returns when the client stops waiting.
func silent(r *http.Request, _ int) *http.Response {
	<-r.Context().Done()
	return nil
}

// TestExpiredAmbientCredentialsAreRenewed checks that ambient credentials are renewed once if they
// expire early, while many requests of two mappings use them and a role is assumed with them.
func TestExpiredAmbientCredentialsAreRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		agent := w.podIdentity(t)
		w.options.Shared = new(creds.Shared)
		first, second := w.client(t, w.open(t), ""), w.client(t, w.open(t), "")
		both := func() error { return errors.Join(list(t.Context(), first), list(t.Context(), second)) }
		if err := inParallel(50, both); err != nil {
			t.Fatal(err)
		}
		if agent.asked != 1 {
			t.Errorf("got %d requests for credentials of two mappings, want 1", agent.asked)
		}
		w.cloud.SetLatency(100 * time.Millisecond)
		agent.role.Revoke()
		if err := inParallel(100, both); err != nil {
			t.Errorf("got %v, want the credentials renewed and each request repeated", err)
		}
		if agent.asked != 2 {
			t.Errorf("got %d requests for credentials, want one renewal for 200 requests", agent.asked)
		}
		time.Sleep(time.Minute)
		agent.role.Revoke()
		if err := list(t.Context(), w.client(t, w.open(t), "syncd")); err != nil {
			t.Errorf("got %v for a role, want the role assumed with renewed credentials", err)
		}
		if agent.asked != 3 {
			t.Errorf("got %d requests for credentials, want one more renewal", agent.asked)
		}
	})
}

// TestAmbientCredentialsThatStayExpired checks the error if an endpoint keeps returning credentials
// that a service rejects as expired.
func TestAmbientCredentialsThatStayExpired(t *testing.T) {
	for _, role := range []string{"", "syncd"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			agent := w.podIdentity(t)
			agent.keeps = true
			client := w.client(t, w.open(t), "")
			if err := list(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			agent.role.Revoke()
			client = w.client(t, w.open(t), role)
			begun := time.Now()
			err := inParallel(20, func() error {
				err := list(t.Context(), client)
				refused := refusal(t, err)
				if text := err.Error(); !strings.Contains(text, "http://169.254.170.23: it returned the same credentials") || !strings.Contains(refused.Hint, "Pod Identity") {
					t.Errorf("role %q: got %q with the hint %q, want the endpoint named and what to do", role, text, refused.Hint)
				}
				return err
			})
			if took := time.Since(begun); err == nil || took > 10*time.Second || agent.asked > 16 {
				t.Errorf("role %q: got the error after %s and %d requests for credentials, want it soon and after few requests", role, took, agent.asked)
			}
		})
	}
}

// TestEndpointThatRecovers checks that requests succeed if the endpoint returns expired credentials
// for a few more seconds, and then new ones.
func TestEndpointThatRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		agent := w.podIdentity(t)
		agent.keeps = true
		client := w.client(t, w.open(t), "")
		if err := list(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		agent.role.Revoke()
		agent.answers(func(_ *http.Request, asked int) *http.Response {
			agent.keeps = asked < 5
			return nil
		})
		if err := list(t.Context(), client); err != nil || agent.asked != 5 {
			t.Errorf("got %v after %d requests for credentials, want the S3 request repeated after the fifth", err, agent.asked)
		}
	})
}

// TestKeysOfTheEnvironmentExpire checks that the error immediately says that the keys cannot be
// renewed.
func TestKeysOfTheEnvironmentExpire(t *testing.T) {
	for _, role := range []string{"", "syncd"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			agent := w.podIdentity(t)
			session, err := agent.assume(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Setenv("AWS_ACCESS_KEY_ID", session.AccessKeyID)
			t.Setenv("AWS_SECRET_ACCESS_KEY", session.SecretAccessKey)
			t.Setenv("AWS_SESSION_TOKEN", session.SessionToken)
			client := w.client(t, w.open(t), role)
			agent.role.Revoke()
			w.cloud.ResetRequests()
			begun := time.Now()
			err = list(t.Context(), client)
			hint := ""
			if expired, ok := errors.AsType[*awserr.ExpiredError](err); ok {
				hint = expired.Hint
			}
			if refused, ok := errors.AsType[*awserr.CredentialsError](err); ok {
				hint = refused.Hint
			}
			if !awserr.Fatal(err) || !strings.Contains(awserr.Brief(err), "from the environment") || !strings.Contains(hint, "cannot be renewed") {
				t.Errorf("role %q: got %v with the hint %q, want the source of the keys, and that they cannot be renewed", role, awserr.Brief(err), hint)
			}
			if n := w.cloud.Requests()["ListObjectsV2"] + w.assumed(); n != 1 || time.Since(begun) != 0 {
				t.Errorf("role %q: got %d requests in %s, want one", role, n, time.Since(begun))
			}
		})
	}
}

// TestKeysOfAFileAreReadAgain checks that replaced keys in a file are read again after the old keys
// expired, and after they were deleted in AWS.
func TestKeysOfAFileAreReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		agent := w.podIdentity(t)
		file := filepath.Join(t.TempDir(), "credentials")
		t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
		write := func(c aws.Credentials) {
			text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		renew := func() {
			c, err := agent.assume(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			write(c)
		}
		renew()
		client := w.client(t, w.open(t), "")
		if err := list(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		agent.role.Revoke()
		if refused := refusal(t, list(t.Context(), client)); !strings.Contains(refused.Error(), "from the keys of profile default") {
			t.Errorf("got %v, want the profile named", refused)
		}
		renew()
		if err := list(t.Context(), client); err != nil {
			t.Errorf("got %v, want the new keys read", err)
		}
		write(aws.Credentials{AccessKeyID: "AKIADELETED", SecretAccessKey: "x"})
		client = w.client(t, w.open(t), "")
		if err := list(t.Context(), client); awserr.Code(err) != "InvalidAccessKeyId" {
			t.Errorf("got %v, want the key unknown", err)
		}
		renew()
		if err := list(t.Context(), client); err != nil {
			t.Errorf("got %v, want the new keys read", err)
		}
	})
}

// TestEndpointThatSaysNothing checks an endpoint that accepts connections but does not respond,
// from the start or later.
func TestEndpointThatSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		agent := w.podIdentity(t)
		agent.answers(silent)
		begun := time.Now()
		client := w.client(t, w.open(t), "")
		refused := refusal(t, list(t.Context(), client))
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("got the error after %s, want it within ten seconds", took)
		}
		if text := refused.Error(); !strings.Contains(text, "http://169.254.170.23") || !strings.Contains(text, "within 7s: no answer") {
			t.Errorf("got %q, want the endpoint and the missing response named", text)
		}
		agent.answers(nil)
		begun = time.Now()
		if err := list(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		agent.answers(silent)
		for ; time.Since(begun) < 70*time.Minute; time.Sleep(10 * time.Second) {
			if err := list(t.Context(), client); time.Since(begun) < 59*time.Minute && err != nil {
				t.Fatalf("got %v after %s, want the credentials used while they are valid", err, time.Since(begun))
			}
		}
		if refused := refusal(t, list(t.Context(), client)); !strings.Contains(refused.Error(), "no answer") {
			t.Errorf("got %v after the credentials expired, want the missing response named", refused)
		}
		agent.answers(nil)
		if err := list(t.Context(), client); err != nil {
			t.Errorf("got %v when the endpoint was back", err)
		}
	})
}

// TestEndpointThatAnswersOtherwise checks that the error shows an unexpected response.
func TestEndpointThatAnswersOtherwise(t *testing.T) {
	for name, tt := range map[string]struct {
		status     int
		kind, body string
		want       string
		asked      int // maximum number of requests; 0 means no limit
	}{
		"a proxy's page":  {503, "text/html", "<html>\n proxy cannot reach it </html>", "it answered 503: <html> proxy cannot reach it </html>", 0},
		"no association":  {404, "application/json", `{"code":"ResourceNotFoundException","message":"no association"}`, "ResourceNotFoundException: no association", 1},
		"a page for both": {200, "text/html", "<html></html>", "http://169.254.170.23: ", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			agent := w.podIdentity(t)
			agent.answers(func(r *http.Request, _ int) *http.Response {
				res := reply(r, tt.status, tt.body)
				res.Header.Set("Content-Type", tt.kind)
				return res
			})
			begun := time.Now()
			refused := refusal(t, w.try(t, ""))
			if !strings.Contains(refused.Error(), tt.want) || time.Since(begun) > 10*time.Second || tt.asked > 0 && agent.asked > tt.asked {
				t.Errorf("%s: got %v after %d requests for credentials in %s, want %q", name, refused, agent.asked, time.Since(begun), tt.want)
			}
		})
	}
}

// TestProcessThatPrintsNoJSON checks that the error does not show the invalid output of a
// credential_process, which may contain secrets.
func TestProcessThatPrintsNoJSON(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("[profile p]\ncredential_process = echo not-json "+externalID+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", file)
	t.Setenv("AWS_PROFILE", "p")
	w.options.Ambient = nil
	refused := refusal(t, w.try(t, ""))
	if text := fmt.Sprintf("%v %+v", refused, refused.Err); strings.Contains(text, externalID) || !strings.Contains(text, "credential_process of profile p: its output is not JSON") {
		t.Errorf("got %q, want the process named and not its output", text)
	}
}

// TestProfileThatIsMissing checks the error for a profile that is in no file.
func TestProfileThatIsMissing(t *testing.T) {
	w := newWorld(t)
	t.Setenv("AWS_PROFILE", "nosuch")
	w.options.Ambient = nil
	_, err := creds.New(t.Context(), w.options)
	if refused := refusal(t, err); !strings.Contains(refused.Hint, `profile "nosuch" is not in`) || !strings.Contains(refused.Hint, "AWS_PROFILE") {
		t.Errorf("got %v with the hint %q, want the profile named", err, refused.Hint)
	}
}

// TestProcessThatKeepsCredentials checks that requests succeed if a credential_process prints the
// rejected credentials a few more times, and then new ones.
func TestProcessThatKeepsCredentials(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	user := w.user
	script := fmt.Sprintf("#!/bin/sh\necho >>%s/calls\nif [ $(wc -l <%s/calls) -gt 3 ]; then day=30; else day=29; fi\n"+
		`echo '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"%s","Expiration":"2999-11-'$day'T00:00:00Z"}'`+"\n", dir, dir, user.AccessKeyID, user.SecretAccessKey)
	for name, text := range map[string]string{"run": script, "config": "[profile p]\ncredential_process = " + dir + "/run\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil { //nolint:gosec // it is a program
			t.Fatal(err)
		}
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "config"))
	t.Setenv("AWS_PROFILE", "p")
	w.options.Ambient = nil
	client := w.client(t, w.open(t), "")
	w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Skip: 1, Times: 1, Kind: awsfake.ExpiredToken})
	for range 3 {
		if err := list(t.Context(), client); err != nil {
			t.Fatal(err)
		}
	}
	if calls, err := os.ReadFile(filepath.Join(dir, "calls")); err != nil || len(calls) != 4 {
		t.Errorf("got %d calls, %v, want 4: the first, two that print the old credentials, and one that prints new ones", len(calls), err)
	}
}

// TestDayOfFailingRenewals checks that requests succeed for a day while the endpoint of the ambient
// credentials fails or does not respond a third of the time.
func TestDayOfFailingRenewals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		agent := w.podIdentity(t)
		agent.answers(func(r *http.Request, asked int) *http.Response {
			switch asked % 6 {
			case 0:
				return silent(r, asked)
			case 3:
				return reply(r, http.StatusInternalServerError, `{"code":"InternalServerException","message":"try again"}`)
			default:
				return nil
			}
		})
		clients := []*s3.Client{w.client(t, w.open(t), ""), w.client(t, w.open(t), "syncd")}
		want := int64(0)
		for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); time.Sleep(30 * time.Second) {
			for _, client := range clients {
				want++
				if err := list(t.Context(), client); err != nil {
					t.Fatal(err)
				}
			}
		}
		if sent := w.cloud.Requests()["ListObjectsV2"]; sent != want {
			t.Errorf("got %d requests, want %d: none with expired credentials", sent, want)
		}
	})
}
