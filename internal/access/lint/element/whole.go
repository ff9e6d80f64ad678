package element

import (
	"cmp"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/access/lint/document"
	"syncd/internal/arn"
)

func (c *checker) checkAssumable() {
	if !c.d.Policy.Allows("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML") {
		c.report(noAssumeRole, c.d.Root.Find("Statement"), "no statement allows sts:AssumeRole", "add a statement that allows it, or add sts:AssumeRole to an existing statement")
	}
	if !c.d.Policy.Allows("sts:TagSession") {
		c.checkTagSession()
	}
}

// checkTagSession reports a statement that requires session tags although no statement allows
// passing any. AssumeRole with tags requires sts:TagSession too (IAM User Guide, "Pass session tags
// in AWS STS").
func (c *checker) checkTagSession() {
	onTags := func(cl document.Clause) bool {
		key := strings.ToLower(cl.Key.Text)
		asked := cl.Demands() || cl.Family == "Null" && !cl.HoldsWithout()
		return asked && (strings.HasPrefix(key, "aws:requesttag/") || key == "aws:tagkeys" || key == "sts:transitivetagkeys")
	}
	for _, s := range c.d.Policy.Statements {
		i := slices.IndexFunc(s.Clauses, onTags)
		if s.Effect == "Allow" && i >= 0 && s.Mentions("sts:AssumeRole") {
			c.report(noTagSession, s.Find("Action", "NotAction"), "the statement requires session tags, but no statement allows sts:TagSession: no principal can assume the role with tags",
				`add {"Effect": "Allow", "Principal": ..., "Action": "sts:TagSession"} for the same principal, in a statement without sts:ExternalId`)
			return
		}
	}
}

// checkOneBucket reports resources of any bucket other than the first bucket in the policy.
func (c *checker) checkOneBucket() {
	first := ""
	for _, s := range c.d.Policy.Statements {
		for _, r := range slices.Concat(s.Resources, s.NotResources) {
			a, _ := arn.Split(r.Text)
			name := arn.BucketOf(r.Text)
			if r.Text == "*" || a.Service == "s3" && !hasRegion(a) && strings.HasPrefix(name, "*") {
				c.report(foreignResource, r, r.Text+" matches more than one bucket: S3 rejects a bucket policy with such a resource",
					"write arn:aws:s3:::NAME for the bucket, arn:aws:s3:::NAME/* for its objects")
				continue
			}
			if a.Service != "s3" || access.IsPattern(name) || hasRegion(a) || resourceFault(r.Text).message != "" {
				continue
			}
			if first == "" {
				first = name
			}
			if name != first {
				c.report(foreignResource, r, "the policy names bucket "+name+" in addition to "+first+": a bucket policy applies to only one bucket",
					"move it to the policy of "+name)
			}
		}
	}
}

// checkOnePoint reports resources of any access point other than the first access point in the
// policy, and resources that are not access points.
func (c *checker) checkOnePoint() {
	first := c.d.Policy.AccessPoint()
	for _, s := range c.d.Policy.Statements {
		for _, r := range slices.Concat(s.Resources, s.NotResources) {
			point := access.PointOf(r.Text)
			if a, _ := arn.Split(r.Text); point == first || a.Service != "s3" || access.IsPattern(a.Resource[:min(1, len(a.Resource))]) || resourceFault(r.Text).message != "" {
				continue
			}
			what := cmp.Or(point, r.Text)
			c.report(foreignResource, r, "the policy names "+what+" in addition to "+first+": an access point policy applies to only one access point", "move it to the policy of "+what)
		}
	}
}
