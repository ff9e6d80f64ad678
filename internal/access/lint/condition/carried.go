package condition

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/access/lint/document"
	"syncd/internal/arn"
)

// checkCarried reports condition keys that requests of a named principal never contain. The sources
// are the availability of each key in "AWS global condition context keys" and, for sts:ExternalId,
// "IAM and AWS STS condition context keys" (IAM User Guide). Principal * is not a named principal,
// because it includes services.
func (c *checker) checkCarried(s *document.Statement) {
	for _, cl := range s.Clauses {
		if cl.Family == "Null" || cl.IfExists || cl.Set == "ForAllValues" {
			continue
		}
		for _, p := range s.Principals {
			if lacks(p, cl.Key.Text) {
				c.report(keyOfOthers, cl.Key, "requests of "+p.ID.Text+" never contain "+cl.Key.Text+": "+effectOfAbsence(s, cl), instead(p, cl.Key.Text))
				break
			}
		}
	}
	c.checkUserName(s)
}

func effectOfAbsence(s *document.Statement, cl document.Clause) string {
	switch {
	case cl.Negated:
		return "the condition always matches"
	case s.Effect == "Deny":
		return "the statement never denies them"
	}
	return "the statement never allows them"
}

// lacks reports whether requests of the principal never contain the key.
func lacks(p document.Principal, key string) bool {
	key = strings.ToLower(key)
	switch p.Kind {
	case "Service":
		// Amazon Cognito and VM Import/Export send the ExternalId that their customers choose
		// (Amazon Cognito Developer Guide, "SMS message settings"; VM Import/Export User Guide,
		// "Required permissions").
		sends := slices.Contains([]string{"cognito-idp.amazonaws.com", "vmie.amazonaws.com"}, p.ID.Text)
		return key == "sts:externalid" && !sends || strings.HasPrefix(key, "aws:principaltag/") ||
			slices.Contains([]string{"aws:principalorgid", "aws:principalorgpaths", "aws:username"}, key)
	case "AWS":
		ofService := slices.Contains([]string{"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"}, key)
		return p.ID.Text != "*" && ofService || key == "aws:username" && p.IsRole()
	}
	return false
}

// instead returns the fix for a key that the principal lacks.
func instead(p document.Principal, key string) string {
	switch lower := strings.ToLower(key); {
	case p.Kind == "AWS" && lower == "aws:username":
		return "use aws:PrincipalTag, or aws:userid, which ends with the name of the session"
	case p.Kind == "AWS":
		return "restrict by aws:PrincipalOrgID, aws:PrincipalArn or sts:ExternalId; " + key + " is for the service principal that acts for a resource"
	case strings.HasPrefix(lower, "aws:principalorg"):
		return "restrict by aws:SourceOrgID, aws:SourceAccount or aws:SourceArn"
	}
	return "restrict by aws:SourceAccount and aws:SourceArn"
}

// userName matches the policy variable aws:username, which has no value for a role session (IAM
// User Guide, "IAM policy elements: Variables and tags", the table of values for each kind of
// principal). A variable with a default always has a value, so it does not match.
const userName = `\$\{\s*(?i:aws:username)\s*\}`

// checkUserName reports ${aws:username} in statements about a role. The role is a principal of the
// statement, or the target of an identity or session policy.
func (c *checker) checkUserName(s *document.Statement) {
	role := ""
	for _, p := range s.Principals {
		if p.IsRole() {
			role = p.ID.Text
		}
	}
	if arn.Kind(c.d.Target) == "role" && (c.d.Kind == access.KindIdentity || c.d.Kind == access.KindSession) {
		role = c.d.Target
	}
	if role == "" {
		return
	}
	values := slices.Concat(s.Resources, s.NotResources)
	for _, cl := range s.Clauses {
		values = append(values, cl.Values...)
	}
	variable := regexp.MustCompile(userName)
	for _, v := range values {
		if variable.MatchString(v.Text) {
			c.report(keyOfOthers, v, "sessions of "+role+" have no aws:username: "+v.Text+" matches nothing",
				"use ${aws:PrincipalTag/KEY}, or ${aws:userid}, which ends with the name of the session")
		}
	}
}

// checkOptionalTags reports conditions on tags that also match requests without the tag.
func (c *checker) checkOptionalTags(s *document.Statement) {
	for _, cl := range s.Clauses {
		if s.Effect == "Allow" && cl.IfExists && !cl.Negated && isTagKey(cl.Key.Text) && !s.Guarded(cl.Key.Text) {
			name := strings.TrimSuffix(cl.Name.Text, "IfExists")
			c.report(optionalTag, cl.Name, cl.Name.Text+" also matches requests without "+cl.Key.Text+": the tag is optional",
				"write "+name+`, or add {"Null": {"`+cl.Key.Text+`": "false"}}`)
		}
	}
}

func isTagKey(key string) bool {
	for _, prefix := range []string{
		"aws:requesttag/", "aws:principaltag/", "aws:resourcetag/", "s3:existingobjecttag/", "s3:requestobjecttag/", "s3:buckettag/",
	} {
		if strings.HasPrefix(strings.ToLower(key), prefix) {
			return true
		}
	}
	return strings.EqualFold(key, "aws:TagKeys") || strings.EqualFold(key, "sts:TransitiveTagKeys")
}

// checkPrivateAddresses reports private addresses in aws:SourceIp. The value of aws:SourceIp is the
// public address of the requester. The key is absent in requests through a VPC endpoint (IAM User
// Guide, "AWS global condition context keys", aws:SourceIp and aws:VpcSourceIp).
func (c *checker) checkPrivateAddresses(cl document.Clause) {
	if !cl.Is("aws:SourceIp") || cl.Family != "IPAddress" {
		return
	}
	for _, v := range cl.Values {
		if isPrivate(v.Text) {
			c.report(privateAddress, v, "aws:SourceIp is a public address: no request has the private address "+v.Text,
				"write the public address of the NAT gateway; requests through a VPC endpoint have aws:VpcSourceIp and aws:SourceVpce instead")
		}
	}
}

// isPrivate reports whether every address in text, an address or a CIDR block, is private (RFC
// 1918, RFC 4193), shared (RFC 6598), loopback or link-local.
func isPrivate(text string) bool {
	block, err := netip.ParsePrefix(text)
	if err != nil {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return false
		}
		block = netip.PrefixFrom(address, address.BitLen())
	}
	for _, private := range []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128",
	} {
		if p := netip.MustParsePrefix(private); p.Bits() <= block.Bits() && p.Contains(block.Addr()) {
			return true
		}
	}
	return false
}
