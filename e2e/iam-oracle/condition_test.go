package iamoracle_test

import (
	"slices"
	"strconv"
	"strings"

	"syncd/internal/iam"
)

// contextKey is a condition key that requests can contain, with possible values.
type contextKey struct {
	name   string
	family family
	many   bool     // multivalued
	only   []string // actions whose requests can contain the key; nil for all
	values []string
}

type family int

const (
	text family = iota
	arn
	boolean
	number
	date
	address
)

// operators are the condition operators of a family, without set operators and IfExists.
var operators = map[family][]string{
	text: {
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike", "BinaryEquals",
	},
	arn:     {"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringLike", "StringNotEquals"},
	boolean: {"Bool"},
	number: {
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
	},
	date: {
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
	},
	address: {"IpAddress", "NotIpAddress"},
}

var (
	dates   = []string{"2026-01-02T00:00:00Z", "2026-01-02", "2026-01-02T02:00:00+02:00", "2026-01", "1767312000", "1767312001", "2026-06-01T12:30Z"}
	numbers = []string{"0", "1", "9", "10", "10.0", "10.5", "-3", "99"}
)

// contextKeys are the keys that a request's context can contain. Keys derived from the caller are
// in [scenario.facts].
var contextKeys = []contextKey{
	{name: "aws:PrincipalTag/team", values: []string{"red", "blue", "Red", "a*c"}},
	{name: "aws:PrincipalTag/void", values: []string{""}},
	{name: "aws:PrincipalTag/none"},
	{name: "aws:PrincipalOrgID", values: []string{"o-a1b2c3d4e5", "o-other"}},
	{name: "aws:SourceVpce", values: []string{"vpce-1a2b", "vpce-3c4d"}},
	{name: "aws:RequestedRegion", values: []string{"us-west-2", "eu-west-1"}},
	{name: "s3:prefix", only: []string{"s3:ListBucket"}, values: []string{"", "exports/", "exports/a", "red/"}},
	{name: "s3:x-amz-server-side-encryption", only: []string{"s3:PutObject"}, values: []string{"aws:kms", "AES256"}},
	{name: "s3:ExistingObjectTag/team", only: []string{"s3:GetObject"}, values: []string{"red", "blue"}},
	{name: "sts:ExternalId", only: []string{"sts:AssumeRole"}, values: []string{"secret-1", "secret-2"}},
	{name: "kms:ViaService", only: []string{"kms:Decrypt", "kms:GenerateDataKey"}, values: []string{"s3.us-west-2.amazonaws.com", "sqs.us-west-2.amazonaws.com"}},
	{name: "aws:TagKeys", many: true, values: []string{"team", "stage", "Team", "cost-center"}},
	{name: "aws:PrincipalOrgPaths", many: true, values: []string{"o-a1b2c3d4e5/r-ab12/ou-ab12-1/", "o-a1b2c3d4e5/r-ab12/ou-ab12-2/", "o-other/r-x/"}},
	{name: "s3:RequestObjectTagKeys", many: true, only: []string{"s3:PutObject"}, values: []string{"team", "stage"}},
	{name: "aws:SourceArn", family: arn, values: []string{"arn:aws:s3:::owner-data", "arn:aws:sns:us-west-2:111111111111:events", "arn:aws:sqs:us-west-2:111111111111:a:b"}},
	{name: "aws:SecureTransport", family: boolean, values: []string{"true", "false"}},
	{name: "aws:MultiFactorAuthPresent", family: boolean, values: []string{"true", "false"}},
	{name: "aws:ViaAWSService", family: boolean, values: []string{"true", "false"}},
	{name: "s3:max-keys", family: number, only: []string{"s3:ListBucket"}, values: numbers},
	{name: "aws:MultiFactorAuthAge", family: number, values: numbers},
	{name: "aws:CurrentTime", family: date, values: dates},
	{name: "aws:EpochTime", family: date, values: []string{"1767312000", "1767312001", "1780317000"}},
	{name: "aws:TokenIssueTime", family: date, values: dates},
	{name: "aws:SourceIp", family: address, values: []string{"203.0.113.9", "198.51.100.1", "2001:db8::1", "2001:0DB8:0:0::1", "fd00::7"}},
}

// callerKeys are derived from the caller. Conditions use these keys, but the generated context does
// not contain them.
var callerKeys = []contextKey{
	{name: "aws:PrincipalArn", family: arn},
	{name: "aws:PrincipalAccount", values: []string{owner, consumer, "anonymous"}},
	{name: "aws:PrincipalType", values: []string{"User", "AssumedRole", "Account", "Anonymous"}},
	{name: "aws:PrincipalIsAWSService", family: boolean, values: []string{"true", "false"}},
	{name: "aws:PrincipalServiceName", values: services},
	{name: "aws:username", values: []string{"alice", "bob"}},
	{name: "aws:ResourceAccount", values: []string{owner, consumer}},
}

// applies reports whether requests for the action can contain the key.
func (k *contextKey) applies(action string) bool {
	return k.only == nil || slices.Contains(k.only, action)
}

func (g *generator) context() map[string][]string {
	all := map[string][]string{}
	for _, k := range contextKeys {
		if len(k.values) == 0 || !k.applies(g.Action) || g.chance(45) {
			continue
		}
		most := 1
		if k.many {
			most = 3
		}
		all[g.spelled(k.name, 10)] = some(g, most, func() string { return pick(g, k.values...) })
	}
	return all
}

// spelled returns the name of a key. With a probability of p percent it changes the case, which
// does not matter in key names.
func (g *generator) spelled(name string, p int) string {
	if g.chance(p) {
		return pick(g, strings.ToLower(name), strings.ToUpper(name))
	}
	return name
}

