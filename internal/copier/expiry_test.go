package copier_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/config"
	"syncd/config/value"
	"syncd/internal/awsfake"
	"syncd/internal/creds"
	"syncd/internal/iam"
)

// TestExpiryMidwayAbortsNothing expires the session while parts are copied. It checks that the
// session is renewed and the same upload continues.
func TestExpiryMidwayAbortsNothing(t *testing.T) {
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	for _, relay := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newParted(t)
			if relay {
				w.relaying(64 * mib)
			}
			client, role := w.assumed(t)
			w.options.Source, w.options.Destination, w.options.Slots = client, client, slots(1)
			w.cloud.SetLatency(20 * time.Second)
			w.cloud.Inject(awsfake.Fault{Operation: w.partRequest(), Skip: 2, Times: 1, Do: role.Revoke})
			object := w.putLarge(awsfake.PutOptions{})
			_, copied := w.mustCopyWith(t, object, &uploadRecord{})
			w.sameAsSource(t, object.Key, copied)
			got := w.cloud.Requests()
			if got["AssumeRole"] != 2 || got["CreateMultipartUpload"] != 1 || got["AbortMultipartUpload"] != 0 {
				t.Errorf("relay %v: got %v, want a second session and the same upload", relay, got)
			}
		})
	}
}

// assumed returns a client whose sessions are assumed and renewed as in production.
func (w *world) assumed(t *testing.T) (*s3.Client, *awsfake.Role) {
	t.Helper()
	account := w.cloud.Account(consumer)
	user := account.AdminUser()
	trust := iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}]}`, user.ARN))
	all := iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	role := account.CreateRole("syncd", trust, awsfake.RoleOptions{Policies: []*iam.Document{all}})
	set, err := creds.New(t.Context(), creds.Options{
		Roles:       map[string]config.Role{"syncd": {ARN: role.ARN, SessionName: "syncd", Duration: value.Duration(time.Hour)}},
		EndpointURL: "http://aws.invalid", AllowHTTP: true, HTTPClient: &http.Client{Transport: w.wire},
		Ambient:   credentials.NewStaticCredentialsProvider(user.AccessKeyID, user.SecretAccessKey, ""),
		LookupEnv: os.LookupEnv, ReadFile: os.ReadFile,
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := set.Config("syncd", region)
	if err != nil {
		t.Fatal(err)
	}
	url := "http://aws.invalid"
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle, o.BaseEndpoint = true, &url }), role
}
