package condition

import "syncd/internal/access/lint/rule"

// The IDs of the rules about conditions.
const (
	unknownKey         = "SYNCD-P202"
	absentKey          = "SYNCD-P203"
	externalIDWithTags = "SYNCD-P204"
	wrongOperator      = "SYNCD-P205"
	literalWildcard    = "SYNCD-P206"
	badValue           = "SYNCD-P207"
	manyValues         = "SYNCD-P208"
	idleIfExists       = "SYNCD-P209"
	matchesAll         = "SYNCD-P210"
	unlikelyValue      = "SYNCD-P211"
	keyOfOthers        = "SYNCD-P213"
	optionalTag        = "SYNCD-P214"
	privateAddress     = "SYNCD-P215"
	forAllUnguarded    = "SYNCD-P303"
)

// Rules returns the rules about conditions.
func Rules() []rule.Rule {
	return []rule.Rule{
		{
			ID: unknownKey, Name: "unknown-key", Severity: rule.SeverityWarning, Title: "Unknown condition key",
			Explanation: "No request contains this key. A condition on it never matches, so an Allow statement grants nothing. A negated condition always matches.",
		},
		{
			ID: absentKey, Name: "absent-key", Severity: rule.SeverityWarning, Title: "No request for the statement's actions contains the condition key",
			Explanation: "For example, only list requests contain s3:prefix, and requests to one service do not contain the condition keys of another service. The condition never matches, so an Allow statement grants nothing. A negated condition always matches.",
		},
		{
			ID: externalIDWithTags, Name: "external-id-with-tags", Severity: rule.SeverityError, Title: "sts:ExternalId in a statement for sts:TagSession",
			Explanation: "Only requests for sts:AssumeRole contain the key sts:ExternalId. A statement with a condition on this key never matches sts:TagSession or sts:SetSourceIdentity, so AWS denies every session with tags or a source identity. Allow these two actions in a separate statement without the condition.",
		},
		{
			ID: wrongOperator, Name: "wrong-operator", Severity: rule.SeverityWarning, Title: "The operator does not match the type of the key",
			Explanation: "Use an operator for the type of the key's values: Bool for aws:SecureTransport, IpAddress for aws:SourceIp, Numeric for s3:max-keys. An operator for another type does not match.",
		},
		{
			ID: literalWildcard, Name: "literal-wildcard", Severity: rule.SeverityWarning, Title: "A wildcard is compared as plain text",
			Explanation: "StringEquals treats * and ? as plain text. StringLike and ArnLike support wildcards.",
		},
		{
			ID: badValue, Name: "bad-value", Severity: rule.SeverityError, Title: "The operator does not support the value",
			Explanation: "Bool and Null require true or false, Numeric operators a number, Date operators an ISO 8601 date, and IpAddress an address or a CIDR block. AWS rejects other values.",
		},
		{
			ID: manyValues, Name: "many-values", Severity: rule.SeverityWarning, Title: "A multivalued key without ForAllValues or ForAnyValue",
			Explanation: "A request can contain several values for the key. Without ForAllValues or ForAnyValue, the result of the comparison is undefined.",
		},
		{
			ID: idleIfExists, Name: "idle-if-exists", Severity: rule.SeverityNote, Title: "IfExists has no effect on a negated operator",
			Explanation: "A negated operator matches if the key is absent, with or without IfExists. To exclude requests without the key, add a Null condition.",
		},
		{
			ID: matchesAll, Name: "matches-all", Severity: rule.SeverityWarning, Title: "The pattern matches every value",
			Explanation: "StringLike with only * checks only that the key is present. A Null condition does the same and is clearer.",
		},
		{
			ID: unlikelyValue, Name: "unlikely-value", Severity: rule.SeverityWarning, Title: "The key never has this value",
			Explanation: "Account IDs have 12 digits, organization IDs begin with o-, and VPC endpoint IDs begin with vpce-. The value of kms:ViaService contains the region, for example s3.us-west-2.amazonaws.com.",
		},
		{
			ID: keyOfOthers, Name: "key-of-others", Severity: rule.SeverityWarning, Title: "Requests of the named principal never contain the condition key",
			Explanation: "Requests of a service principal have no sts:ExternalId, no aws:PrincipalOrgID and no principal tags. aws:SourceArn, aws:SourceAccount and aws:SourceOrgID exist only in requests of service principals. A role session has no aws:username (IAM User Guide, AWS global condition context keys, and IAM policy elements: Variables and tags). Cognito and VM Import/Export are exceptions: they send an ExternalId.",
		},
		{
			ID: optionalTag, Name: "optional-tag", Severity: rule.SeverityWarning, Title: "A condition on a tag also matches requests without the tag",
			Explanation: "An operator with IfExists matches if the key is absent, so requests and principals without the tag are allowed. Remove IfExists, or require the tag with a Null condition.",
		},
		{
			ID: privateAddress, Name: "private-address", Severity: rule.SeverityWarning, Title: "A private address in aws:SourceIp",
			Explanation: "aws:SourceIp is the public address of the requester. It is absent in requests through a VPC endpoint, which have aws:VpcSourceIp instead (IAM User Guide, AWS global condition context keys). An Allow statement for a private range therefore matches no request, and a Deny statement cannot exempt requests from a private range.",
		},
		{
			ID: forAllUnguarded, Name: "for-all-values-unguarded", Severity: rule.SeverityWarning, Title: "ForAllValues also allows requests without the key",
			Explanation: "ForAllValues also matches requests that contain no value for the key. To require the key in an Allow statement, add {\"Null\": {\"key\": \"false\"}}.",
		},
	}
}
