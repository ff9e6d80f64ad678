package doctor_test

import (
	"io"
	"net/http"
	"slices"
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

func deny(action string) *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"` + action + `","Resource":"*"}]}`)
}

// losing returns a function that breaks a world by removing an action.
func losing(kind access.Kind, account, action string) func(*testing.T, *doctorWorld) {
	return func(t *testing.T, x *doctorWorld) {
		t.Helper()
		x.deleting(t, kind, account, action)
	}
}

// deleting removes an action from the documents of the given kind and account, and puts the changed
// documents in force.
func (x *doctorWorld) deleting(t *testing.T, kind access.Kind, account, action string) {
	t.Helper()
	documents := slices.Clone(x.Documents)
	for i, d := range documents {
		if d.Kind != kind || d.Account != account {
			continue
		}
		policy := *d.Policy()
		policy.Statements = slices.Clone(policy.Statements)
		for j := range policy.Statements {
			policy.Statements[j].Actions = accesstest.Dropping(policy.Statements[j].Actions, action)
		}
		policy.Statements = slices.DeleteFunc(policy.Statements, func(s iam.Statement) bool { return len(s.Actions) == 0 })
		documents[i].Body = &policy
	}
	x.Enforce(t, documents)
}

// changeRole changes a role of the configuration.
func (x *doctorWorld) changeRole(name string, change func(*config.Role)) {
	role := x.Config.Roles[name]
	change(&role)
	x.Config.Roles[name] = role
}

// TestDoctorNamesTheCause breaks a working setup in several ways and checks that the first cause
// names what is broken. In each case either AWS gives a reason, or the problem is something other
// than a missing statement in a policy that syncd writes.
func TestDoctorNamesTheCause(t *testing.T) {
	byOwner, byAccount, byRole, byABAC := accesstest.Ways()[0], accesstest.Ways()[1], accesstest.Ways()[2], accesstest.Ways()[4]
	const anyone = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::owner-data","arn:aws:s3:::owner-data/*"]}]}`
	type want struct {
		action  string
		outcome doctor.Outcome
		kind    doctor.CauseKind
		side    access.Side
		target  string // a substring
		sure    doctor.Confidence
	}
	for _, tt := range []struct {
		name  string
		way   accesstest.Way
		wreck func(t *testing.T, x *doctorWorld)
		want  want
	}{
		{
			"bucket policy within an organization", byRole,
			losing(access.KindBucket, accesstest.Owner, "s3:GetObject"),
			want{"s3:GetObject", doctor.OutcomeDenied, "bucket", access.Owner, "owner-data", doctor.Certain},
		},
		{
			"identity policy within an organization", byRole,
			losing(access.KindIdentity, accesstest.Consumer, "s3:GetObjectTagging"),
			want{"s3:GetObjectTagging", doctor.OutcomeDenied, "identity", access.Consumer, "role/syncd-consumer", doctor.Certain},
		},
		{
			"key policy", byAccount,
			losing(access.KindKey, accesstest.Owner, "kms:Decrypt"),
			want{"kms:Decrypt", doctor.OutcomeDenied, "key", access.Owner, ":111111111111:key/", doctor.Likely},
		},
		{
			"service control policy", byRole,
			func(_ *testing.T, x *doctorWorld) {
				x.Cloud.Account(accesstest.Consumer).SetServiceControl(deny("s3:PutObject"))
			},
			want{"s3:PutObject", doctor.OutcomeDenied, doctor.CauseServiceControl, access.Consumer, "role/syncd-consumer", doctor.Certain},
		},
		{
			"resource control policy", byRole,
			func(_ *testing.T, x *doctorWorld) {
				x.Cloud.Account(accesstest.Owner).SetResourceControl(deny("s3:GetObject"))
			},
			want{"s3:GetObject", doctor.OutcomeDenied, doctor.CauseResourceControl, access.Owner, "owner-data", doctor.Certain},
		},
		{
			"permissions boundary", byRole,
			func(_ *testing.T, x *doctorWorld) {
				x.Roles["arn:aws:iam::222222222222:role/syncd-consumer"].SetBoundary(deny("kms:GenerateDataKey"))
			},
			want{"kms:GenerateDataKey", doctor.OutcomeDenied, doctor.CauseBoundary, access.Consumer, "role/syncd-consumer", doctor.Certain},
		},
		{
			"endpoint policy", byABAC,
			func(_ *testing.T, x *doctorWorld) {
				x.Transport.(*awsfake.Endpoint).SetPolicy(deniedAtDoor("s3:PutObject"))
			},
			want{"s3:PutObject", doctor.OutcomeDenied, doctor.CauseEndpoint, access.Consumer, "role/syncd-consumer", doctor.Certain},
		},
		{
			"public bucket policy", byAccount,
			func(_ *testing.T, x *doctorWorld) { x.Buckets["owner-data"].SetPolicy(iam.MustParse(anyone)) },
			want{"s3:ListBucket", doctor.OutcomeDenied, "bucket", access.Owner, "owner-data", doctor.Certain},
		},
		{
			"a deny on another key", byRole,
			func(_ *testing.T, x *doctorWorld) {
				x.Buckets["consumer-copy"].SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*",
					"Condition":{"StringNotEqualsIfExists":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:us-west-2:222222222222:key/x"},
					"Null":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"false"}}}]}`))
			},
			want{"s3:PutObject", doctor.OutcomeDenied, "bucket", access.Consumer, "consumer-copy", doctor.Certain},
		},
		{
			"source key disabled", byRole,
			func(_ *testing.T, x *doctorWorld) { x.OwnerKey.SetEnabled(false) },
			want{"kms:Decrypt", doctor.OutcomeFailed, doctor.CauseKeyState, access.Owner, ":111111111111:key/", doctor.Certain},
		},
		{
			"destination key pending deletion", byRole,
			func(_ *testing.T, x *doctorWorld) { x.CopyKey.ScheduleDeletion() },
			want{"kms:GenerateDataKey", doctor.OutcomeFailed, doctor.CauseKeyState, access.Consumer, ":222222222222:key/", doctor.Certain},
		},
		{
			"no such destination key", byRole,
			func(_ *testing.T, x *doctorWorld) {
				x.Config.Mappings[0].Destination.KMSKey = "arn:aws:kms:us-west-2:222222222222:key/00000000-0000-4000-8000-000000000000"
			},
			want{"kms:GenerateDataKey", doctor.OutcomeFailed, doctor.CauseConfiguration, access.Consumer, "mappings.exports.destination.kms_key", doctor.Certain},
		},
		{
			"a bucket policy that requires an ACL", byRole,
			func(_ *testing.T, x *doctorWorld) {
				x.Buckets["consumer-copy"].SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",
					"Resource":"*","Condition":{"StringNotEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}]}`))
			},
			want{"s3:PutObject", doctor.OutcomeDenied, doctor.CauseConfiguration, access.Consumer, "mappings.exports.copy.acl", doctor.Certain},
		},
		{
			"an object that a third account owns", byRole,
			func(_ *testing.T, x *doctorWorld) {
				x.Buckets["owner-data"].Put("exports/zz-third", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{Owner: "444444444444"})
			},
			want{"GetObject", doctor.OutcomeDenied, doctor.CauseOwnership, access.Owner, "owner-data", doctor.Certain},
		},
		{
			"a proxy page in place of the service", byRole,
			func(_ *testing.T, x *doctorWorld) { x.Transport = pages{x.Transport, "/s3/"} },
			want{"s3:ListBucket", doctor.OutcomeFailed, doctor.CauseNetwork, access.Consumer, "https://aws.invalid", doctor.Certain},
		},
		{
			"a proxy page in place of STS", byRole,
			func(_ *testing.T, x *doctorWorld) { x.Transport = pages{x.Transport, "/sts/"} },
			want{"sts:AssumeRole", doctor.OutcomeFailed, doctor.CauseNetwork, access.Consumer, "https://aws.invalid", doctor.Certain},
		},
		{
			"source in a region that is not enabled", byRole,
			func(_ *testing.T, x *doctorWorld) {
				x.Cloud.Account(accesstest.Owner).CreateBucket("owner-south", "eu-south-1", awsfake.BucketOptions{})
				x.Config.Mappings[0].Source.Bucket = "owner-south"
			},
			want{"s3:ListBucket", doctor.OutcomeFailed, doctor.CauseConfiguration, access.Consumer, "mappings.exports.source.region", doctor.Certain},
		},
		{
			"source in another region", byRole,
			func(_ *testing.T, x *doctorWorld) { x.Config.Mappings[0].Source.Region = "eu-west-1" },
			want{"s3:ListBucket", doctor.OutcomeFailed, doctor.CauseConfiguration, access.Consumer, "mappings.exports.source.region", doctor.Certain},
		},
		{
			"source of another owner", byRole,
			func(_ *testing.T, x *doctorWorld) { x.Config.Mappings[0].Source.Account = accesstest.Governance },
			want{"s3:ListBucket", doctor.OutcomeDenied, doctor.CauseConfiguration, access.Consumer, "mappings.exports.source.account", doctor.Certain},
		},
		{
			"destination of another owner", byRole,
			func(_ *testing.T, x *doctorWorld) { x.Config.Mappings[0].Destination.Account = accesstest.Governance },
			want{"s3:ListBucket", doctor.OutcomeDenied, doctor.CauseConfiguration, access.Consumer, "mappings.exports.destination.account", doctor.Certain},
		},
		{
			"requester pays", byRole,
			func(_ *testing.T, x *doctorWorld) { x.Buckets["owner-data"].SetRequesterPays(true) },
			want{"s3:ListBucket", doctor.OutcomeDenied, doctor.CauseConfiguration, access.Consumer, "mappings.exports.source.request_payer", doctor.Certain},
		},
		{
			"no such bucket", byRole,
			func(_ *testing.T, x *doctorWorld) { x.Config.Mappings[0].Destination.Bucket = "consumer-typo" },
			want{"s3:ListBucket", doctor.OutcomeFailed, doctor.CauseConfiguration, access.Consumer, "mappings.exports.destination.bucket", doctor.Certain},
		},
		{
			"no such state bucket", byRole,
			func(_ *testing.T, x *doctorWorld) { x.Config.State = "s3://consumer-typo/syncd/" },
			want{"s3:ListBucket", doctor.OutcomeFailed, doctor.CauseConfiguration, access.Consumer, "state", doctor.Certain},
		},
		{
			"ambient credentials expired", byRole,
			func(_ *testing.T, x *doctorWorld) {
				x.Cloud.Inject(awsfake.Fault{Operation: "GetCallerIdentity", Kind: awsfake.ExpiredToken})
			},
			want{"sts:GetCallerIdentity", doctor.OutcomeFailed, doctor.CauseCredentials, access.Consumer, "", doctor.Certain},
		},
		{
			"ambient credentials wrong", byRole,
			func(_ *testing.T, x *doctorWorld) { x.User.SecretAccessKey = "wrong" },
			want{"sts:GetCallerIdentity", doctor.OutcomeFailed, doctor.CauseCredentials, access.Consumer, "", doctor.Certain},
		},
		{
			"a different external id required", byOwner,
			func(_ *testing.T, x *doctorWorld) {
				x.trust("partner-read", `"StringEquals":{"sts:ExternalId":"another"}`)
			},
			want{"sts:AssumeRole", doctor.OutcomeDenied, "trust", access.Owner, "role/partner-read", doctor.Likely},
		},
		{
			"session tag that the trust policy denies", byRole,
			func(_ *testing.T, x *doctorWorld) { x.trust("syncd-consumer", `"Null":{"aws:TagKeys":"true"}`) },
			want{"sts:AssumeRole", doctor.OutcomeDenied, "trust", access.Consumer, "role/syncd-consumer", doctor.Certain},
		},
		{
			"source identity that the trust policy denies", byRole,
			func(_ *testing.T, x *doctorWorld) {
				x.trust("syncd-consumer", `"StringEqualsIfExists":{"sts:SourceIdentity":"somebody"}`)
			},
			want{"sts:AssumeRole", doctor.OutcomeDenied, "trust", access.Consumer, "role/syncd-consumer", doctor.Certain},
		},
		{
			"source identity denied", byRole,
			losing(access.KindTrust, accesstest.Consumer, "sts:SetSourceIdentity"),
			want{"sts:SetSourceIdentity", doctor.OutcomeDenied, "trust", access.Consumer, "role/syncd-consumer", doctor.Likely},
		},
		{
			"session tags denied", byRole,
			losing(access.KindTrust, accesstest.Consumer, "sts:TagSession"),
			want{"sts:TagSession", doctor.OutcomeDenied, "trust", access.Consumer, "role/syncd-consumer", doctor.Likely},
		},
		{
			"first hop broken", byABAC,
			losing(access.KindTrust, accesstest.Governance, "sts:AssumeRole"),
			want{"sts:AssumeRole", doctor.OutcomeDenied, "trust", access.Consumer, "role/data-access", doctor.Likely},
		},
		{
			"second hop broken", byABAC,
			losing(access.KindIdentity, accesstest.Governance, "sts:AssumeRole"),
			want{"sts:AssumeRole", doctor.OutcomeDenied, "trust", access.Consumer, "role/syncd-consumer", doctor.Likely},
		},
		{
			"session too long for the role", byRole,
			func(_ *testing.T, x *doctorWorld) { x.changeRole("consumer", func(r *config.Role) { r.Duration *= 2 }) },
			want{"sts:AssumeRole", doctor.OutcomeFailed, doctor.CauseConfiguration, access.Consumer, "roles.consumer.duration", doctor.Certain},
		},
		{
			"two tags that differ in case only", byRole,
			func(_ *testing.T, x *doctorWorld) {
				x.changeRole("consumer", func(r *config.Role) { r.Tags = map[string]string{"team": "a", "Team": "b"} })
			},
			want{"sts:AssumeRole", doctor.OutcomeFailed, doctor.CauseConfiguration, access.Consumer, "roles.consumer", doctor.Certain},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d doctor.Diagnosis
			synctest.Test(t, func(t *testing.T) { // retries take time
				x := doctored(t, tt.way)
				tt.wreck(t, x)
				d = x.diagnose(t)
			})
			all := bad(d)
			if len(all) == 0 {
				t.Fatalf("got no failure, want %+v", tt.want)
			}
			p := all[0]
			if p.Action != tt.want.action || p.Outcome != tt.want.outcome || len(p.Causes) == 0 {
				t.Fatalf("got %s, want first %s %s", summary(d), tt.want.action, tt.want.outcome)
			}
			c := p.Causes[0]
			if c.Kind != tt.want.kind || c.Side != tt.want.side || !strings.Contains(c.Target, tt.want.target) || c.Confidence != tt.want.sure || c.Why == "" {
				t.Errorf("got the first cause %+v, want %+v", c, tt.want)
			}
			for _, p := range d.Probes {
				if strings.Contains(p.Error, "the-external-id") {
					t.Errorf("got the ExternalId in %q", p.Error)
				}
			}
		})
	}
}

