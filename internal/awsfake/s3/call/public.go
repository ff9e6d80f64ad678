package call

import (
	"net/netip"
	"slices"
	"strings"

	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// minSourceBits is the shortest IPv4 prefix in aws:SourceIp that S3 does not consider public.
const minSourceBits = 8

// Public reports whether a bucket policy is public: it allows the principal "*" without a condition
// that restricts the callers ("The meaning of 'public'", "Blocking public access to your Amazon S3
// storage", Amazon S3 User Guide).
func Public(d *iam.Document) bool {
	return d != nil && slices.ContainsFunc(d.Statements, func(s iam.Statement) bool {
		return s.Effect == iam.Allow && slices.ContainsFunc(s.Principals, everyone) && !slices.ContainsFunc(s.Conditions, fixes)
	})
}

func everyone(p iam.Principal) bool {
	return p.Kind == iam.AnyPrincipal || p.Kind == iam.AWSPrincipal && p.ID == "*"
}

// fixes reports whether the condition requires fixed values of a key that identifies the caller or
// the origin of a request. Principal tags do not count.
func fixes(c iam.Condition) bool {
	operators := []string{"StringEquals", "StringLike", "StringEqualsIgnoreCase", "ArnEquals", "ArnLike", "IpAddress"}
	keys := []string{
		"aws:PrincipalOrgID", "aws:PrincipalAccount", "aws:PrincipalArn", "aws:SourceIp", "aws:SourceArn", "aws:SourceAccount", "aws:SourceOwner",
		"aws:SourceVpc", "aws:SourceVpce", "aws:userid", "s3:DataAccessPointArn", "s3:DataAccessPointAccount",
	}
	if !wire.ContainsFold(operators, c.Operator) || !wire.ContainsFold(keys, c.Key) {
		return false
	}
	return !slices.ContainsFunc(c.Values, func(v string) bool {
		if strings.EqualFold(c.Key, "aws:SourceIp") {
			p, err := netip.ParsePrefix(v)
			return err == nil && p.Addr().Is4() && p.Bits() < minSourceBits
		}
		return strings.ContainsAny(v, "*?") || strings.Contains(v, "${")
	})
}
