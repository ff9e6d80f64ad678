package iamoracle_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"syncd/internal/iam"
)

// scenario is one request and every policy that applies to it.
type scenario struct {
	Caller   iam.Caller
	Action   string
	Resource string
	Owner    string              // the account that owns the resource; "" for the caller's own
	Context  map[string][]string // keys that are not derived from the caller: see facts

	Kind            iam.ResourceKind
	Policy          *iam.Document   `json:",omitempty"` // of the resource
	Identity        []*iam.Document `json:",omitempty"`
	Boundary        *iam.Document   `json:",omitempty"`
	Session         *iam.Document   `json:",omitempty"`
	ServiceControl  []*iam.Document `json:",omitempty"`
	ResourceControl []*iam.Document `json:",omitempty"` // in addition to RCPFullAWSAccess, which is always attached
}

// fullAccess is the content of the policies FullAWSAccess and RCPFullAWSAccess. It also describes
// what a root user is allowed to do without any policy.
const fullAccess = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`

// ours returns the decision of internal/iam. It encodes and parses the policies, to test the parser
// too. It returns an error if AWS would refuse to store one of the policies.
func (s *scenario) ours() (string, error) {
	p := iam.Policies{Kind: s.Kind, ServiceControl: s.ServiceControl}
	if s.ResourceControl != nil {
		p.ResourceControl = append([]*iam.Document{iam.MustParse(fullAccess)}, s.ResourceControl...)
	}
	for _, of := range []struct {
		kind iam.ResourceKind
		from []*iam.Document
		take func(*iam.Document)
	}{
		{iam.Identity, s.Identity, func(d *iam.Document) { p.Identity = append(p.Identity, d) }},
		{iam.Identity, []*iam.Document{s.Boundary}, func(d *iam.Document) { p.Boundary = d }},
		{iam.Identity, []*iam.Document{s.Session}, func(d *iam.Document) { p.Session = []*iam.Document{d} }},
		{s.Kind, []*iam.Document{s.Policy}, func(d *iam.Document) { p.Resource = d }},
	} {
		for _, d := range of.from {
			stored, err := store(d, of.kind)
			if err != nil {
				return "", err
			}
			if stored != nil {
				of.take(stored)
			}
		}
	}
	d := iam.Evaluate(iam.Request{
		Caller: s.Caller, Action: s.Action, Resource: s.Resource, Account: s.Owner, Context: s.Context,
	}, p)
	switch {
	case d.Allowed:
		return allow, nil
	case d.Explicit:
		return explicitDeny, nil
	}
	return implicitDeny, nil
}

func store(d *iam.Document, kind iam.ResourceKind) (*iam.Document, error) {
	if d == nil {
		return nil, nil
	}
	stored, err := iam.Parse([]byte(d.String()))
	if err == nil {
		err = stored.CheckKind(kind)
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", d, err)
	}
	return stored, nil
}

// facts returns the whole request context: the keys that the request contains, and the keys derived
// from the caller according to the table "Principal key values" (IAM policy elements: Variables and
// tags) and "AWS global condition context keys". It does not use internal/iam.
func (s *scenario) facts() map[string][]string {
	all := maps.Clone(s.Context)
	if all == nil {
		all = map[string][]string{}
	}
	set := func(key, value string) { all[key] = []string{value} }
	c := s.Caller
	switch {
	case c.Service != "":
		set("aws:PrincipalServiceName", c.Service)
	case c.Account == "":
		set("aws:PrincipalAccount", "anonymous")
		set("aws:PrincipalType", "Anonymous")
		set("aws:userid", "anonymous")
	case c.Root:
		set("aws:PrincipalType", "Account")
		set("aws:PrincipalArn", c.ARN)
		set("aws:userid", c.Account)
	case c.RoleARN != "":
		set("aws:PrincipalType", "AssumedRole")
		set("aws:PrincipalArn", c.RoleARN)
	default:
		set("aws:PrincipalType", "User")
		set("aws:PrincipalArn", c.ARN)
		set("aws:username", c.ARN[strings.LastIndexByte(c.ARN, '/')+1:])
	}
	if c.Account != "" {
		set("aws:PrincipalAccount", c.Account)
	}
	if c.Account != "" || c.Service != "" {
		set("aws:PrincipalIsAWSService", fmt.Sprint(c.Service != ""))
	}
	if s.Owner != "" {
		set("aws:ResourceAccount", s.Owner)
	}
	return all
}

// mentions returns a function that reports whether a policy uses a context key, in a condition or
// as a variable. Keys that no policy uses can be left out of a request, which saves time and
// changes no decision.
func (s *scenario) mentions() func(key string) bool {
	var b strings.Builder
	for _, st := range statements(s.documents()) {
		for _, c := range st.Conditions {
			fmt.Fprintln(&b, c.Key, c.Values)
		}
		fmt.Fprintln(&b, st.Resources, st.NotResources)
	}
	body := strings.ToLower(b.String())
	return func(key string) bool { return strings.Contains(body, strings.ToLower(key)) }
}

// fact returns the values of a context key, ignoring case.
func (s *scenario) fact(key string) []string {
	for name, values := range s.facts() {
		if strings.EqualFold(name, key) {
			return values
		}
	}
	return nil
}

// anonymous reports whether the caller has no credentials.
func (s *scenario) anonymous() bool { return s.Caller.Account == "" && s.Caller.Service == "" }

// crossAccount reports whether the caller and the resource belong to different accounts.
func (s *scenario) crossAccount() bool { return s.Owner != "" && s.Owner != s.Caller.Account }

// identityBased returns the identity policies, the permissions boundary and the session policy of
// the caller.
func (s *scenario) identityBased() []*iam.Document {
	return slices.DeleteFunc(append(slices.Clone(s.Identity), s.Boundary, s.Session), func(d *iam.Document) bool { return d == nil })
}

// documents returns all policies.
func (s *scenario) documents() []*iam.Document {
	all := slices.Concat(s.identityBased(), s.ServiceControl, s.ResourceControl)
	if s.Policy != nil {
		all = append(all, s.Policy)
	}
	return all
}

// statements returns all statements of the policies.
func statements(policies []*iam.Document) []*iam.Statement {
	var all []*iam.Statement
	for _, d := range policies {
		for i := range d.Statements {
			all = append(all, &d.Statements[i])
		}
	}
	return all
}

// clone returns a copy of the scenario. The copy and the original share only data that never
// changes.
func (s *scenario) clone() *scenario {
	c := *s
	c.Context = maps.Clone(s.Context)
	c.Identity, c.ServiceControl, c.ResourceControl = cloneAll(s.Identity), cloneAll(s.ServiceControl), cloneAll(s.ResourceControl)
	c.Policy, c.Boundary, c.Session = cloneDocument(s.Policy), cloneDocument(s.Boundary), cloneDocument(s.Session)
	return &c
}

func cloneAll(list []*iam.Document) []*iam.Document {
	var copies []*iam.Document
	for _, d := range list {
		copies = append(copies, cloneDocument(d))
	}
	return copies
}

func cloneDocument(d *iam.Document) *iam.Document {
	if d == nil {
		return nil
	}
	c := *d
	c.Statements = slices.Clone(d.Statements)
	for i := range c.Statements {
		s := &c.Statements[i]
		for _, list := range []*[]string{&s.Actions, &s.NotActions, &s.Resources, &s.NotResources} {
			*list = slices.Clone(*list)
		}
		s.Principals, s.NotPrincipals = slices.Clone(s.Principals), slices.Clone(s.NotPrincipals)
		s.Conditions = slices.Clone(s.Conditions)
		for j := range s.Conditions {
			s.Conditions[j].Values = slices.Clone(s.Conditions[j].Values)
		}
	}
	return &c
}
