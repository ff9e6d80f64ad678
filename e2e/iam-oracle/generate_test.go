package iamoracle_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"syncd/internal/iam"
)

const (
	owner    = "111111111111"
	consumer = "222222222222"
	stranger = "333333333333"
)

// generator generates scenarios. It omits what AWS's documentation leaves open: a multivalued key
// with one value and without a set operator, an ARN with fewer than six fields in a condition, an
// empty default of a variable, an IPv6 address without a prefix length near another, and variables
// under Bool. It also omits what AWS does not store: an incomplete ARN in a session policy or an
// organization's policy.
type generator struct {
	*rand.Rand
	*scenario
	target target
}

// generate returns the scenario with the given number. The same seed and number always give the
// same scenario.
func generate(seed, number uint64) *scenario {
	g := generator{Rand: rand.New(rand.NewPCG(seed, number)), scenario: &scenario{}}
	g.request()
	g.Context = g.context()
	g.policies()
	mentions := g.mentions()
	maps.DeleteFunc(g.Context, func(key string, _ []string) bool { return !mentions(key) })
	return g.scenario
}

// chance returns true with a probability of p percent.
func (g *generator) chance(p int) bool { return g.IntN(100) < p }

func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

// some returns a list of 1 to most elements. It calls make for each element, and leaves out
// duplicates.
func some(g *generator, most int, make func() string) []string {
	var list []string
	for range 1 + g.IntN(most) {
		if one := make(); !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list
}

// target describes what a request can be about.
type target struct {
	kind      iam.ResourceKind
	actions   []string
	resources []string
	ownPolicy int // how many in a hundred have a resource policy
	signed    bool
	roots     int // how many callers in a hundred are root users
	weight    int
}

var targets = []target{
	{
		kind: iam.Bucket, weight: 40, ownPolicy: 80, roots: 10,
		actions: []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:GetObjectTagging"},
		resources: []string{
			"arn:aws:s3:::owner-data/exports/a", "arn:aws:s3:::owner-data/exports/2026/+b", "arn:aws:s3:::owner-data/red/x",
			"arn:aws:s3:::owner-data/exports/a:b:c", "arn:aws:s3:::owner-data/größe", "arn:aws:s3:::owner-data/${aws:username}",
		},
	},
	{
		kind: iam.Bucket, weight: 15, ownPolicy: 80, roots: 10,
		actions:   []string{"s3:ListBucket", "s3:GetBucketLocation"},
		resources: []string{"arn:aws:s3:::owner-data"},
	},
	{
		kind: iam.Bucket, weight: 10, ownPolicy: 90, roots: 40,
		actions:   []string{"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"},
		resources: []string{"arn:aws:s3:::owner-data"},
	},
	{
		kind: iam.Key, weight: 20, ownPolicy: 100, signed: true, roots: 10,
		actions:   []string{"kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"},
		resources: []string{"arn:aws:kms:us-west-2:111111111111:key/0f1e2d3c"},
	},
	{
		// The field roots is 0, because a root user cannot assume roles.
		kind: iam.Trust, weight: 20, ownPolicy: 100, signed: true,
		actions:   []string{"sts:AssumeRole", "sts:TagSession"},
		resources: []string{"arn:aws:iam::111111111111:role/reader"},
	},
	{
		kind: iam.Queue, weight: 15, ownPolicy: 80, roots: 10,
		actions:   []string{"sqs:SendMessage", "sqs:ReceiveMessage"},
		resources: []string{"arn:aws:sqs:us-west-2:111111111111:events"},
	},
	{kind: iam.Bucket, weight: 3, signed: true, roots: 10, actions: []string{"s3:ListAllMyBuckets"}, resources: []string{"*"}},
}

func (g *generator) request() {
	total := 0
	for _, t := range targets {
		total += t.weight
	}
	at := g.IntN(total)
	for _, t := range targets {
		if at -= t.weight; at < 0 {
			g.target = t
			break
		}
	}
	g.Kind, g.Owner = g.target.kind, owner
	g.Action, g.Resource = pick(g, g.target.actions...), pick(g, g.target.resources...)
	g.Caller = g.caller()
	if g.Resource == "*" {
		g.Owner = ""
	}
}

func (g *generator) caller() iam.Caller {
	account := pick(g, owner, owner, owner, consumer, consumer)
	if g.chance(g.target.roots) {
		return iam.Caller{ARN: root(account), Account: account, Root: true}
	}
	switch n := g.IntN(100); {
	case n < 52:
		return session(account, pick(g, "role/sync/reader", "role/writer"))
	case n < 84:
		return iam.Caller{ARN: "arn:aws:iam::" + account + ":user/" + pick(g, "alice", "eng/team/bob"), Account: account}
	case n < 92 && g.Resource != "*":
		return iam.Caller{Service: pick(g, services...)}
	case !g.target.signed:
		return iam.Caller{}
	}
	return session(account, "role/writer")
}

var services = []string{"logging.s3.amazonaws.com", "cloudtrail.amazonaws.com"}

func session(account, role string) iam.Caller {
	return iam.Caller{
		ARN:     "arn:aws:sts::" + account + ":assumed-role/" + role[strings.LastIndexByte(role, '/')+1:] + "/nightly",
		RoleARN: "arn:aws:iam::" + account + ":" + role,
		Account: account,
	}
}

func root(account string) string { return "arn:aws:iam::" + account + ":root" }

// policies gives the caller policies that its type can have.
func (g *generator) policies() {
	if g.chance(g.target.ownPolicy) {
		g.Policy = g.document(ofResource)
	}
	if g.chance(20) && g.Owner != "" {
		for range 1 + g.IntN(2) {
			g.ResourceControl = append(g.ResourceControl, g.document(ofResourceControl))
		}
	}
	if g.Caller.Account == "" {
		return
	}
	if g.chance(25) {
		g.ServiceControl = []*iam.Document{g.document(ofServiceControl)}
		if g.chance(70) {
			g.ServiceControl = append(g.ServiceControl, iam.MustParse(fullAccess))
		}
	}
	if g.Caller.Root {
		return
	}
	for range pick(g, 0, 1, 1, 1, 1, 2) {
		g.Identity = append(g.Identity, g.document(ofIdentity))
	}
	if g.chance(30) {
		g.Boundary = g.document(ofIdentity)
	}
	if g.Caller.RoleARN != "" && g.chance(35) {
		g.Session = g.document(ofSession)
	}
}

// place is where a policy is attached.
type place int

const (
	ofIdentity place = iota
	ofSession
	ofServiceControl
	ofResourceControl
	ofResource
)

func (g *generator) document(at place) *iam.Document {
	d := &iam.Document{Version: iam.Version2012}
	if at != ofResourceControl { // RCPs need version 2012-10-17
		d.Version = pick(g, iam.Version2012, iam.Version2012, iam.Version2012, iam.Version2012, iam.Version2012, iam.Version2012, iam.Version2008, "")
	}
	for range pick(g, 1, 1, 2, 3) {
		d.Statements = append(d.Statements, g.statement(at))
	}
	return d
}

func (g *generator) statement(at place) iam.Statement {
	s := iam.Statement{Effect: iam.Allow}
	if at == ofResourceControl || g.chance(18) {
		s.Effect = iam.Deny
	}
	// If Deny statements always matched, nothing would be allowed.
	likely := 93
	if s.Effect == iam.Deny {
		likely = 60
	}
	g.actions(&s, at, likely)
	if at == ofResource {
		g.principals(&s, likely)
	}
	if at == ofResourceControl {
		s.Principals = []iam.Principal{{Kind: iam.AnyPrincipal}}
	}
	if at != ofResource || g.Kind != iam.Trust {
		g.resources(&s, at, likely)
	}
	for range pick(g, 0, 0, 0, 1, 1, 2) {
		if c := g.condition(likely); !slices.ContainsFunc(s.Conditions, func(o iam.Condition) bool { return o.Operator == c.Operator && o.Key == c.Key }) {
			s.Conditions = append(s.Conditions, c)
		}
	}
	return s
}

// actions sets the actions of a statement. In a resource control policy, an action is never just *,
// and the statement never has NotAction.
func (g *generator) actions(s *iam.Statement, at place, likely int) {
	service, name, _ := strings.Cut(g.Action, ":")
	all := "*"
	if at == ofResourceControl {
		all = service + ":*"
	}
	match := func() string {
		return pick(g, all, g.Action, g.Action, service+":*", strings.ToUpper(service)+":"+strings.ToLower(name),
			service+":"+name[:3]+"*", service+":*"+name[4:], service+":"+name[:2]+"?"+name[3:], service+":*"+name[2:5]+"*")
	}
	miss := func() string {
		return pick(g, service+":Abort*", service+":"+name+"s", service+":"+name[:4], service+":"+name[1:]+"*", service+":?"+name)
	}
	hit := g.chance(likely)
	list := some(g, 2, func() string {
		if hit {
			return match()
		}
		return miss()
	})
	if at != ofResourceControl && g.chance(12) {
		s.NotActions = some(g, 2, func() string {
			if hit {
				return miss()
			}
			return match()
		})
		return
	}
	s.Actions = list
}

func (g *generator) resources(s *iam.Statement, at place, likely int) {
	hit := g.chance(likely)
	list := func(hit bool) []string {
		return some(g, 2, func() string {
			if hit {
				return g.near(at)
			}
			return g.far(at)
		})
	}
	if g.chance(12) {
		s.NotResources = list(!hit)
		return
	}
	s.Resources = list(hit)
}

// near returns a pattern that probably matches the resource; far returns a pattern that does not
// match it.
func (g *generator) near(at place) string {
	fields := strings.SplitN(g.Resource, ":", 6)
	if len(fields) < 6 {
		return pick(g, "*", "*", "arn:aws:s3:::*")
	}
	head, tail := strings.Join(fields[:5], ":")+":", escaped(fields[5])
	patterns := []string{
		"*", "*", head + "*", head + tail, head + tail, head + tail[:4] + "*", head + "*" + tail[len(tail)-1:],
		head + tail[:len(tail)-1] + "?", head + tail[:len(tail)/2] + "*" + tail[len(tail)/2:],
		strings.Join(fields[:3], ":") + ":*:*:" + tail, strings.Join(fields[:3], ":") + ":*:*:*",
		head + strings.ReplaceAll(tail, "red", "${aws:PrincipalTag/team}"),
		head + strings.ReplaceAll(tail, "exports", "${aws:PrincipalTag/none, 'exports'}"),
		head + strings.ReplaceAll(tail, "owner", "${aws:PrincipalTag/void, 'owner'}"),
		head + "${aws:PrincipalTag/none}*", head + "*${aws:PrincipalTag/void}", head + "*${aws:username}*",
	}
	if fields[3] != "" {
		patterns = append(patterns, strings.Join(fields[:3], ":")+":us-*-2:"+fields[4][:3]+"*:"+tail)
	}
	if strings.Count(g.Resource, ":") > 5 {
		patterns = append(patterns, strings.Join(fields[:3], ":")+":*:b:c")
	}
	return pick(g, g.cutShort(at, patterns, fields)...)
}

// cutShort adds ARNs with fewer than six fields where AWS accepts them: in identity-based policies,
// and, if the ARN ends in *, in service control policies and resource policies too.
func (g *generator) cutShort(at place, patterns, fields []string) []string {
	for n := 3; n < 6; n++ {
		short := strings.Join(fields[:n], ":")
		switch at {
		case ofIdentity:
			patterns = append(patterns, short, short+":*")
		case ofServiceControl, ofResource:
			patterns = append(patterns, short+":*")
		case ofSession, ofResourceControl:
		}
	}
	return patterns
}

// escaped returns text as a pattern that matches only itself, in a document of any version.
func escaped(text string) string { return strings.ReplaceAll(text, "${", "?{") }

func (g *generator) far(at place) string {
	fields := strings.SplitN(g.Resource, ":", 6)
	if len(fields) < 6 {
		return "arn:aws:s3:::*"
	}
	head, tail := strings.Join(fields[:5], ":")+":", escaped(fields[5])
	patterns := []string{
		head + tail + "x", head + tail[:len(tail)-1], head + strings.ToUpper(tail), head + "?", head + tail + "/?*",
		head + tail[:3] + "${*}", head + "${aws:PrincipalTag/none}", head + "${aws:PrincipalTag/team}/nothing*",
		"arn:aws:dynamodb:us-west-2:111111111111:table/a", "arn:aws-cn:" + strings.Join(fields[2:5], ":") + ":*",
		strings.Join(fields[:3], ":") + ":eu-*:*:" + tail,
	}
	if at == ofIdentity {
		patterns = append(patterns, "arn:aws:dynamodb", "arn:aws:dynamodb:*", strings.Join(fields[:3], ":")+":eu-west-1", "arn:aws-cn:"+fields[2])
	}
	return pick(g, patterns...)
}
