package creds_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncd/config"
	"syncd/config/secret"
	"syncd/config/value"
	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/iam"
)

// hop adds a role of another account, which the user is allowed to assume, in front of the world's
// role.
func (w *world) hop(t *testing.T) *awsfake.Role {
	t.Helper()
	hop := w.cloud.Account(governance).CreateRole("access", trust(w.user.ARN, ""), awsfake.RoleOptions{Policies: []*iam.Document{allowAll()}})
	w.roles["access"] = config.Role{ARN: hop.ARN, SessionName: "syncd", Duration: value.Duration(time.Hour)}
	w.set("syncd", func(r *config.Role) { r.Via = "access" })
	w.role.SetTrust(trust(hop.ARN, ""))
	return hop
}

// TestAssumeSendsWhatTheTrustAsksFor checks that AssumeRole sends everything that a trust policy
// can require, all at once.
func TestAssumeSendsWhatTheTrustAsksFor(t *testing.T) {
	w := newWorld(t)
	w.role.SetTrust(iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":%[1]q},"Action":"sts:AssumeRole","Condition":{"StringEquals":{
			"sts:ExternalId":%[2]q,"sts:RoleSessionName":"nightly","sts:SourceIdentity":"syncd-prod","aws:RequestTag/project":"CDO5951"}}},
		{"Effect":"Allow","Principal":{"AWS":%[1]q},"Action":["sts:TagSession","sts:SetSourceIdentity"]}]}`, w.user.ARN, externalID)))
	w.set("syncd", func(r *config.Role) {
		r.ExternalID, r.SessionName, r.SourceIdentity = secret.PlainExternalID(externalID), "nightly", "syncd-prod"
		r.Tags, r.Duration = map[string]string{"project": "CDO5951", "cost": "a b+c"}, value.Duration(15*time.Minute)
	})
	if err := w.try(t, "syncd"); err != nil {
		t.Error(err)
	}
}

// TestSessionPolicyNarrows checks that session policies that allow nothing or one bucket restrict a
// role that is allowed to list every bucket.
func TestSessionPolicyNarrows(t *testing.T) {
	const nothing = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::other"}]}`
	const data = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::data"}]}`
	unwritten := errors.New("it is too long")
	for _, tt := range []struct {
		name    string
		setting config.SessionPolicy
		policy  func(role string) (string, error)
		want    awserr.Class
		text    string
	}{
		{"none", config.SessionPolicyNone, func(string) (string, error) { return nothing, nil }, "", ""},
		{"the bucket", config.SessionPolicyScoped, func(string) (string, error) { return data, nil }, "", ""},
		{"another bucket", config.SessionPolicyScoped, func(string) (string, error) { return nothing, nil }, awserr.Denied, "no session policy allows"},
		{"one that cannot be written", config.SessionPolicyScoped, func(string) (string, error) { return "", unwritten }, awserr.Credentials, "it is too long"},
		{"scoped, but without a policy", config.SessionPolicyScoped, nil, awserr.Credentials, "no policy was provided"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.set("syncd", func(r *config.Role) { r.SessionPolicy = tt.setting })
			w.options.SessionPolicy = tt.policy
			err := w.try(t, "syncd")
			if got := awserr.Classify(err); got != tt.want {
				t.Errorf("got class %q of %v, want %q", got, err, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want an error with %q", err, tt.text)
			}
		})
	}
}

// TestSessionPolicyIsAskedForByName checks that SessionPolicy is called once each time a role is
// assumed, with the role's name in the configuration.
func TestSessionPolicyIsAskedForByName(t *testing.T) {
	w := newWorld(t)
	w.set("syncd", func(r *config.Role) { r.SessionPolicy = config.SessionPolicyScoped })
	var asked []string
	w.options.SessionPolicy = func(role string) (string, error) {
		asked = append(asked, role)
		return allowAll().String(), nil
	}
	if err := w.try(t, "syncd"); err != nil {
		t.Fatal(err)
	}
	if len(asked) != 1 || asked[0] != "syncd" {
		t.Errorf("got calls with %q, want one call with syncd", asked)
	}
}

