package iamoracle_test

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/internal/iam"
)

// difference is a case in which the oracle decides differently from AWS's documentation.
type difference struct {
	name          string
	sentence, url string // from AWS's documentation, which internal/iam follows
	// restate rewrites the scenario into a scenario with the same meaning, for which the oracle
	// decides as AWS does. It returns false if there was nothing to rewrite. It only applies the
	// sentence of the documentation, and does not call internal/iam. An entry explains a difference
	// only if the oracle makes the same decision as internal/iam for the rewritten scenario.
	restate func(*scenario) bool
}

const guide = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"

// differences lists all known differences. An entry that does not explain any scenario on its own
// is stale and fails the run.
var differences = []difference{
	{
		name: "variables need Version 2012-10-17",
		sentence: "If you don't include the Version element and set it to an appropriate version date, variables like ${aws:username} are " +
			"treated as literal strings in the policy.",
		url:     guide + "reference_policies_variables.html#policy-vars-using-variables",
		restate: restateVersion,
	},
	{
		name: "an empty value is null",
		sentence: "The ForAllValues qualifier returns true if there are no context keys in the request or if the context key value resolves " +
			"to a null dataset, such as an empty string. To prevent missing context keys or context keys with empty values from evaluating to " +
			"true, you can include the Null condition operator in your policy with a false value to check if the context key exists and its " +
			"value is not null.",
		url:     guide + "reference_policies_elements_condition_operators.html#Conditions_ARN",
		restate: restateNull,
	},
	{
		name: "a variable without a value under a negated operator",
		sentence: "Inverted condition operators like StringNotEquals or StringNotLike do match against a null value, as the value of the " +
			"condition key they are testing against is not equal to or like the effectively null value.",
		url:     guide + "reference_policies_variables.html#policy-vars-no-value",
		restate: restateNegated,
	},
	{
		name: "a variable without a value in NotResource",
		sentence: "If a variable that has no value in the authorization context is used as part of the Resource or NotResource element of a " +
			"policy, the resource that includes a policy variable with no value will not match any resource.",
		url:     guide + "reference_policies_variables.html#policy-vars-no-value",
		restate: restateUnresolved,
	},
	{
		name: "an ARN cut short in NotResource",
		sentence: "When you specify an incomplete ARN (one with fewer than the standard six fields) in an identity-based policy, AWS " +
			"automatically completes the ARN by adding wildcard characters (*) to all missing fields.",
		url:     guide + "reference_identifiers.html#identifiers-arns",
		restate: restateShort,
	},
	{
		name:     "a wildcard that ends a segment",
		sentence: "If the * wildcard is the last character of a resource ARN segment, it can expand to match beyond the colon boundaries.",
		url:      guide + "reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards",
		restate:  restateRunOn,
	},
	{
		name: "dates in seconds",
		sentence: "You must specify date/time values with one of the W3C implementations of the ISO 8601 date formats or in epoch " +
			"(UNIX) time.",
		url:     guide + "reference_policies_elements_condition_operators.html#Conditions_Date",
		restate: restateDates,
	},
	{
		name: "networks and addresses",
		sentence: "The value must be in the standard CIDR format (for example, 203.0.113.0/24 or 2001:DB8:1234:5678::/64). " +
			"NotIpAddress: All IP addresses except the specified IP address or range.",
		url:     guide + "reference_policies_elements_condition_operators.html#Conditions_IPAddress",
		restate: restateNetworks,
	},
	{
		name: "NotPrincipal lists the account too",
		sentence: "When you use NotPrincipal, you must also specify the account ARN of the not-denied principal. Otherwise, the policy might " +
			"deny access to the entire account containing the principal. [...] If an assumed-role user (someone who is using a role) is being " +
			"evaluated, AWS might validate the account first, then the role, and then the assumed-role user.",
		url:     guide + "reference_policies_elements_notprincipal.html",
		restate: restateNotPrincipal,
	},
	{
		name: "the owner's root user and the bucket policy",
		sentence: "As a security precaution, the root user of the AWS account that owns a bucket can always use this operation, even if the " +
			"policy explicitly denies the root user the ability to perform this action.",
		url:     "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html",
		restate: restateOwner,
	},
	{
		name: "a grant to the session itself",
		sentence: "Permissions granted directly to a session are not limited by an implicit deny in an identity-based policy, a permissions " +
			"boundary, or session policy.",
		url:     guide + "reference_policies_evaluation-logic_policy-eval-denyallow.html",
		restate: restateDirectGrant,
	},
}

// restateVersion escapes ${ in documents whose version does not support variables.
func restateVersion(s *scenario) bool {
	changed := false
	for _, d := range s.documents() {
		if d.Version == iam.Version2012 || !strings.Contains(d.String(), "${") {
			continue
		}
		d.Version, changed = iam.Version2012, true
		for _, st := range statements([]*iam.Document{d}) {
			escapeVariables(st.Resources)
			escapeVariables(st.NotResources)
			for _, c := range st.Conditions {
				if takesVariables(c.Operator) {
					escapeVariables(c.Values)
				}
			}
		}
	}
	return changed
}

