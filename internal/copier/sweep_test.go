package copier_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/copier/upload"
	"syncd/internal/iam"
)

// as returns a client that signs with a session of a role with the given path and name, and the
// role's ARN.
func (w *world) as(t *testing.T, path, name string) (client *s3.Client, arn string) {
	t.Helper()
	trust := iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}]}`, consumer))
	role := w.cloud.Account(consumer).CreateRole(name, trust, awsfake.RoleOptions{Path: path, Policies: []*iam.Document{
		iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","kms:*"],"Resource":"*"}]}`),
	}})
	return w.session(t, role.ARN, "task-7"), role.ARN
}

// session returns a client that signs as a session of the role.
func (w *world) session(t *testing.T, role, name string) *s3.Client {
	t.Helper()
	o := w.client.Options()
	out, err := sts.New(sts.Options{Region: region, BaseEndpoint: o.BaseEndpoint, Credentials: o.Credentials, HTTPClient: o.HTTPClient}).AssumeRole(
		t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: &name})
	if err != nil {
		t.Fatal(err)
	}
	c := out.Credentials
	return s3.New(o, func(o *s3.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	})
}

func (w *world) begin(t *testing.T, client *s3.Client, key string) (id string) {
	t.Helper()
	out, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String("consumer-copy"), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	return *out.UploadId
}

// left lists the keys of the uploads in progress.
func (w *world) left(t *testing.T) (keys []string) {
	t.Helper()
	out, err := w.client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String("consumer-copy")})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range out.Uploads {
		keys = append(keys, *u.Key)
	}
	return keys
}

// TestSweepTouchesOnlyOurs checks that only uploads of the Initiator's sessions are aborted, and
// that uploads of roles with similar names and of a user are kept.
func TestSweepTouchesOnlyOurs(t *testing.T) {
	w := newWorld(t)
	ours, arn := w.as(t, "/team/a/", "syncd")
	longer, _ := w.as(t, "/", "syncd-other")
	w.options.Initiator, w.options.Session, w.options.DestinationPlace.Prefix = arn, "task-7", "in/"
	for _, key := range []string{"in/a b+c%20", "in/\u00e9", "in/twice", "in/twice", "outside"} {
		w.begin(t, ours, key)
	}
	w.begin(t, longer, "in/longer")
	w.begin(t, w.client, "in/user")
	w.begin(t, w.session(t, arn, "task-70"), "in/session")
	w.options.Destination = ours
	c := copier.New(w.options)
	if n, err := c.SweepUploads(t.Context(), time.Now().Add(-time.Hour), nil); n != 0 || err != nil {
		t.Errorf("got %d, %v, want 0: no upload began more than an hour ago", n, err)
	}
	kept := []record.Upload{{ID: w.begin(t, ours, "in/kept")}}
	n, err := c.SweepUploads(t.Context(), time.Now().Add(time.Hour), kept)
	if want := []string{"in/kept", "in/longer", "in/session", "in/user", "outside"}; n != 4 || err != nil || !slices.Equal(w.left(t), want) {
		t.Errorf("got %d, %v and %q left, want 4 aborted and %q left", n, err, w.left(t), want)
	}
}

func TestSweepWithoutAnInitiator(t *testing.T) {
	for _, initiator := range []string{
		"", "arn:aws:iam::222222222222:user/someone", "arn:aws:sts::222222222222:assumed-role/syncd/x", "role/syncd", "arn:aws:iam::222222222222:role/",
	} {
		w := newWorld(t)
		w.begin(t, w.client, "k")
		w.cloud.ResetRequests()
		w.options.Initiator, w.options.Session = initiator, "task-7"
		n, err := copier.New(w.options).SweepUploads(t.Context(), time.Now().Add(time.Hour), nil)
		if n != 0 || err != nil || len(w.cloud.Requests()) != 0 {
			t.Errorf("%q: got %d, %v after %v, want nothing done", initiator, n, err, w.cloud.Requests())
		}
	}
}

// TestSweepOfThousands checks that all uploads are aborted if listing them takes several pages.
func TestSweepOfThousands(t *testing.T) {
	if testing.Short() {
		t.Skip("too slow under the race detector; make test runs it")
	}
	const uploads = 2_100
	w := newWorld(t)
	ours, arn := w.as(t, "/", "syncd")
	w.options.Initiator, w.options.Session, w.options.Destination = arn, "task-7", ours
	for i := range uploads {
		w.begin(t, ours, fmt.Sprintf("k %d", i/3))
	}
	n, err := copier.New(w.options).SweepUploads(t.Context(), time.Now().Add(time.Hour), nil)
	if n != uploads || err != nil || w.destination.Uploads() != 0 {
		t.Errorf("got %d, %v, %d left, want all %d aborted", n, err, w.destination.Uploads(), uploads)
	}
}

func TestSweepFails(t *testing.T) {
	for _, tt := range []struct {
		operation string
		kind      awsfake.FaultKind
		times     int
		want      int
		hidden    bool
	}{
		{"ListMultipartUploads", awsfake.AccessDenied, 0, 0, true},
		{"ListMultipartUploads", awsfake.InternalError, 0, 0, false},
		{"AbortMultipartUpload", awsfake.AccessDenied, 1, 2, false},
		{"AbortMultipartUpload", awsfake.ExpiredToken, 1, 0, false},
	} {
		w := newWorld(t)
		ours, arn := w.as(t, "/", "syncd")
		w.options.Initiator, w.options.Session, w.options.Destination = arn, "task-7", ours
		for i := range 3 {
			w.begin(t, ours, fmt.Sprint("k", i))
		}
		w.cloud.Inject(awsfake.Fault{Operation: tt.operation, Kind: tt.kind, Times: tt.times})
		n, err := copier.New(w.options).SweepUploads(t.Context(), time.Now().Add(time.Hour), nil)
		if n != tt.want || err == nil || errors.Is(err, upload.ErrUploadsHidden) != tt.hidden || w.destination.Uploads() != 3-tt.want {
			t.Errorf("%s, fault %v: got %d, %v, want %d and an error", tt.operation, tt.kind, n, err, tt.want)
		}
	}
}

func TestAbortUpload(t *testing.T) {
	w := newWorld(t)
	c := copier.New(w.options)
	u := record.Upload{Bucket: "consumer-copy", DestinationKey: "k", ID: w.begin(t, w.client, "k")}
	for _, time := range []string{"first", "second"} {
		if err := c.AbortUpload(t.Context(), u); err != nil || w.destination.Uploads() != 0 {
			t.Errorf("%s time: got %v, %d uploads, want it aborted", time, err, w.destination.Uploads())
		}
	}
	w.cloud.Inject(awsfake.Fault{Operation: "AbortMultipartUpload", Kind: awsfake.AccessDenied})
	if err := c.AbortUpload(t.Context(), u); copier.Reason(err) != "denied" {
		t.Errorf("got %v, want class denied", err)
	}
}