// TestTransitiveTagsPassThroughHops checks that the last session of a chain can list a bucket that
// allows only sessions with a tag set by the first hop.
func TestTransitiveTagsPassThroughHops(t *testing.T) {
	w := newWorld(t)
	w.hop(t)
	w.bucket.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*",
		"Resource":["arn:aws:s3:::data","arn:aws:s3:::data/*"],"Condition":{"StringNotEquals":{"aws:PrincipalTag/project":"CDO5951"}}}]}`))
	tag := func(transitive ...string) {
		w.set("access", func(r *config.Role) {
			r.Tags, r.TransitiveTags, r.SourceIdentity = map[string]string{"project": "CDO5951"}, transitive, "syncd-prod"
		})
	}
	tag("project")
	if err := w.try(t, "syncd"); err != nil {
		t.Errorf("transitive: got %v, want the tag to reach the bucket", err)
	}
	tag()
	if err := w.try(t, "syncd"); awserr.Classify(err) != awserr.Denied {
		t.Errorf("not transitive: got %v, want class %q", err, awserr.Denied)
	}
}

// TestExternalIDIsReadAgain checks that an external id that is rotated while a session is in use is
// read again.
func TestExternalIDIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		file := filepath.Join(t.TempDir(), "external-id")
		write := func(value string) {
			if err := os.WriteFile(file, []byte(value), 0o600); err != nil {
				t.Fatal(err)
			}
			w.role.SetTrust(trust(w.user.ARN, strings.TrimSpace(value)))
		}
		w.set("syncd", func(r *config.Role) { r.ExternalID = secret.FileExternalID(file) })
		write("first-one\n")
		client := w.client(t, w.open(t), "syncd")
		if err := list(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		write("second-one\n")
		time.Sleep(time.Hour)
		if err := list(t.Context(), client); err != nil {
			t.Errorf("got %v after the rotation, want the new external id sent", err)
		}
		// During a rotation the file may be missing for a moment; the session remains valid.
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		time.Sleep(58 * time.Minute)
		if err := list(t.Context(), client); err != nil {
			t.Errorf("got %v without the file, while the session is valid", err)
		}
		time.Sleep(time.Hour)
		if refused := refusal(t, list(t.Context(), client)); !strings.Contains(refused.Hint, "external_id") || !errors.Is(refused, os.ErrNotExist) {
			t.Errorf("got %v with the hint %q, want an error that the file is missing", refused, refused.Hint)
		}
		if n := w.assumed(); n != 2 {
			t.Errorf("got %d calls of AssumeRole, want 2: none without the external id", n)
		}
	})
}

func TestExternalIDFromTheEnvironment(t *testing.T) {
	w := newWorld(t)
	w.role.SetTrust(trust(w.user.ARN, externalID))
	w.set("syncd", func(r *config.Role) { r.ExternalID = secret.EnvExternalID("EXTERNAL_ID") })
	w.options.LookupEnv = func(name string) (string, bool) { return externalID, name == "EXTERNAL_ID" }
	if err := w.try(t, "syncd"); err != nil {
		t.Error(err)
	}
	w.options.LookupEnv = func(string) (string, bool) { return "", false }
	if refused := refusal(t, w.try(t, "syncd")); !strings.Contains(refused.Error(), "external_id.env") || strings.Contains(refused.Error(), "EXTERNAL_ID") {
		t.Errorf("got %v, want the name of the setting, not of the variable, which may be the secret by mistake", refused)
	}
}

// TestRefusalsSayWhatToDo checks the hint for each way in which assuming a role is refused.
func TestRefusalsSayWhatToDo(t *testing.T) {
	only := func(principal string, actions ...string) *iam.Document {
		return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":["%s"]}]}`,
			principal, strings.Join(actions, `","`)))
	}
	for _, tt := range []struct {
		name    string
		arrange func(t *testing.T, w *world)
		action  string
		hint    []string // parts of the hint
	}{
		{
			"trust", func(_ *testing.T, w *world) {
				w.role.SetTrust(only("arn:aws:iam::222222222222:user/other", "sts:AssumeRole"))
			},
			"sts:AssumeRole",
			[]string{"trust policy trusts {user}", "own policy allows sts:AssumeRole", "role exists"},
		},
		{
			"external id", func(_ *testing.T, w *world) {
				w.role.SetTrust(trust(w.user.ARN, "another-one"))
				w.set("syncd", func(r *config.Role) { r.ExternalID = secret.PlainExternalID(externalID) })
			},
			"sts:AssumeRole",
			[]string{"external_id matches the trust policy", "{user}"},
		},
		{
			"tag session", func(_ *testing.T, w *world) {
				w.role.SetTrust(only(w.user.ARN, "sts:AssumeRole", "sts:SetSourceIdentity"))
				w.set("syncd", func(r *config.Role) { r.Tags = map[string]string{"a": "b"} })
			},
			"sts:TagSession",
			[]string{"allow sts:TagSession to {user}", "without a condition on sts:ExternalId"},
		},
		{
			"source identity", func(_ *testing.T, w *world) {
				w.role.SetTrust(only(w.user.ARN, "sts:AssumeRole", "sts:TagSession"))
				w.set("syncd", func(r *config.Role) { r.SourceIdentity = "syncd-prod" })
			},
			"sts:SetSourceIdentity",
			[]string{"allow sts:SetSourceIdentity to {user}"},
		},
		{
			"duration", func(_ *testing.T, w *world) {
				w.set("syncd", func(r *config.Role) { r.Duration = value.Duration(2 * time.Hour) })
			},
			"sts:AssumeRole",
			[]string{"lower the role's duration", "MaxSessionDuration"},
		},
		{
			"chaining", func(t *testing.T, w *world) {
				t.Helper()
				w.hop(t)
				w.set("syncd", func(r *config.Role) { r.Duration = value.Duration(2 * time.Hour) })
			},
			"sts:AssumeRole",
			[]string{"set duration to at most 1h"},
		},
		{
			"dead ambient credentials", func(_ *testing.T, w *world) {
				w.cloud.Inject(awsfake.Fault{Operation: "AssumeRole", Kind: awsfake.ExpiredToken})
			},
			"sts:AssumeRole",
			[]string{"give the process credentials"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.arrange(t, w)
			refused := refusal(t, w.try(t, "syncd"))
			if refused.Role != w.role.ARN || refused.Action != tt.action {
				t.Errorf("got role %q, action %q, want %q, %q", refused.Role, refused.Action, w.role.ARN, tt.action)
			}
			text := refused.Error()
			if !strings.Contains(text, w.role.ARN) || !strings.Contains(text, tt.action) || strings.Contains(text, externalID) {
				t.Errorf("got %q, want the role and %s in it, and not the external id", text, tt.action)
			}
			for _, part := range tt.hint {
				if part = strings.ReplaceAll(part, "{user}", w.user.ARN); !strings.Contains(refused.Hint, part) {
					t.Errorf("got the hint %q, want %q in it", refused.Hint, part)
				}
			}
			if n := w.assumed(); n > 2 {
				t.Errorf("got %d calls of AssumeRole: a refusal does not change", n)
			}
		})
	}
}

