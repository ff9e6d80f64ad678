package access

func conditionRules() []Rule {
	return []Rule{
		{
			unknownOperator, "unknown-operator", SeverityError, "There is no such condition operator",
			"AWS refuses operators that it does not know. They are case-sensitive; Null has no IfExists.",
		},
		{
			unknownKey, "unknown-key", SeverityWarning, "There is no such condition key",
			"No request carries it: a condition that has to match never does, and a negated one always holds.",
		},
		{
			absentKey, "absent-key", SeverityWarning, "A condition key that none of the statement's requests carries",
			"s3:prefix comes with listings only, and keys of one service do not come with actions of another. The condition never matches, so that an Allow grants nothing; a negated one always holds.",
		},
		{
			externalIDWithTags, "external-id-with-tags", SeverityError, "sts:ExternalId beside sts:TagSession",
			"The key sts:ExternalId exists for sts:AssumeRole only. A statement that also lists sts:TagSession or sts:SetSourceIdentity never matches for those, and every session with tags or a source identity is refused. They need a statement of their own.",
		},
		{
			wrongOperator, "wrong-operator", SeverityWarning, "An operator of another type than the key",
			"The type of the operator has to be that of the key's values: Bool for aws:SecureTransport, IpAddress for aws:SourceIp, Numeric for s3:max-keys. Otherwise it does not match.",
		},
		{
			literalWildcard, "literal-wildcard", SeverityWarning, "A wildcard that is compared as plain text",
			"StringEquals takes * and ? as they are. StringLike and ArnLike know wildcards.",
		},
		{
			badValue, "bad-value", SeverityError, "A value that the operator cannot read",
			"Bool and Null take true and false, Numeric operators numbers, Date operators ISO 8601, IpAddress an address or a CIDR block. AWS refuses others.",
		},
		{
			manyValues, "many-values", SeverityWarning, "A key of many values without ForAllValues or ForAnyValue",
			"A request may carry several values of the key. Without a set operator what is compared is not defined.",
		},
		{
			idleIfExists, "idle-if-exists", SeverityNote, "IfExists on a negated operator changes nothing",
			"A negated operator holds when the key is absent, with or without IfExists. Whoever meant to spare requests without the key needs a Null condition beside it.",
		},
		{
			matchesAll, "matches-all", SeverityWarning, "A pattern that every value matches",
			"StringLike with * alone only asks that the key be present. Null says that more clearly, and narrows nothing more.",
		},
		{
			unlikelyValue, "unlikely-value", SeverityWarning, "A value that the key never has",
			"Accounts have 12 digits, organizations are o-..., VPC endpoints vpce-..., and KMS is told of S3 with its region: s3.us-west-2.amazonaws.com.",
		},
	}
}

func dangerRules() []Rule {
	return []Rule{
		{
			openPrincipal, "open-principal", SeverityError, "Everyone is allowed",
			"Principal * is everyone in the world, anonymous requests included, unless a condition on the caller narrows it: aws:PrincipalOrgID, aws:PrincipalArn, aws:PrincipalAccount, aws:SourceVpce, aws:SourceArn.",
		},
		{
			publicForS3, "public-for-s3", SeverityWarning, "S3 counts the statement as public",
			"Block Public Access takes Principal * for public unless it is narrowed by fixed values of keys on its list; aws:PrincipalTag is not on it, nor are patterns. It then refuses the policy, or shuts out every other account.",
		},
		{
			forAllUnguarded, "for-all-values-unguarded", SeverityWarning, "ForAllValues lets in requests without the key",
			"ForAllValues holds when the request has no value at all. In an Allow it needs {\"Null\": {\"key\": \"false\"}} beside it.",
		},
		{
			deniesServices, "denies-services", SeverityWarning, "A deny that also hits AWS services",
			"Requests of AWS services on your behalf carry no aws:SourceVpce and no aws:PrincipalOrgID, and a negated operator holds for an absent key. Spare them with {\"BoolIfExists\": {\"aws:PrincipalIsAWSService\": \"false\"}} and, where services act with your credentials, aws:ViaAWSService.",
		},
		{
			lockOut, "lock-out", SeverityWarning, "A deny that can lock its owner out",
			"It covers the right to change the policy itself, for everyone but those whom its condition spares. When they are gone only the root user of the account can repair a bucket policy, and only AWS Support a key policy.",
		},
		{
			keyWithoutAdmin, "key-without-admin", SeverityError, "A key that nobody may administer",
			"No statement lets anyone call kms:PutKeyPolicy, and without a statement for the root of its account IAM policies do not count. KMS refuses the policy, or nobody can ever change it again.",
		},
		{
			readerMayChange, "reader-may-change", SeverityWarning, "Who only reads may also destroy or hand on",
			"A principal that reads but does not write has a permission that reading does not need: deleting objects, changing the bucket, re-encrypting under another key, grants.",
		},
		{
			fullAccess, "full-access", SeverityWarning, "Every action is granted to another account",
			"s3:* includes the bucket's policy and its deletion, kms:* the key's. Syncing needs a handful of actions.",
		},
		{
			wholeAccount, "whole-account", SeverityWarning, "A whole account may assume the role",
			"Everyone in that account to whom its administrators give sts:AssumeRole gets in. Name the role that should, or ask for sts:ExternalId, or narrow by aws:PrincipalArn.",
		},
		{
			shadowed, "shadowed", SeverityWarning, "A statement that another one denies",
			"A Deny covers all that the Allow grants: it has no effect.",
		},
		{
			managedByAWS, "managed-by-aws", SeverityNote, "The key of an AWS service, which no other account can use",
			"The policy of an AWS managed key, like aws/s3, cannot be changed, and lets in its own account only. Objects under it cannot be read from another account: they have to be encrypted under a key of one's own first.",
		},
	}
}

func mappingRules() []Rule {
	return []Rule{
		{
			permissionMissing, "permission-missing", SeverityError, "A mapping lacks a permission",
			"Across accounts both sides have to allow: the identity policy of the role, and the policy of the bucket, the key or the role that it assumes. The hint is a statement that closes the gap.",
		},
		{
			permissionDenied, "permission-denied", SeverityError, "A statement denies what a mapping needs",
			"An explicit deny wins over every allow.",
		},
		{
			documentMissing, "document-missing", SeverityNote, "A document was not given, and not judged",
			"What a mapping needs of it is taken as granted.",
		},
	}
}