// key returns a key that the request can contain. It chooses the family first, so that families
// with few keys are not rare.
func (g *generator) key() contextKey {
	wanted := family(g.IntN(int(address) + 1))
	whatever := g.chance(50)
	keys := slices.DeleteFunc(slices.Concat(contextKeys, callerKeys), func(k contextKey) bool {
		return !k.applies(g.Action) || !whatever && k.family != wanted
	})
	return pick(g, keys...)
}

func (g *generator) condition(likely int) iam.Condition {
	k := g.key()
	c := iam.Condition{Key: g.spelled(k.name, 25)}
	if g.chance(10) {
		c.Operator, c.Values = "Null", []string{strconv.FormatBool((len(g.fact(k.name)) == 0) == g.chance(likely))}
		return c
	}
	base := pick(g, operators[k.family]...)
	c.Operator = base
	switch got := len(g.fact(k.name)); {
	case k.many && (got == 1 || g.chance(80)), g.chance(25):
		c.Operator = pick(g, "ForAllValues:", "ForAnyValue:") + base
	}
	if g.chance(35) {
		c.Operator += "IfExists"
	}
	if negated := strings.Contains(base, "Not"); negated {
		likely = 100 - likely
	}
	c.Values = some(g, 3, func() string { return g.value(&k, base, likely) })
	return c
}

// value returns a policy value for the operator. With a probability of likely percent it derives
// the value from the request.
func (g *generator) value(k *contextKey, base string, likely int) string {
	got := g.fact(k.name)
	if len(got) == 0 || !g.chance(likely) {
		return g.unrelated(k, base)
	}
	one := pick(g, got...)
	switch k.family {
	case text:
		return g.textLike(one, base)
	case arn:
		return g.arnLike(one, base)
	case boolean:
		return pick(g, one, one, strings.ToUpper(one))
	case address:
		return g.network(one)
	case number, date:
	}
	return one
}

func (g *generator) unrelated(k *contextKey, base string) string {
	switch k.family {
	case arn:
		return pick(g, "arn:aws:iam::"+owner+":role/auditor", "arn:aws:iam::*:user/carol", "arn:aws:sns:*:*:other", "arn:aws:s3:::owner?data")
	case address:
		return pick(g, "203.0.113.0/24", "198.51.100.0/25", "10.0.0.0/8", "192.0.2.1", "0.0.0.0/0", "2001:db8::/32", "::/0", "fd00::/8")
	case text:
		if variables := g.variables(base); variables != nil && g.chance(30) {
			return pick(g, variables...)
		}
	case boolean, number, date:
	}
	if len(k.values) == 0 {
		return "other"
	}
	return pick(g, k.values...)
}

// variables returns policy variables for an operator, or nil if the operator does not support
// variables.
func (g *generator) variables(base string) []string {
	if base == "BinaryEquals" {
		return nil
	}
	return []string{
		"${aws:PrincipalTag/team}", "${aws:PrincipalTag/none}", "${aws:PrincipalTag/void}", "${aws:username}", "${AWS:principaltag/TEAM}",
		"${aws:PrincipalTag/none, 'red'}", "${aws:PrincipalTag/void, 'exports/'}", "${aws:TagKeys}", "${*}", "${$}{aws:username}", "x${?}",
		"${aws:PrincipalTag/team, 'blue'}/",
	}
}

// textLike returns a policy value that often matches the request value one: the same text, a
// pattern that matches the text, or a policy variable whose value is the text.
func (g *generator) textLike(one, base string) string {
	list := []string{one, one, one}
	if one == "" {
		return pick(g, "", "", "x", "*")
	}
	switch base {
	case "StringLike", "StringNotLike":
		list = append(list, "*", one[:1]+"*", "*"+one[len(one)-1:], "?"+one[1:], one+"*", one+"?", one[:1]+"*"+one[1:])
	case "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase":
		list = append(list, strings.ToUpper(one), strings.ToLower(one))
	default:
		list = append(list, strings.ToUpper(one), one[:1]+"*")
	}
	if base != "BinaryEquals" {
		for name, values := range g.facts() {
			if len(values) == 1 && values[0] == one && !strings.ContainsAny(name, "' ,") {
				list = append(list, "${"+name+"}")
			}
		}
	}
	slices.Sort(list) // map order is random
	return pick(g, list...)
}

// arnLike returns a pattern that probably matches the ARN one. Under an ARN operator, the pattern
// has six components.
func (g *generator) arnLike(one, base string) string {
	fields := strings.SplitN(one, ":", 6)
	tail := fields[5]
	if strings.HasPrefix(base, "String") {
		return pick(g, one, one, "*", one[:len(one)-1]+"?", "arn:*")
	}
	switch g.IntN(7) {
	case 0:
		fields[4] = "*"
	case 1:
		fields[5] = "*"
	case 2:
		fields[5] = tail[:1] + "*"
	case 3:
		fields[5] = tail[:len(tail)-1] + "?"
	case 4:
		fields[1], fields[3] = "a*", "*"
	case 5:
		fields[4] = "1*"
	}
	return strings.Join(fields, ":")
}

// network returns the address one, or a network that probably contains that address.
func (g *generator) network(one string) string {
	if strings.Contains(one, ":") {
		return pick(g, one, strings.ToLower(one), one+"/128", one+"/64", "2001:db8::/32", "::/0")
	}
	return pick(g, one, one+"/32", one+"/24", one+"/8", "0.0.0.0/0", one+"/31")
}
