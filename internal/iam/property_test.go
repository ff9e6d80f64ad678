package iam_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"syncd/internal/iam"
)

// generate draws policies and requests from so few words that they often match.
type generate struct{ *rapid.T }

func (g generate) some(label string, words ...string) []string {
	return rapid.SliceOfN(rapid.SampledFrom(words), 1, 3).Draw(g.T, label)
}

func (g generate) caller() iam.Caller {
	account := rapid.SampledFrom([]string{owner, consumer}).Draw(g.T, "account")
	return rapid.SampledFrom([]iam.Caller{
		user(account), session(account), rootUser(account), {Service: "logging.s3.amazonaws.com"}, {},
	}).Draw(g.T, "caller")
}

func (g generate) request() iam.Request {
	return iam.Request{
		Caller:   g.caller(),
		Action:   rapid.SampledFrom([]string{"s3:GetObject", "s3:PutObject", "kms:Decrypt"}).Draw(g.T, "action"),
		Resource: rapid.SampledFrom([]string{object, keyARN}).Draw(g.T, "resource"),
		Account:  rapid.SampledFrom([]string{owner, ""}).Draw(g.T, "owner"),
		Context: rapid.MapOf(
			rapid.SampledFrom([]string{"s3:prefix", "aws:TagKeys", "aws:PrincipalTag/team"}),
			rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b"}), 0, 2),
		).Draw(g.T, "context"),
	}
}

func (g generate) statement(named bool) iam.Statement {
	s := iam.Statement{
		Effect:    rapid.SampledFrom([]iam.Effect{iam.Allow, iam.Allow, iam.Deny}).Draw(g.T, "effect"),
		Actions:   g.some("actions", "*", "s3:*", "s3:GetObject", "kms:Decrypt"),
		Resources: g.some("resources", "*", object, keyARN, "arn:aws:s3:::owner-data/${aws:PrincipalTag/team, 'exports'}*"),
	}
	if named {
		ids := g.some("principals", "*", owner, consumer, user(owner).ARN, session(owner).RoleARN, session(consumer).ARN)
		s.Principals = awsPrincipals(ids)
	}
	if rapid.Bool().Draw(g.T, "conditional") {
		operator := rapid.SampledFrom([]string{"StringEquals", "StringNotLike", "ForAllValues:StringLike", "ForAnyValue:StringNotEqualsIfExists"})
		key := rapid.SampledFrom([]string{"s3:prefix", "aws:TagKeys", "AWS:principaltag/team"})
		s.Conditions = []iam.Condition{{Operator: operator.Draw(g.T, "operator"), Key: key.Draw(g.T, "key"), Values: g.some("values", "a", "b*", "${s3:prefix}")}}
	}
	return s
}

func (g generate) document(named bool) *iam.Document {
	d := &iam.Document{Version: rapid.SampledFrom([]string{iam.Version2012, iam.Version2008, ""}).Draw(g.T, "version")}
	for range rapid.IntRange(1, 3).Draw(g.T, "statements") {
		d.Statements = append(d.Statements, g.statement(named))
	}
	return d
}

func (g generate) documents() []*iam.Document {
	if rapid.Bool().Draw(g.T, "none") {
		return nil
	}
	return docs(g.document(false))
}

func (g generate) policies() iam.Policies {
	p := iam.Policies{
		Identity: g.documents(), Session: g.documents(), ServiceControl: g.documents(), ResourceControl: g.documents(),
		Kind: rapid.SampledFrom([]iam.ResourceKind{iam.Bucket, iam.Key, iam.Trust, iam.Queue}).Draw(g.T, "kind"),
	}
	if rapid.Bool().Draw(g.T, "bounded") {
		p.Boundary = g.document(false)
	}
	if rapid.Bool().Draw(g.T, "resource policy") {
		p.Resource = g.document(true)
	}
	return p
}

// TestExplicitDenyAlwaysWins checks that adding a deny of everything anywhere denies the request,
// with the deny as the reason.
func TestExplicitDenyAlwaysWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generate{t}
		req, p := g.request(), g.policies()
		own := req.Caller.Account != "" // a caller without an account has no policies
		switch place := rapid.SampledFrom([]string{"resource", "resource control", "identity", "boundary", "session", "service control"}).Draw(t, "place"); {
		case place == "resource" || !own:
			deny := denyTo("*")
			if p.Kind == iam.Trust {
				deny = denyTrust()
			}
			if p.Resource != nil {
				deny.Statements = append(p.Resource.Statements, deny.Statements...)
			}
			p.Resource = deny
		case place == "resource control":
			p.ResourceControl = append(p.ResourceControl, denyAll())
		case place == "identity":
			p.Identity = append(p.Identity, denyAll())
		case place == "boundary":
			p.Boundary = denyAll()
		case place == "session":
			p.Session = append(p.Session, denyAll())
		case place == "service control":
			p.ServiceControl = append(p.ServiceControl, denyAll())
		}
		if d := iam.Evaluate(req, p); d.Allowed || !d.Explicit || d.Statement == nil || d.Statement.Effect != iam.Deny {
			t.Fatalf("got %+v, want an explicit deny", d)
		}
	})
}

// TestAnotherAllowNeverTakesAway checks that adding allow statements to existing ones never turns
// an allow into a deny.
func TestAnotherAllowNeverTakesAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generate{t}
		req, p := g.request(), g.policies()
		before := iam.Evaluate(req, p).Allowed
		more := g.statement(false)
		more.Effect = iam.Allow
		p.Identity = append(p.Identity, &iam.Document{Version: iam.Version2012, Statements: []iam.Statement{more}})
		if before && !iam.Evaluate(req, p).Allowed {
			t.Fatalf("got denied after adding %+v, want still allowed", more)
		}
	})
}

// TestDecisionExplainsItself checks that a denied request has a source, a reason, and either an
// explicit deny or missing policy types. An allowed request must have no reason, no explicit deny
// and no missing policy types.
func TestDecisionExplainsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generate{t}
		d := iam.Evaluate(g.request(), g.policies())
		switch {
		case d.Allowed && (d.Explicit || d.Reason() != "" || d.Missing != nil):
			t.Fatalf("got %+v, want no reason against what is allowed", d)
		case !d.Allowed && d.Explicit == (len(d.Missing) > 0):
			t.Fatalf("got %+v, want an explicit deny or something missing", d)
		case !d.Allowed && (d.Source == "" || d.Reason() == ""):
			t.Fatalf("got %+v, want a source and a reason", d)
		}
	})
}

// TestTextMeansTheDocument checks that formatting and parsing a document changes only the line
// numbers.
func TestTextMeansTheDocument(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := generate{t}.document(rapid.Bool().Draw(t, "named"))
		got, err := iam.Parse([]byte(want.String()))
		if err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(iam.Statement{}, "Line")); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}
