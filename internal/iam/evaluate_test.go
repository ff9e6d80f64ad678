package iam_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/iam"
)

const (
	identitySource = "identity-based policy"
	resourceSource = "resource-based policy"
	boundarySource = "permissions boundary"
	sessionSource  = "session policy"
	trustSource    = "role trust policy"
)

// verdict renders a decision as "allow by X", "deny by X" or "not allowed by: X, Y".
func verdict(d iam.Decision) string {
	switch {
	case d.Allowed:
		return "allow by " + string(d.Source)
	case d.Explicit:
		return "deny by " + string(d.Source)
	}
	var missing []string
	for _, s := range d.Missing {
		missing = append(missing, string(s))
	}
	return "not allowed by: " + strings.Join(missing, ", ")
}

// TestGrantTable checks which of the caller's policies a grant in the resource policy bypasses
// within one account, for each way in which the grant names the caller.
func TestGrantTable(t *testing.T) {
	byResource, byIdentity := "allow by "+resourceSource, "allow by "+identitySource
	tests := []struct {
		name, principal            string
		caller                     iam.Caller
		identity, boundary, policy string // the wanted verdict if only that layer does not allow the request
	}{
		{
			"account id", owner, session(owner),
			"not allowed by: " + identitySource, "not allowed by: " + boundarySource, "not allowed by: " + sessionSource,
		},
		{
			"account root", root(owner), session(owner),
			"not allowed by: " + identitySource, "not allowed by: " + boundarySource, "not allowed by: " + sessionSource,
		},
		{
			"role", session(owner).RoleARN, session(owner),
			byResource, "not allowed by: " + boundarySource, "not allowed by: " + sessionSource,
		},
		{"session", session(owner).ARN, session(owner), byResource, byResource, byResource},
		{"user", user(owner).ARN, user(owner), byResource, byResource, byResource},
		{"everyone", "*", session(owner), byResource, byResource, byResource},
		{
			"somebody else", user(owner).ARN, session(owner),
			"not allowed by: " + identitySource, "not allowed by: " + boundarySource, "not allowed by: " + sessionSource,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := iam.Policies{Identity: docs(allowAll()), Boundary: allowAll(), Session: docs(allowAll()), Resource: grantTo(tt.principal)}
			check := func(layer string, p iam.Policies, want string) {
				t.Helper()
				if got := verdict(iam.Evaluate(get(tt.caller), p)); got != want {
					t.Errorf("%s silent: got %q, want %q", layer, got, want)
				}
			}
			p := all
			p.Identity = docs(silent())
			check("identity policy", p, tt.identity)
			p = all
			p.Boundary = silent()
			check("boundary", p, tt.boundary)
			p = all
			p.Session = docs(silent())
			check("session policy", p, tt.policy)
			p = all
			p.Resource = nil
			check("resource policy", p, byIdentity)
		})
	}
}