func escapeVariables(list []string) {
	for i := range list {
		list[i] = strings.ReplaceAll(list[i], "${", "${$}{")
	}
}

func takesVariables(operator string) bool {
	return strings.Contains(operator, "String") || strings.Contains(operator, "Arn")
}

// never is a condition that is false for every request.
var never = iam.Condition{Operator: "StringEquals", Key: "aws:SourceVpc", Values: []string{"nowhere"}}

// restateNull rewrites conditions on a key whose value is empty: it removes a condition that is
// true, and replaces a condition that is false by never.
func restateNull(s *scenario) bool {
	changed := false
	for _, st := range statements(s.documents()) {
		var kept []iam.Condition
		for _, c := range st.Conditions {
			got := s.fact(c.Key)
			switch {
			case len(got) != 1 || got[0] != "":
				kept = append(kept, c)
				continue
			case c.Operator == "Null" && c.Values[0] == "true", strings.HasPrefix(c.Operator, "ForAllValues:"): // true
			case c.Operator == "Null", strings.HasPrefix(c.Operator, "ForAnyValue:"):
				kept = append(slices.DeleteFunc(kept, func(c iam.Condition) bool { return c.Key == never.Key }), never)
			default:
				kept = append(kept, c)
				continue
			}
			changed = true
		}
		st.Conditions = kept
	}
	return changed
}

var variable = regexp.MustCompile(`\$\{([^},]*:[^},]*)\}`)

// unresolved reports whether the text contains a variable without a value and without a default. A
// variable of a multivalued key has no value: "You can't use a multivalued condition key as a
// variable".
func (s *scenario) unresolved(text string) bool {
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		many := slices.ContainsFunc(contextKeys, func(k contextKey) bool { return k.many && strings.EqualFold(k.name, m[1]) })
		if got := s.fact(m[1]); len(got) != 1 || got[0] == "" || many {
			return true
		}
	}
	return false
}

// restateNegated replaces an unresolved variable under a negated operator with a value that matches
// nothing.
func restateNegated(s *scenario) bool {
	changed := false
	for _, d := range s.documents() {
		if d.Version != iam.Version2012 {
			continue
		}
		for _, st := range statements([]*iam.Document{d}) {
			for _, c := range st.Conditions {
				for i, value := range c.Values {
					if strings.Contains(c.Operator, "Not") && takesVariables(c.Operator) && s.unresolved(value) {
						c.Values[i], changed = "arn:aws:none:::nothing", true
					}
				}
			}
		}
	}
	return changed
}

// restateUnresolved removes patterns with unresolved variables from NotResource, because these
// patterns match nothing.
func restateUnresolved(s *scenario) bool {
	changed := false
	for _, d := range s.documents() {
		if d.Version != iam.Version2012 {
			continue
		}
		for _, st := range statements([]*iam.Document{d}) {
			if st.NotResources == nil {
				continue
			}
			before := len(st.NotResources)
			st.NotResources = slices.DeleteFunc(st.NotResources, s.unresolved)
			changed = changed || len(st.NotResources) < before
			if len(st.NotResources) == 0 {
				st.NotResources, st.Resources = nil, []string{"*"}
			}
		}
	}
	return changed
}

// restateShort adds the missing fields of ARNs in NotResource.
func restateShort(s *scenario) bool {
	changed := false
	for _, st := range statements(s.identityBased()) {
		for i, pattern := range st.NotResources {
			if missing := 5 - strings.Count(pattern, ":"); missing > 0 && pattern != "*" {
				st.NotResources[i], changed = pattern+strings.Repeat(":*", missing), true
			}
		}
	}
	return changed
}

// restateRunOn replaces a pattern by the resource of the request, if a * ends a segment of the
// pattern other than the last, and the pattern matches the resource.
func restateRunOn(s *scenario) bool {
	changed := false
	for _, st := range statements(s.documents()) {
		for _, list := range [][]string{st.Resources, st.NotResources} {
			for i, pattern := range list {
				if strings.Contains(pattern, "*:") && !strings.Contains(pattern, "${") && runOn(pattern).MatchString(s.Resource) {
					list[i], changed = strings.ReplaceAll(s.Resource, "${", "?{"), true
				}
			}
		}
	}
	return changed
}

