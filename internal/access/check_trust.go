package access

import (
	"cmp"
	"slices"
	"strings"
)

func (c *elementChecker) checkAssumable() {
	if !c.d.policy.allows("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML") {
		c.report(noAssumeRole, c.d.root.find("Statement"), "no statement allows sts:AssumeRole", "add a statement that does, or sts:AssumeRole to one")
	}
	if !c.d.policy.allows("sts:TagSession") {
		c.checkTagSession()
	}
}

// checkTagSession finds a statement that asks for session tags where nobody may pass any: AssumeRole with tags is allowed only to who is
// allowed sts:TagSession too ("Pass session tags in AWS STS", IAM User Guide).
func (c *elementChecker) checkTagSession() {
	onTags := func(cl clause) bool {
		key := strings.ToLower(cl.key.text)
		asked := cl.demands() || cl.family == "Null" && !cl.holdsWithout()
		return asked && (strings.HasPrefix(key, "aws:requesttag/") || key == "aws:tagkeys" || key == "sts:transitivetagkeys")
	}
	for _, s := range c.d.policy.statements {
		i := slices.IndexFunc(s.clauses, onTags)
		if s.effect == "Allow" && i >= 0 && s.mentions("sts:AssumeRole") {
			c.report(noTagSession, s.find("Action", "NotAction"), "the statement asks for session tags, and none allows sts:TagSession: nobody can assume the role with them",
				`add {"Effect": "Allow", "Principal": ..., "Action": "sts:TagSession"} for the same principal, in a statement without sts:ExternalId`)
			return
		}
	}
}

// checkOneBucket finds resources of another bucket than the first that the policy names.
func (c *elementChecker) checkOneBucket() {
	first := ""
	for _, s := range c.d.policy.statements {
		for _, r := range slices.Concat(s.resources, s.notResources) {
			a := parseARN(r.text)
			name, _, _ := strings.Cut(a.resource, "/")
			if r.text == "*" || a.service == "s3" && !hasRegion(a) && strings.HasPrefix(name, "*") {
				c.report(foreignResource, r, r.text+" is more than one bucket: S3 stores no bucket policy with such a resource",
					"write arn:aws:s3:::NAME for the bucket, arn:aws:s3:::NAME/* for its objects")
				continue
			}
			if a.service != "s3" || wild(name) || hasRegion(a) || resourceFault(r.text).message != "" {
				continue
			}
			if first == "" {
				first = name
			}
			if name != first {
				c.report(foreignResource, r, "the bucket "+name+" beside "+first+": a bucket policy is about one bucket",
					"move it to the policy of "+name)
			}
		}
	}
}

// checkOnePoint finds resources that are no access point, or another than the first that the policy names.
func (c *elementChecker) checkOnePoint() {
	first := c.d.policy.accessPoint()
	for _, s := range c.d.policy.statements {
		for _, r := range slices.Concat(s.resources, s.notResources) {
			point := pointOf(r.text)
			if a := parseARN(r.text); point == first || a.service != "s3" || wild(a.resource[:min(1, len(a.resource))]) || resourceFault(r.text).message != "" {
				continue
			}
			what := cmp.Or(point, r.text)
			c.report(foreignResource, r, what+" beside "+first+": the policy of an access point is about one access point", "move it to the policy of "+what)
		}
	}
}
