package doctor_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/accesstest"
	"syncd/internal/access/doctor"
	"syncd/internal/awsfake"
	"syncd/internal/iam"
)

// skewed responds to S3 requests as AWS does if the clock is wrong.
type skewed struct{ http.RoundTripper }

func (s skewed) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.Contains(r.Header.Get("Authorization"), "/s3/") {
		return s.RoundTripper.RoundTrip(r)
	}
	const body = `<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message></Error>`
	return &http.Response{
		StatusCode: http.StatusForbidden, Header: http.Header{"Content-Type": {"application/xml"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

// TestDoctorSkewedClock checks that the doctor asks the user to set the machine's clock if the
// error persists after the SDK corrected its time and retried.
func TestDoctorSkewedClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := doctored(t, accesstest.Ways()[1])
		x.Transport = skewed{x.Transport}
		all := bad(x.diagnose(t))
		if len(all) == 0 || len(all[0].Causes) == 0 || all[0].Causes[0].Kind != doctor.CauseClock {
			t.Errorf("got %+v, want the clock as the cause", all)
		}
	})
}

// TestDoctorReportsUnlistedActions checks that the doctor reports an action that AWS names even if
// the mapping does not need it according to the table. The ambient session can pass on tags that
// the configuration does not contain.
func TestDoctorReportsUnlistedActions(t *testing.T) {
	x := doctored(t, accesstest.Ways()[2])
	x.deleting(t, access.KindTrust, accesstest.Consumer, "sts:TagSession")
	// The configuration that the doctor reads has no tags, but the sessions do.
	tagged := x.Config.Roles
	untagged := *x.Config
	untagged.Roles = map[string]config.Role{}
	for name, role := range tagged {
		role.Tags = nil
		untagged.Roles[name] = role
	}
	d, err := doctor.Diagnose(t.Context(), doctor.Options{Config: &untagged, Mappings: []string{"exports"}, Sessions: x.sessionsOf(tagged)})
	if err != nil {
		t.Fatal(err)
	}
	all := bad(d)
	if len(all) != 1 || all[0].Action != "sts:TagSession" || len(all[0].Causes) == 0 || all[0].Causes[0].Kind != doctor.CauseKind(access.KindTrust) {
		t.Errorf("got %s, want sts:TagSession and the trust policy", summary(d))
	}
	if c := all[0].Causes[0]; !strings.Contains(string(c.Statement), `"sts:TagSession"`) || strings.Contains(string(c.Statement), "ExternalId") {
		t.Errorf("got the statement %s, want one for sts:TagSession without a condition", c.Statement)
	}
}