// TestRefusedHopIsNamed checks that the error names the role that is refused, the first of two.
func TestRefusedHopIsNamed(t *testing.T) {
	w := newWorld(t)
	hop := w.hop(t)
	hop.SetTrust(trust("arn:aws:iam::222222222222:user/other", ""))
	err := w.try(t, "syncd")
	refused := refusal(t, err)
	for _, part := range []string{w.role.ARN, "assume role " + hop.ARN + ": sts:AssumeRole refused"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("got %q, want %q in it", err, part)
		}
	}
	if refused.Role != hop.ARN || refused.Action != "sts:AssumeRole" || !strings.Contains(refused.Hint, "trust policy") {
		t.Errorf("got role %q, action %q and the hint %q, want the role, action and hint of the first hop", refused.Role, refused.Action, refused.Hint)
	}
}

// TestSecretIsInNoError checks that no error contains the external id, even if STS quotes it in
// several encodings.
func TestSecretIsInNoError(t *testing.T) {
	const odd = "a/b:c+d=e@f,g.h-0123"
	w := newWorld(t)
	w.set("syncd", func(r *config.Role) { r.ExternalID = secret.PlainExternalID(odd) })
	for name, quote := range map[string]func(string) string{
		"as it is":       func(s string) string { return s },
		"form-encoded":   url.QueryEscape,
		"quoted":         func(s string) string { return fmt.Sprintf("%q", s) },
		"path-encoded":   url.PathEscape,
		"twice":          func(s string) string { return s + " and " + s },
		"between others": func(s string) string { return "x" + s + "x" },
	} {
		t.Run(name, func(t *testing.T) {
			w.options.HTTPClient = &http.Client{Transport: answering{w.cloud.RoundTripper(), http.StatusBadRequest, func(string) string {
				return `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>1 validation error detected: Value '` +
					quote(odd) + `' at 'externalId' failed to satisfy constraint</Message></Error><RequestId>r</RequestId></ErrorResponse>`
			}}}
			err := w.try(t, "syncd")
			refused := refusal(t, err)
			for ; err != nil; err = errors.Unwrap(err) {
				for _, form := range []string{odd, url.QueryEscape(odd), url.PathEscape(odd)} {
					if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, form) {
						t.Fatalf("the external id is in %q", text)
					}
				}
			}
			if text := refused.Error(); !strings.Contains(text, "externalId") || !strings.Contains(text, "[redacted]") {
				t.Errorf("got %q, want the other parts of the STS message", text)
			}
		})
	}
}

