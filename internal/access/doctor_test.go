package access_test

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
	"syncd/internal/creds"
)

// diagnose examines the mappings of a world with fresh credentials.
func (x *world) diagnose(t *testing.T) access.Diagnosis {
	t.Helper()
	d, err := access.Diagnose(t.Context(), access.DoctorOptions{Config: x.config, Sessions: x.doctorSessions})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sessionsOf makes sessions of these roles, whatever is asked for.
func (x *world) sessionsOf(roles map[string]config.Role) func(context.Context, config.Mapping, map[string]config.Role) (*creds.Set, error) {
	return func(ctx context.Context, m config.Mapping, _ map[string]config.Role) (*creds.Set, error) {
		return x.doctorSessions(ctx, m, roles)
	}
}

func (x *world) doctorSessions(ctx context.Context, m config.Mapping, roles map[string]config.Role) (*creds.Set, error) {
	known := map[string]config.Role{}
	for name, role := range roles {
		if role.ExternalID.Sent() {
			role.ExternalID = secret.PlainExternalID("the-external-id")
		}
		known[name] = role
	}
	return creds.New(ctx, creds.Options{
		Roles: known, EndpointURL: x.config.STSEndpoint(""), PlainHTTP: x.config.Endpoints(), AllowHTTP: true, HTTPClient: &http.Client{Transport: x.door},
		Ambient:   credentials.NewStaticCredentialsProvider(x.user.AccessKeyID, x.user.SecretAccessKey, ""),
		LookupEnv: os.LookupEnv, ReadFile: os.ReadFile,
		SessionPolicy: func(role string) (string, error) { return access.SessionPolicyText(x.config, m, role) },
	})
}

const endpointSettings = "\naws: {endpoint_url: \"https://aws.invalid\", path_style: true, allow_http: true}\n"

// doctored is a world with objects in it.
func doctored(t *testing.T, w way, edits ...func(string) string) *world {
	t.Helper()
	x := newWorld(t, w, func(text string) string {
		for _, edit := range edits {
			text = edit(text)
		}
		return text + endpointSettings
	})
	for _, m := range x.config.Mappings {
		x.source().SetEncryption(x.ownerKey.ARN(), false)
		x.fill(m)
	}
	return x
}

// bad are the probes that failed.
func bad(d access.Diagnosis) []access.Probe {
	return slices.DeleteFunc(slices.Clone(d.Probes), func(p access.Probe) bool { return !p.Bad() })
}

// With all documents in force every permission is proved, whichever way the bucket is shared, and nothing is left behind: no object, no
// version, no delete marker, no upload.
func TestDoctorFindsNothing(t *testing.T) {
	scoped := func(text string) string {
		return strings.ReplaceAll(text, "    arn: arn:aws:iam::222222222222:role/syncd", "    session_policy: scoped\n    arn: arn:aws:iam::222222222222:role/syncd")
	}
	more := func(text string) string {
		return text + "    copy: {acl: bucket-owner-full-control, object_lock: copy, annotations: copy}\n    delete: {enabled: true}\n"
	}
	for _, w := range ways() {
		for name, edit := range map[string]func(string) string{"": strings.Clone, " scoped": scoped, " with everything": more} {
			if name == " with everything" && w.example == "share-account" {
				continue // its mapping ends in another section
			}
			t.Run(w.example+name, func(t *testing.T) {
				x := doctored(t, w, edit)
				before := x.contents()
				x.cloud.ResetRequests()
				d := x.diagnose(t)
				for _, p := range d.Probes {
					if p.Outcome != access.OutcomeOK {
						t.Errorf("%s %s on %s: got %s (%s), want ok", p.Mapping, p.Action, p.Resource, p.Outcome, p.Error)
					}
				}
				if len(d.Leftovers) > 0 {
					t.Errorf("got %q left behind, want nothing", d.Leftovers)
				}
				if diff := cmp.Diff(before, x.contents()); diff != "" {
					t.Errorf("what lies in the buckets has changed (-before +after):\n%s", diff)
				}
				x.onlyHarmless(t)
			})
		}
	}
}

// contents are all versions and the number of uploads of each bucket.
func (x *world) contents() map[string][]string {
	all := map[string][]string{}
	for name, b := range x.buckets {
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

// onlyHarmless looks at the operations that were sent: none completes an upload or copies an object, and of those that could write or
// delete the versions above tell that they did not.
func (x *world) onlyHarmless(t *testing.T) {
	t.Helper()
	harmless := []string{
		"GetCallerIdentity", "AssumeRole", "ListObjectsV2", "HeadObject", "GetObject", "GetObjectTagging", "PutObject", "DeleteObject",
		"CreateMultipartUpload", "UploadPart", "UploadPartCopy", "AbortMultipartUpload", "ListMultipartUploads", "ListParts", "PutObjectTagging",
		"GetObjectRetention", "GetObjectLegalHold", "ListObjectAnnotations", "GetObjectAnnotation", "PutObjectAnnotation",
	}
	for operation, n := range x.cloud.Requests() {
		if !slices.Contains(harmless, operation) {
			t.Errorf("got %d requests %s, want none", n, operation)
		}
	}
}

// Where nothing lies yet, what writes is tried all the same, and what nothing can be tried on is skipped.
func TestDoctorOfEmptyBuckets(t *testing.T) {
	x := newWorld(t, ways()[2], func(text string) string { return text + endpointSettings })
	d := x.diagnose(t)
	skipped := map[string]bool{"s3:GetObject arn:aws:s3:::owner-data/": true, "kms:Decrypt " + x.ownerKey.ARN()[:39]: true, "s3:GetObjectTagging arn:aws:s3:::owner-data/": true}
	for _, p := range d.Probes {
		want := access.OutcomeOK
		for of := range skipped {
			if strings.HasPrefix(p.Action+" "+p.Resource, of) {
				want = access.OutcomeSkipped
			}
		}
		if p.Outcome != want {
			t.Errorf("%s on %s: got %s (%s), want %s", p.Action, p.Resource, p.Outcome, p.Error, want)
		}
	}
}

func TestForesee(t *testing.T) {
	c := load(t, "share-role")
	d, err := access.Foresee(c, []string{"invoices"})
	if err != nil {
		t.Fatal(err)
	}
	m, _ := c.Mapping("invoices")
	if got, want := len(d.Probes), len(access.Needs(c, m)); got != want {
		t.Errorf("got %d checks, want one for each of %d needs", got, want)
	}
	for _, p := range d.Probes {
		if p.Mapping != "invoices" || p.Outcome != access.OutcomeSkipped || p.Why == "" {
			t.Errorf("got %+v, want it skipped, with what it is for", p)
		}
	}
	if _, err := access.Foresee(c, []string{"absent"}); err == nil {
		t.Error("a mapping that is not there: got no error")
	}
}