// TestDoctorReportsLeftovers checks that the doctor reports an upload that it could not abort, with
// the permission that it lacks.
func TestDoctorReportsLeftovers(t *testing.T) {
	x := doctored(t, accesstest.Ways()[1])
	x.Buckets["consumer-copy"].SetPolicy(iam.MustParse(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:AbortMultipartUpload","Resource":"*"}]}`))
	d := x.diagnose(t)
	if len(d.Leftovers) != 1 || !strings.HasPrefix(d.Leftovers[0], "upload ") || !strings.Contains(d.Leftovers[0], "s3://consumer-copy/exports/.syncd-doctor-") {
		t.Errorf("got %q left behind, want the upload", d.Leftovers)
	}
	if all := bad(d); len(all) != 1 || all[0].Action != "s3:AbortMultipartUpload" || all[0].Causes[0].Confidence != doctor.Certain {
		t.Errorf("got %s, want only s3:AbortMultipartUpload", summary(d))
	}
}

// TestDoctorServerSideCopyByAnotherRole checks that a permission on the source that the writer
// lacks is reported for the writer. In a server-side copy, the writer also reads the source.
func TestDoctorServerSideCopyByAnotherRole(t *testing.T) {
	x := doctored(t, accesstest.Ways()[3], func(text string) string { return text + "    copy: {mode: server_side}\n" })
	if d := x.diagnose(t); !d.Healthy() {
		t.Fatalf("got %s, want no failed probe", summary(d))
	}
	x.deleting(t, access.KindKey, accesstest.Owner, "kms:Decrypt")
	writers := 0
	for _, p := range bad(x.diagnose(t)) {
		if p.Action != "kms:Decrypt" || !strings.Contains(p.Resource, accesstest.Owner) {
			t.Errorf("got %s on %s, want only kms:Decrypt on the owner's key", p.Action, p.Resource)
		}
		if strings.HasSuffix(p.Principal, "role/syncd-writer") {
			writers++
		}
	}
	if writers == 0 {
		t.Error("got no failed probe of the writer, want one for kms:Decrypt")
	}
}

// TestDoctorUnavailableService checks that the doctor does not report a service that is unreachable
// or throttles as a denial.
func TestDoctorUnavailableService(t *testing.T) {
	for kind, want := range map[awsfake.FaultKind]doctor.Outcome{awsfake.Throttle: doctor.OutcomeUnknown, awsfake.InternalError: doctor.OutcomeFailed} {
		synctest.Test(t, func(t *testing.T) {
			x := doctored(t, accesstest.Ways()[1])
			x.Cloud.Inject(awsfake.Fault{Operation: "ListMultipartUploads", Kind: kind})
			for _, p := range x.diagnose(t).Probes {
				if p.Action == "s3:ListBucketMultipartUploads" && (p.Outcome != want || len(p.Causes) != 1 || p.Causes[0].Kind != doctor.CauseService) {
					t.Errorf("got %+v, want %s and the service", p, want)
				}
			}
		})
	}
}

// unconditional is a service that ignores conditions and accepts every conditional write. It counts
// deletes.
type unconditional struct {
	http.RoundTripper
	deletes *int
}

func (u unconditional) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case r.Method == http.MethodPut && r.Header.Get("If-Match") != "":
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Etag": {`"written"`}}, Body: http.NoBody, Request: r}, nil
	case r.Method == http.MethodDelete && strings.Contains(r.URL.Path, ".syncd-doctor-") && r.URL.Query().Get("uploadId") == "":
		*u.deletes++
	}
	return u.RoundTripper.RoundTrip(r)
}

// TestDoctorServiceWithoutConditions checks that, if a service ignores conditions and therefore
// stores the probe object, the doctor names the service as the cause and deletes the probe object.
// If the delete fails, as here, the doctor reports the object as left behind.
func TestDoctorServiceWithoutConditions(t *testing.T) {
	x := doctored(t, accesstest.Ways()[1])
	deletes := 0
	x.Transport = unconditional{x.Transport, &deletes}
	all := bad(x.diagnose(t))
	if len(all) != 1 || len(all[0].Causes) != 1 || all[0].Causes[0].Kind != doctor.CauseService {
		t.Fatalf("got %+v, want only the service as a cause", all)
	}
	if deletes != 1 || !strings.Contains(all[0].Error, "s3://consumer-copy/exports/.syncd-doctor-") {
		t.Errorf("got %d deletes and %q, want one delete that is denied, and the leftover object", deletes, all[0].Error)
	}
}

// TestDoctorInconclusiveResponse checks that a permission is unknown if S3 rejects a request for a
// nonexistent upload as invalid. Such a response says nothing about permissions.
func TestDoctorInconclusiveResponse(t *testing.T) {
	x := doctored(t, accesstest.Ways()[1])
	x.Transport = wrongUpload{x.Transport}
	d := x.diagnose(t)
	if !d.Healthy() {
		t.Errorf("got %s, want no failed probe", summary(d))
	}
	for _, p := range d.Probes {
		if p.Action == "s3:ListMultipartUploadParts" && p.Outcome != doctor.OutcomeUnknown {
			t.Errorf("got %+v, want the outcome unknown", p)
		}
	}
}

// wrongUpload rejects unknown upload IDs as invalid.
type wrongUpload struct{ http.RoundTripper }

func (w wrongUpload) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.Query().Get("uploadId"), "syncd-doctor-") {
		return w.RoundTripper.RoundTrip(r)
	}
	const body = `<Error><Code>InvalidArgument</Code><Message>This upload id is not well formed</Message></Error>`
	return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}