// pages is a proxy that responds to all requests for one service with an HTML page and status 403.
type pages struct {
	next    http.RoundTripper
	service string
}

func (p pages) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.Contains(r.Header.Get("Authorization"), p.service) {
		return p.next.RoundTrip(r)
	}
	const text = "<html><body>blocked by policy</body></html>"
	return &http.Response{
		StatusCode: http.StatusForbidden, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(text)),
		Header: http.Header{"Content-Type": {"text/html"}}, Body: io.NopCloser(strings.NewReader(text)),
	}, nil
}

func deniedAtDoor(action string) *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},
		{"Effect":"Deny","Principal":"*","Action":"` + action + `","Resource":"*"}]}`)
}

// trust replaces the trust policy of a role: the ambient user may assume the role under the
// condition.
func (x *doctorWorld) trust(role, condition string) {
	for arn, r := range x.Roles {
		if strings.HasSuffix(arn, "/"+role) {
			r.SetTrust(iam.MustParse(`{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","Principal":{"AWS":"` + x.User.ARN + `"},"Action":"sts:AssumeRole","Condition":{` + condition + `}},
				{"Effect":"Allow","Principal":{"AWS":"` + x.User.ARN + `"},"Action":["sts:TagSession","sts:SetSourceIdentity"]}]}`))
		}
	}
}