func TestEvaluate(t *testing.T) {
	logging := iam.Caller{Service: "logging.s3.amazonaws.com"}
	service := everything(iam.Allow, iam.Principal{Kind: iam.ServicePrincipal, ID: logging.Service})
	anyone := everything(iam.Allow, iam.Principal{Kind: iam.AnyPrincipal})
	notActions := &iam.Document{Statements: []iam.Statement{{
		Effect: iam.Allow, NotActions: []string{"s3:Delete*"}, NotResources: []string{"arn:aws:s3:::other/*"},
	}}}
	putPolicy := get(rootUser(owner))
	putPolicy.Action = "s3:PutBucketPolicy"
	foreignPut := putPolicy
	foreignPut.Caller = rootUser(consumer)
	twice := grantTo(owner)
	twice.Statements = append(twice.Statements, grantTo(session(owner).RoleARN).Statements...)
	nameless := grantTo("")
	nameless.Statements[0].Principals = append(nameless.Statements[0].Principals, iam.Principal{Kind: iam.ServicePrincipal})
	tests := []struct {
		name     string
		request  iam.Request
		policies iam.Policies
		want     string
	}{
		{"nothing allows", get(user(owner)), iam.Policies{}, "not allowed by: " + identitySource},
		{"identity policy allows", get(user(owner)), iam.Policies{Identity: docs(allowAll())}, "allow by " + identitySource},
		{"one of several allows", get(user(owner)), iam.Policies{Identity: docs(silent(), nil, allowAll())}, "allow by " + identitySource},
		{"no owner named: the caller's account", iam.Request{Caller: user(owner), Action: "s3:ListAllMyBuckets", Resource: "*"}, iam.Policies{Identity: docs(allowAll())}, "allow by " + identitySource},
		{"NotAction and NotResource", get(user(owner)), iam.Policies{Identity: docs(notActions)}, "allow by " + identitySource},
		{"boundary and session policy all silent", get(session(owner)), iam.Policies{Boundary: silent(), Session: docs(silent())}, "not allowed by: identity-based policy, permissions boundary, session policy"},

		{"the strongest of several grants counts", get(session(owner)), iam.Policies{Resource: twice}, "allow by " + resourceSource},
		{"a principal without a name matches no caller", get(user(owner)), iam.Policies{Resource: nameless}, "not allowed by: " + identitySource},

		{"deny in identity policy wins", get(user(owner)), iam.Policies{Identity: docs(allowAll(), denyAll()), Resource: grantTo("*")}, "deny by " + identitySource},
		{"deny in resource policy wins", get(user(owner)), iam.Policies{Identity: docs(allowAll()), Resource: denyTo("*")}, "deny by " + resourceSource},
		{"deny in boundary wins", get(user(owner)), iam.Policies{Identity: docs(allowAll()), Boundary: denyAll(), Resource: grantTo("*")}, "deny by " + boundarySource},
		{"deny in session policy wins", get(session(owner)), iam.Policies{Session: docs(denyAll()), Resource: grantTo("*")}, "deny by " + sessionSource},
		{"deny of the account reaches its sessions", get(session(owner)), iam.Policies{Identity: docs(allowAll()), Resource: denyTo(owner)}, "deny by " + resourceSource},
		{"deny of the role reaches its sessions", get(session(owner)), iam.Policies{Identity: docs(allowAll()), Resource: denyTo(session(owner).RoleARN)}, "deny by " + resourceSource},
		{"deny of somebody else does not", get(session(owner)), iam.Policies{Identity: docs(allowAll()), Resource: denyTo(user(owner).ARN, consumer)}, "allow by " + identitySource},

		{"cross-account: both", get(session(consumer)), iam.Policies{Identity: docs(allowAll()), Resource: grantTo(session(consumer).RoleARN)}, "allow by " + resourceSource},
		{"cross-account: the account named", get(session(consumer)), iam.Policies{Identity: docs(allowAll()), Resource: grantTo(root(consumer))}, "allow by " + resourceSource},
		{"cross-account: identity only", get(session(consumer)), iam.Policies{Identity: docs(allowAll())}, "not allowed by: " + resourceSource},
		{"cross-account: resource only", get(session(consumer)), iam.Policies{Resource: grantTo(session(consumer).ARN)}, "not allowed by: " + identitySource},
		{"cross-account: everyone bypasses nothing", get(session(consumer)), iam.Policies{Resource: grantTo("*")}, "not allowed by: " + identitySource},
		{"cross-account: boundary counts", get(session(consumer)), iam.Policies{Identity: docs(allowAll()), Boundary: silent(), Resource: grantTo(session(consumer).ARN)}, "not allowed by: " + boundarySource},
		{"cross-account: session policy counts", get(session(consumer)), iam.Policies{Identity: docs(allowAll()), Session: docs(silent()), Resource: grantTo(session(consumer).ARN)}, "not allowed by: " + sessionSource},
		{"cross-account: neither", get(user(consumer)), iam.Policies{}, "not allowed by: resource-based policy, identity-based policy"},
		{"cross-account: the owner's account is not the caller's", get(user(consumer)), iam.Policies{Identity: docs(allowAll()), Resource: grantTo(owner)}, "not allowed by: " + resourceSource},

		{"root user needs no policy", get(rootUser(owner)), iam.Policies{}, "allow by " + identitySource},
		{"root user is denied by the bucket policy", get(rootUser(owner)), iam.Policies{Resource: denyTo("*")}, "deny by " + resourceSource},
		{"root user can repair the bucket policy", putPolicy, iam.Policies{Resource: denyTo("*")}, "allow by " + identitySource},
		{"root user cannot repair the bucket policy against the organization", putPolicy, iam.Policies{Resource: denyTo("*"), ServiceControl: docs(denyAll())}, "deny by service control policy"},
		{"root user of another account cannot repair the bucket policy", foreignPut, iam.Policies{Resource: denyTo("*")}, "deny by " + resourceSource},
		{"root user of another account needs the resource policy", get(rootUser(consumer)), iam.Policies{}, "not allowed by: " + resourceSource},
		{"root user of another account named", get(rootUser(consumer)), iam.Policies{Resource: grantTo(consumer)}, "allow by " + resourceSource},

		{"service principal named", get(logging), iam.Policies{Resource: service}, "allow by " + resourceSource},
		{"service principal is matched by everyone", get(logging), iam.Policies{Resource: denyTo("*")}, "deny by " + resourceSource},
		{"service principal where no owner is named", iam.Request{Caller: logging, Action: "s3:ListAllMyBuckets"}, iam.Policies{}, "not allowed by: " + resourceSource},
		{"service principal not named", get(logging), iam.Policies{Resource: grantTo(owner)}, "not allowed by: " + resourceSource},
		{"a user is no service", get(user(owner)), iam.Policies{Resource: service}, "not allowed by: " + identitySource},
		{"anonymous and everyone", get(iam.Caller{}), iam.Policies{Resource: anyone}, "allow by " + resourceSource},
		{"anonymous", get(iam.Caller{}), iam.Policies{Identity: docs(allowAll())}, "not allowed by: " + resourceSource},

		{"wildcard inside a principal is text", get(user(owner)), iam.Policies{Resource: grantTo("arn:aws:iam::" + owner + ":user/*")}, "not allowed by: " + identitySource},
		{"role by its unique id matches no caller", get(session(owner)), iam.Policies{Resource: grantTo("AROAEXAMPLEEXAMPLE")}, "not allowed by: " + identitySource},
		{"account root in another partition", get(user(consumer)), iam.Policies{Identity: docs(allowAll()), Resource: grantTo("arn:aws-cn:iam::" + consumer + ":root")}, "allow by " + resourceSource},

		{"service control policy silent", get(user(owner)), iam.Policies{Identity: docs(allowAll()), Resource: grantTo("*"), ServiceControl: docs(silent())}, "not allowed by: service control policy"},
		{"service control policy denies", get(user(owner)), iam.Policies{Identity: docs(allowAll()), ServiceControl: docs(allowAll(), denyAll())}, "deny by service control policy"},
		{"service control policy does not bind a service", get(logging), iam.Policies{Resource: service, ServiceControl: docs(denyAll())}, "allow by " + resourceSource},
		{"resource control policy denies", get(session(consumer)), iam.Policies{Identity: docs(allowAll()), Resource: grantTo("*"), ResourceControl: docs(allowAll(), denyAll())}, "deny by resource control policy"},
		{"resource control policy binds a service", get(logging), iam.Policies{Resource: service, ResourceControl: docs(silent())}, "not allowed by: resource control policy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := verdict(iam.Evaluate(tt.request, tt.policies)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestKeyPolicy checks that identity policies have an effect only if the key policy delegates the
// decision to the account.
func TestKeyPolicy(t *testing.T) {
	ineffective := everything(iam.Allow, iam.Principal{Kind: iam.AnyPrincipal})
	ineffective.Statements[0].Resources = nil
	tests := []struct {
		name     string
		caller   iam.Caller
		identity *iam.Document
		key      *iam.Document
		want     string
	}{
		{"identity policy alone", session(owner), allowAll(), grantTo(user(owner).ARN), "not allowed by: " + resourceSource},
		{"no policy at all", session(owner), allowAll(), nil, "not allowed by: " + resourceSource},
		{"delegated to the account", session(owner), allowAll(), grantTo(root(owner)), "allow by " + identitySource},
		{"delegated, identity silent", session(owner), silent(), grantTo(root(owner)), "not allowed by: " + identitySource},
		{"role named", session(owner), nil, grantTo(session(owner).RoleARN), "allow by " + resourceSource},
		{"role named, identity denies", session(owner), denyAll(), grantTo(session(owner).RoleARN), "deny by " + identitySource},
		{"root user and no delegation", rootUser(owner), nil, grantTo(user(owner).ARN), "not allowed by: " + resourceSource},
		{"root user and delegation", rootUser(owner), nil, grantTo(owner), "allow by " + identitySource},
		{"another account named, identity allows", session(consumer), allowAll(), grantTo(root(consumer)), "allow by " + resourceSource},
		{"another account's role named, identity silent", session(consumer), silent(), grantTo(session(consumer).RoleARN), "not allowed by: " + identitySource},
		{"another account, only the owner's root named", session(consumer), allowAll(), grantTo(root(owner)), "not allowed by: " + resourceSource},
		{"statement without Resource has no effect", session(owner), allowAll(), ineffective, "not allowed by: " + resourceSource},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := iam.Policies{Identity: docs(tt.identity), Resource: tt.key, Kind: iam.Key}
			if got := verdict(iam.Evaluate(decrypt(tt.caller), p)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTrustPolicy(t *testing.T) {
	tests := []struct {
		name     string
		caller   iam.Caller
		identity *iam.Document
		trust    *iam.Document
		want     string
	}{
		{"user named", user(owner), nil, trust(user(owner).ARN), "allow by " + trustSource},
		{"account named, identity silent", user(owner), silent(), trust(root(owner)), "not allowed by: " + identitySource},
		{"account named, identity allows", user(owner), allowAll(), trust(root(owner)), "allow by " + identitySource},
		{"not named", user(owner), allowAll(), trust(consumer), "not allowed by: " + trustSource},
		{"account named, identity without Resource", user(owner), trust(), trust(owner), "not allowed by: " + identitySource},
		{"another account: both", session(consumer), allowAll(), trust(session(consumer).RoleARN), "allow by " + trustSource},
		{"another account: trust only", session(consumer), nil, trust(session(consumer).RoleARN), "not allowed by: " + identitySource},
		{"another account: identity only", session(consumer), allowAll(), trust(owner), "not allowed by: " + trustSource},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := iam.Policies{Identity: docs(tt.identity), Resource: tt.trust, Kind: iam.Trust}
			if got := verdict(iam.Evaluate(assume(tt.caller), p)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestNotPrincipal checks that NotPrincipal exempts a caller only if it lists every name of the
// caller.
func TestNotPrincipal(t *testing.T) {
	s, u := session(owner), user(owner)
	logging := iam.Caller{Service: "logging.s3.amazonaws.com"}
	tests := []struct {
		name   string
		caller iam.Caller
		listed []iam.Principal
		denied bool
	}{
		{"session, role and account", s, awsPrincipals([]string{s.ARN, s.RoleARN, owner}), false},
		{"role and account", s, awsPrincipals([]string{s.RoleARN, owner}), true},
		{"session and account", s, awsPrincipals([]string{s.ARN, owner}), true},
		{"session and role", s, awsPrincipals([]string{s.ARN, s.RoleARN}), true},
		{"user and account", u, awsPrincipals([]string{u.ARN, root(owner)}), false},
		{"user alone", u, awsPrincipals([]string{u.ARN}), true},
		{"account alone", u, awsPrincipals([]string{owner}), true},
		{"account's root user", rootUser(owner), awsPrincipals([]string{owner}), false},
		{"everyone", u, awsPrincipals([]string{"*"}), false},
		{"service", logging, []iam.Principal{{Kind: iam.ServicePrincipal, ID: logging.Service}}, false},
		{"another service", logging, []iam.Principal{{Kind: iam.ServicePrincipal, ID: "sns.amazonaws.com"}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			policy := everything(iam.Deny)
			policy.Statements[0].NotPrincipals = tt.listed
			d := iam.Evaluate(get(tt.caller), iam.Policies{Identity: docs(allowAll()), Resource: policy})
			if d.Explicit != tt.denied {
				t.Errorf("got denied %t, want %t", d.Explicit, tt.denied)
			}
			d = iam.Evaluate(get(tt.caller), iam.Policies{Identity: docs(allowAll()), Boundary: allowAll(), Resource: policy})
			if bounded := tt.caller.Account != ""; d.Explicit != (tt.denied || bounded) {
				t.Errorf("with a permissions boundary: got denied %t, want %t", d.Explicit, tt.denied || bounded)
			}
			policy.Statements[0].Effect = iam.Allow
			if d := iam.Evaluate(get(iam.Caller{}), iam.Policies{Resource: policy}); d.Allowed {
				t.Error("got Allow with NotPrincipal granting, want it without effect")
			}
		})
	}
}

func TestReason(t *testing.T) {
	tests := []struct {
		name     string
		request  iam.Request
		policies iam.Policies
		want     string
	}{
		{"allowed", get(user(owner)), iam.Policies{Identity: docs(allowAll())}, ""},
		{"implicit, identity", get(user(owner)), iam.Policies{}, "because no identity-based policy allows the s3:GetObject action"},
		{"implicit, resource", get(user(consumer)), iam.Policies{Identity: docs(allowAll())}, "because no resource-based policy allows the s3:GetObject action"},
		{"implicit, session", get(session(owner)), iam.Policies{Identity: docs(allowAll()), Session: docs(silent())}, "because no session policy allows the s3:GetObject action"},
		{"implicit, boundary", get(session(owner)), iam.Policies{Identity: docs(allowAll()), Boundary: silent()}, "because no permissions boundary allows the s3:GetObject action"},
		{"implicit, service control", get(session(owner)), iam.Policies{ServiceControl: docs(silent())}, "because no service control policy allows the s3:GetObject action"},
		{"implicit, trust", assume(user(consumer)), iam.Policies{Kind: iam.Trust}, "because no role trust policy allows the sts:AssumeRole action"},
		{"implicit, key of the same account", decrypt(user(owner)), iam.Policies{Kind: iam.Key}, "because no resource-based policy allows the kms:Decrypt action"},
		{"key of another account", decrypt(user(consumer)), iam.Policies{Kind: iam.Key}, "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"},
		{"explicit, identity", get(user(owner)), iam.Policies{Identity: docs(denyAll())}, "with an explicit deny in an identity-based policy"},
		{"explicit, resource", get(user(owner)), iam.Policies{Resource: denyTo("*")}, "with an explicit deny in a resource-based policy"},
		{"explicit, session", get(session(owner)), iam.Policies{Session: docs(denyAll())}, "with an explicit deny in a session policy"},
		{"explicit, boundary", get(user(owner)), iam.Policies{Boundary: denyAll()}, "with an explicit deny in a permissions boundary"},
		{"explicit, service control", get(user(owner)), iam.Policies{ServiceControl: docs(denyAll())}, "with an explicit deny in a service control policy"},
		{"explicit, resource control", get(user(owner)), iam.Policies{ResourceControl: docs(denyAll())}, "with an explicit deny in a resource control policy"},
		{"explicit, trust", assume(user(owner)), iam.Policies{Kind: iam.Trust, Resource: denyTrust()}, "with an explicit deny in the role trust policy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := iam.Evaluate(tt.request, tt.policies).Reason(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func denyTrust() *iam.Document {
	d := trust("*")
	d.Statements[0].Effect = iam.Deny
	return d
}

// TestDecisionPointsAtTheStatement checks that a decision contains the document and the statement
// that decided.
func TestDecisionPointsAtTheStatement(t *testing.T) {
	policy := iam.MustParse(`{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Others", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"},
    {"Sid": "Readers", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::owner-data/*"},
    {"Sid": "NotSecrets", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::owner-data/secret/*"}
  ]
}`)
	for resource, want := range map[string]int{object: 5, "arn:aws:s3:::owner-data/secret/x": 6} {
		req := get(user(owner))
		req.Resource = resource
		d := iam.Evaluate(req, iam.Policies{Identity: docs(silent(), policy)})
		if d.Statement == nil || d.Statement.Line != want || d.Document != policy {
			t.Errorf("%s: got statement %+v, want that of line %d", resource, d.Statement, want)
		}
	}
	d := iam.Evaluate(get(user(consumer)), iam.Policies{Identity: docs(policy), Kind: iam.Bucket})
	want := iam.Decision{Source: iam.SourceResource, Missing: []iam.Source{iam.SourceResource}, Action: "s3:GetObject", CrossAccount: true}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("implicit deny (-want +got):\n%s", diff)
	}
}
