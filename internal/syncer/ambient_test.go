package syncer_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/creds"
	"syncd/internal/iam"
)

// agent is a container credentials endpoint that fails for a third of the requests: alternately it
// responds with an error and does not respond. Its sessions last an hour.
type agent struct {
	cloud  http.RoundTripper
	client *sts.Client
	role   *awsfake.Role

	mu                    sync.Mutex
	asked, failed, silent int
}

func (a *agent) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "169.254.170.2" {
		return a.cloud.RoundTrip(r)
	}
	a.mu.Lock()
	a.asked++
	fails, silent := a.asked%3 == 0, a.asked%6 == 0
	if fails {
		a.failed++
	}
	if silent {
		a.silent++
	}
	a.mu.Unlock()
	status, answer := http.StatusOK, map[string]string{}
	switch {
	case silent:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case fails:
		status, answer["code"], answer["message"] = http.StatusInternalServerError, "InternalServerException", "try again"
	default:
		out, err := a.client.AssumeRole(r.Context(), &sts.AssumeRoleInput{RoleArn: &a.role.ARN, RoleSessionName: aws.String("task"), DurationSeconds: aws.Int32(3600)})
		if err != nil {
			return nil, err
		}
		answer["AccessKeyId"], answer["SecretAccessKey"] = *out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey
		answer["Token"], answer["Expiration"] = *out.Credentials.SessionToken, out.Credentials.Expiration.Format(time.RFC3339)
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(body))),
	}, nil
}

// ambientRole makes the world's clients use container credentials, whose sessions last an hour.
func (w *world) ambientRole(t *testing.T) *agent {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/task")
	account := w.cloud.Account(consumer)
	trust := iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + consumer + `"},"Action":"sts:AssumeRole"}]}`)
	all := iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	a := &agent{cloud: w.cloud.RoundTripper(), role: account.CreateRole("task", trust, awsfake.RoleOptions{Policies: []*iam.Document{all}})}
	a.client = sts.New(sts.Options{
		Region: region, BaseEndpoint: aws.String("http://aws.invalid"), HTTPClient: &http.Client{Transport: a.cloud},
		Credentials: aws.CredentialsProviderFunc(w.signer.good.Retrieve),
	})
	set, err := creds.New(t.Context(), creds.Options{PlainHTTP: []string{"http://aws.invalid"}, HTTPClient: &http.Client{Transport: a}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := set.Config("", region)
	if err != nil {
		t.Fatal(err)
	}
	w.client = s3.NewFromConfig(c, func(o *s3.Options) {
		o.UsePathStyle, o.BaseEndpoint = true, aws.String("http://aws.invalid")
		o.APIOptions = append(o.APIOptions, w.options.Meter.Attach)
	})
	w.live.Client, w.copies.Source, w.copies.Destination = w.client, w.client, w.client
	return a
}

// TestDayOfAmbientCredentials runs a pass every half hour for a day, each with an object in many
// parts. The ambient credentials expire every hour, sometimes early, and their endpoint fails for a
// third of the requests. The test checks that every object is copied and no upload is aborted.
func TestDayOfAmbientCredentials(t *testing.T) {
	skipIfShort(t)
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		agent := w.ambientRole(t)
		w.copies.PartSize, w.copies.MultipartAbove = 5<<20, 5<<20
		w.cloud.SetLatency(2 * time.Second)
		s := w.open(t)
		ended := 0
		for pass := range 24 * 2 {
			w.put(name(2 * pass))
			w.source.Put(name(2*pass+1), awsfake.SyntheticBody(12<<20, uint64(pass)), awsfake.PutOptions{})
			if pass%7 == 3 {
				ended++
				w.cloud.Inject(awsfake.Fault{Operation: "UploadPartCopy", Skip: 1, Times: 1, Do: agent.role.Revoke})
			}
			begun := time.Now()
			if got := mustRun(t, s); got.Copied != 2 || got.SetAside() != 0 {
				t.Fatalf("pass %d: got %d copied, %d set aside, want both objects copied", pass, got.Copied, got.SetAside())
			}
			time.Sleep(30*time.Minute - time.Since(begun))
		}
		if diff := cmp.Diff(w.source.Keys(), w.destination.Keys()); diff != "" {
			t.Errorf("keys (-source +copy):\n%s", diff)
		}
		if n := w.cloud.Requests()["AbortMultipartUpload"]; n != 0 {
			t.Errorf("got %d uploads aborted, want none", n)
		}
		if agent.failed < 8 || agent.silent < 4 || agent.asked > 3*(24+ended) {
			t.Errorf("got %d requests, %d failures and %d of them without a response; want some failures and few requests", agent.asked, agent.failed, agent.silent)
		}
	})
}