// runOn converts the pattern to a regular expression.
func runOn(pattern string) *regexp.Regexp {
	var b strings.Builder
	for i, field := range strings.SplitAfterN(pattern, ":", 6) {
		within := "[^:]"
		if i == 5 {
			within = "."
		}
		name, colon := strings.CutSuffix(field, ":")
		body, run := strings.CutSuffix(name, "*")
		expression := strings.NewReplacer(`\*`, within+"*", `\?`, within).Replace(regexp.QuoteMeta(body))
		if run {
			expression += ".*"
		}
		b.WriteString(expression)
		if colon {
			b.WriteByte(':')
		}
	}
	return regexp.MustCompile("^" + b.String() + "$")
}

// restateDates converts dates in seconds to ISO 8601.
func restateDates(s *scenario) bool {
	changed := false
	for _, st := range statements(s.documents()) {
		for _, c := range st.Conditions {
			if !strings.Contains(c.Operator, "Date") {
				continue
			}
			changed = isoDates(c.Values) || changed
			for name, values := range s.Context {
				if strings.EqualFold(name, c.Key) {
					values = slices.Clone(values)
					changed = isoDates(values) || changed
					s.Context[name] = values
				}
			}
		}
	}
	return changed
}

func isoDates(list []string) bool {
	changed := false
	for i, one := range list {
		if seconds, err := strconv.ParseInt(one, 10, 64); err == nil {
			list[i], changed = time.Unix(seconds, 0).UTC().Format(time.RFC3339), true
		}
	}
	return changed
}

// restateNetworks writes all networks and addresses in one form. It writes addresses in policies as
// networks, and 0.0.0.0/0 as two halves.
func restateNetworks(s *scenario) bool {
	changed := false
	for _, st := range statements(s.documents()) {
		for i, c := range st.Conditions {
			if !strings.Contains(c.Operator, "IpAddress") {
				continue
			}
			changed = true
			var all []string
			for _, value := range c.Values {
				all = append(all, networks(value)...)
			}
			st.Conditions[i].Values = all
			for name, values := range s.Context {
				if strings.EqualFold(name, c.Key) {
					s.Context[name] = []string{netip.MustParseAddr(values[0]).String()}
				}
			}
		}
	}
	return changed
}

func networks(value string) []string {
	if value == "0.0.0.0/0" {
		return []string{"0.0.0.0/1", "128.0.0.0/1"}
	}
	if ip, err := netip.ParseAddr(value); err == nil {
		return []string{netip.PrefixFrom(ip, ip.BitLen()).String()}
	}
	return []string{netip.MustParsePrefix(value).Masked().String()}
}

// restateNotPrincipal replaces NotPrincipal by the principal everyone. If NotPrincipal lists every
// name of the caller, the statement gets a condition that is never true. Scenarios with a boundary
// are skipped: a statement with NotPrincipal always denies there, and the oracle decides correctly.
func restateNotPrincipal(s *scenario) bool {
	if s.Policy == nil || s.Boundary != nil {
		return false
	}
	changed := false
	for _, st := range statements([]*iam.Document{s.Policy}) {
		if st.NotPrincipals == nil {
			continue
		}
		if s.allNamesIn(st.NotPrincipals) {
			st.Conditions = []iam.Condition{never}
		}
		st.NotPrincipals, st.Principals, changed = nil, []iam.Principal{{Kind: iam.AnyPrincipal}}, true
	}
	return changed
}

// restateOwner disables the Deny statements of the bucket policy.
func restateOwner(s *scenario) bool {
	if s.Policy == nil || !s.Caller.Root || s.crossAccount() || !strings.HasSuffix(s.Action, "BucketPolicy") {
		return false
	}
	changed := false
	for _, st := range statements([]*iam.Document{s.Policy}) {
		if st.Effect == iam.Deny {
			st.Conditions, changed = []iam.Condition{never}, true
		}
	}
	return changed
}

// restateDirectGrant leaves only the grants that the resource policy makes to the session or to
// everyone. It disables the Allow statements in the caller's policies and removes the role and the
// account from the resource policy's principals.
func restateDirectGrant(s *scenario) bool {
	if s.Session == nil || s.Policy == nil || s.crossAccount() {
		return false
	}
	s.Identity, s.Session = append(s.Identity, s.Session), nil
	if s.Boundary != nil {
		s.Identity, s.Boundary = append(s.Identity, s.Boundary), iam.MustParse(fullAccess)
	}
	for _, st := range statements(s.Identity) {
		if st.Effect == iam.Allow {
			st.Conditions = []iam.Condition{never}
		}
	}
	for _, st := range statements([]*iam.Document{s.Policy}) {
		if st.Effect == iam.Deny || st.NotPrincipals != nil {
			continue
		}
		st.Principals = slices.DeleteFunc(st.Principals, func(p iam.Principal) bool {
			return p.ID == s.Caller.RoleARN || p.ID == s.Caller.Account || p.ID == root(s.Caller.Account)
		})
		if len(st.Principals) == 0 {
			st.Principals = []iam.Principal{aws(stranger)}
		}
	}
	return true
}
