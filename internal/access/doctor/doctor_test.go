package doctor_test

import (
	"context"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"syncd/config"
	"syncd/config/secret"
	"syncd/internal/access"
	"syncd/internal/access/accesstest"
	"syncd/internal/access/doctor"
	"syncd/internal/creds"
)

// doctorWorld is a world whose mappings are diagnosed.
type doctorWorld struct{ *accesstest.World }

// diagnose diagnoses the mappings of a world with new credentials.
func (x *doctorWorld) diagnose(t *testing.T) doctor.Diagnosis {
	t.Helper()
	d, err := doctor.Diagnose(t.Context(), doctor.Options{Config: x.Config, Sessions: x.doctorSessions})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sessionsOf returns a function for [doctor.Options.Sessions] that starts sessions of the given
// roles, whatever roles the doctor passes to it.
func (x *doctorWorld) sessionsOf(roles map[string]config.Role) func(context.Context, config.Mapping, map[string]config.Role) (*creds.Set, error) {
	return func(ctx context.Context, m config.Mapping, _ map[string]config.Role) (*creds.Set, error) {
		return x.doctorSessions(ctx, m, roles)
	}
}

func (x *doctorWorld) doctorSessions(ctx context.Context, m config.Mapping, roles map[string]config.Role) (*creds.Set, error) {
	known := map[string]config.Role{}
	for name, role := range roles {
		if role.ExternalID.Sent() {
			role.ExternalID = secret.PlainExternalID("the-external-id")
		}
		known[name] = role
	}
	return creds.New(ctx, creds.Options{
		Roles: known, EndpointURL: x.Config.STSEndpoint(""), PlainHTTP: x.Config.Endpoints(), AllowHTTP: true, HTTPClient: &http.Client{Transport: x.Transport},
		Ambient:   credentials.NewStaticCredentialsProvider(x.User.AccessKeyID, x.User.SecretAccessKey, ""),
		LookupEnv: os.LookupEnv, ReadFile: os.ReadFile,
		SessionPolicy: func(role string) (string, error) { return access.SessionPolicyText(x.Config, m, role) },
	})
}

const endpointSettings = "\naws: {endpoint_url: \"https://aws.invalid\", path_style: true, allow_http: true}\n"

// doctored returns a world that contains objects.
func doctored(t *testing.T, w accesstest.Way, edits ...func(string) string) *doctorWorld {
	t.Helper()
	x := &doctorWorld{accesstest.NewWorld(t, w, func(text string) string {
		for _, edit := range edits {
			text = edit(text)
		}
		return text + endpointSettings
	})}
	for _, m := range x.Config.Mappings {
		x.Source().SetEncryption(x.OwnerKey.ARN(), false)
		x.Fill(m)
	}
	return x
}

// bad returns the failed probes.
func bad(d doctor.Diagnosis) []doctor.Probe {
	return slices.DeleteFunc(slices.Clone(d.Probes), func(p doctor.Probe) bool { return !p.Bad() })
}

// TestDoctorHealthy checks that the doctor proves every permission if all documents are in force,
// for each way of sharing the bucket. It also checks that the doctor leaves no object, version,
// delete marker or upload behind.
func TestDoctorHealthy(t *testing.T) {
	scoped := func(text string) string {
		return strings.ReplaceAll(text, "    arn: arn:aws:iam::222222222222:role/syncd", "    session_policy: scoped\n    arn: arn:aws:iam::222222222222:role/syncd")
	}
	more := func(text string) string {
		return text + "    copy: {acl: bucket-owner-full-control, object_lock: copy, annotations: copy}\n    delete: {enabled: true}\n    verify: {sample: 1}\n"
	}
	for _, w := range accesstest.Ways() {
		for name, edit := range map[string]func(string) string{"": strings.Clone, " scoped": scoped, " with everything": more} {
			if name == " with everything" && w.Example == "share-account" {
				continue // the text of this example does not end with the mapping, so nothing can be appended to the mapping
			}
			t.Run(w.Example+name, func(t *testing.T) {
				x := doctored(t, w, edit)
				before := x.contents()
				x.Cloud.ResetRequests()
				d := x.diagnose(t)
				for _, p := range d.Probes {
					if p.Outcome != doctor.OutcomeOK {
						t.Errorf("%s %s on %s: got %s (%s), want ok", p.Mapping, p.Action, p.Resource, p.Outcome, p.Error)
					}
				}
				if len(d.Leftovers) > 0 {
					t.Errorf("got %q left behind, want nothing", d.Leftovers)
				}
				if diff := cmp.Diff(before, x.contents()); diff != "" {
					t.Errorf("contents of the buckets changed (-before +after):\n%s", diff)
				}
				x.onlyHarmless(t)
			})
		}
	}
}

// contents returns all versions and the number of uploads of each bucket.
func (x *doctorWorld) contents() map[string][]string {
	all := map[string][]string{}
	for name, b := range x.Buckets {
		for range b.Uploads() {
			all[name] = append(all[name], "an upload")
		}
		for _, key := range b.Keys() {
			for _, v := range b.Versions(key) {
				all[name] = append(all[name], key+" "+v.VersionID)
			}
		}
	}
	return all
}

// onlyHarmless checks the operations that were sent. It fails if a request completed an upload or
// copied an object. It accepts other write and delete operations, such as PutObject, because the
// caller compares the versions of all objects to check that these operations changed nothing.
func (x *doctorWorld) onlyHarmless(t *testing.T) {
	t.Helper()
	harmless := []string{
		"GetCallerIdentity", "AssumeRole", "ListObjectsV2", "HeadObject", "GetObject", "GetObjectTagging", "PutObject", "DeleteObject",
		"CreateMultipartUpload", "UploadPart", "UploadPartCopy", "AbortMultipartUpload", "ListMultipartUploads", "ListParts", "PutObjectTagging",
		"GetObjectRetention", "GetObjectLegalHold", "ListObjectAnnotations", "GetObjectAnnotation", "PutObjectAnnotation",
	}
	for operation, n := range x.Cloud.Requests() {
		if !slices.Contains(harmless, operation) {
			t.Errorf("got %d requests %s, want none", n, operation)
		}
	}
}

// TestDoctorEmptyBuckets checks that in empty buckets the write probes run as usual, and probes
// that need an object are skipped.
func TestDoctorEmptyBuckets(t *testing.T) {
	x := &doctorWorld{accesstest.NewWorld(t, accesstest.Ways()[2], func(text string) string { return text + endpointSettings })}
	d := x.diagnose(t)
	skipped := map[string]bool{"s3:GetObject arn:aws:s3:::owner-data/": true, "kms:Decrypt " + x.OwnerKey.ARN()[:39]: true, "s3:GetObjectTagging arn:aws:s3:::owner-data/": true}
	for _, p := range d.Probes {
		want := doctor.OutcomeOK
		for of := range skipped {
			if strings.HasPrefix(p.Action+" "+p.Resource, of) {
				want = doctor.OutcomeSkipped
			}
		}
		if p.Outcome != want {
			t.Errorf("%s on %s: got %s (%s), want %s", p.Action, p.Resource, p.Outcome, p.Error, want)
		}
	}
}

func TestForesee(t *testing.T) {
	c := accesstest.Load(t, "share-role")
	d, err := doctor.Foresee(c, []string{"invoices"})
	if err != nil {
		t.Fatal(err)
	}
	m, _ := c.Mapping("invoices")
	if got, want := len(d.Probes), len(access.Needs(c, m)); got != want {
		t.Errorf("got %d checks, want one for each of %d needs", got, want)
	}
	for _, p := range d.Probes {
		if p.Mapping != "invoices" || p.Outcome != doctor.OutcomeSkipped || p.Why == "" {
			t.Errorf("got %+v, want it skipped, with the request that needs it", p)
		}
	}
	if _, err := doctor.Foresee(c, []string{"absent"}); err == nil {
		t.Error("unknown mapping: got no error")
	}
}