func TestAnswerWithoutASession(t *testing.T) {
	for _, body := range []string{
		`<AssumeRoleResponse><AssumeRoleResult></AssumeRoleResult></AssumeRoleResponse>`,
		`<AssumeRoleResponse><AssumeRoleResult><Credentials></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
		`<html></html>`,
		``,
	} {
		synctest.Test(t, func(t *testing.T) { // the request is retried
			w := newWorld(t)
			w.options.HTTPClient = &http.Client{Transport: answering{w.cloud.RoundTripper(), http.StatusOK, func(string) string { return body }}}
			if refused := refusal(t, w.try(t, "syncd")); refused.Role != w.role.ARN {
				t.Errorf("%q: got %v, want the role in the error", body, refused)
			}
		})
	}
}

func TestNoAmbientCredentials(t *testing.T) {
	for _, role := range []string{"", "syncd"} {
		w := newWorld(t)
		w.options.Ambient = nil
		refused := refusal(t, w.try(t, role))
		if !strings.Contains(refused.Error(), "ambient credentials") || !strings.Contains(refused.Hint, "task role") {
			t.Errorf("role %q: got %v with the hint %q, want an error that there are no credentials, and a hint what to provide", role, refused, refused.Hint)
		}
		if n := len(w.cloud.Requests()); n != 0 {
			t.Errorf("role %q: got %d kinds of requests, want none", role, n)
		}
	}
}

func TestAmbientCredentialsSign(t *testing.T) {
	w := newWorld(t)
	if err := w.try(t, ""); err != nil {
		t.Error(err)
	}
	if n := w.assumed(); n != 0 {
		t.Errorf("got %d calls of AssumeRole, want none", n)
	}
}

func TestConfigOfAnUnknownRole(t *testing.T) {
	w := newWorld(t)
	w.set("syncd", func(r *config.Role) { r.Via = "nobody" })
	for _, name := range []string{"nobody", "syncd"} {
		if _, err := w.open(t).Config(name, region); err == nil || !strings.Contains(err.Error(), "nobody") {
			t.Errorf("%s: got %v, want the missing role in the error", name, err)
		}
	}
}
