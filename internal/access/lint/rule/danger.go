package rule

func conditionRules() []Rule {
	return []Rule{
		{
			UnknownOperator, "unknown-operator", SeverityError, "There is no such condition operator",
			"AWS refuses operators that it does not know. They are case-sensitive; Null has no IfExists.",
		},
		{
			UnknownKey, "unknown-key", SeverityWarning, "There is no such condition key",
			"No request carries it: a condition that has to match never does, and a negated one always holds.",
		},
		{
			AbsentKey, "absent-key", SeverityWarning, "A condition key that none of the statement's requests carries",
			"s3:prefix comes with listings only, and keys of one service do not come with actions of another. The condition never matches, so that an Allow grants nothing; a negated one always holds.",
		},
		{
			ExternalIDWithTags, "external-id-with-tags", SeverityError, "sts:ExternalId beside sts:TagSession",
			"The key sts:ExternalId exists for sts:AssumeRole only. A statement that also lists sts:TagSession or sts:SetSourceIdentity never matches for those, and every session with tags or a source identity is refused. They need a statement of their own.",
		},
		{
			WrongOperator, "wrong-operator", SeverityWarning, "An operator of another type than the key",
			"The type of the operator has to be that of the key's values: Bool for aws:SecureTransport, IpAddress for aws:SourceIp, Numeric for s3:max-keys. Otherwise it does not match.",
		},
		{
			LiteralWildcard, "literal-wildcard", SeverityWarning, "A wildcard that is compared as plain text",
			"StringEquals takes * and ? as they are. StringLike and ArnLike know wildcards.",
		},
		{
			BadValue, "bad-value", SeverityError, "A value that the operator cannot read",
			"Bool and Null take true and false, Numeric operators numbers, Date operators ISO 8601, IpAddress an address or a CIDR block. AWS refuses others.",
		},
		{
			ManyValues, "many-values", SeverityWarning, "A key of many values without ForAllValues or ForAnyValue",
			"A request may carry several values of the key. Without a set operator what is compared is not defined.",
		},
		{
			IdleIfExists, "idle-if-exists", SeverityNote, "IfExists on a negated operator changes nothing",
			"A negated operator holds when the key is absent, with or without IfExists. To spare requests without the key, add a Null condition.",
		},
		{
			MatchesAll, "matches-all", SeverityWarning, "A pattern that every value matches",
			"StringLike with * alone only asks that the key be present. Null says that more clearly, and narrows nothing more.",
		},
		{
			UnlikelyValue, "unlikely-value", SeverityWarning, "A value that the key never has",
			"Accounts have 12 digits, organizations are o-..., VPC endpoints vpce-..., and KMS is told of S3 with its region: s3.us-west-2.amazonaws.com.",
		},
		{
			KeyOfOthers, "key-of-others", SeverityWarning, "A condition key that the named principal never carries",
			"Requests of a service principal have no sts:ExternalId, no aws:PrincipalOrgID and no principal tags; aws:SourceArn, aws:SourceAccount and aws:SourceOrgID come with service principals only; and a session of a role has no aws:username (IAM User Guide, AWS global condition context keys, and IAM policy elements: Variables and tags). Cognito and VM Import/Export do send an ExternalId.",
		},
		{
			OptionalTag, "optional-tag", SeverityWarning, "A condition on a tag that a request without the tag passes",
			"An operator with IfExists holds when the key is absent: who sends or has no tag gets in. Leave IfExists away, or ask with Null for the tag.",
		},
		{
			PrivateAddress, "private-address", SeverityWarning, "A private address in aws:SourceIp",
			"aws:SourceIp is the public address that a request comes from, and is absent from requests through a VPC endpoint, which have aws:VpcSourceIp (IAM User Guide, AWS global condition context keys). A private range in an Allow lets nobody in, and one that a Deny spares spares nobody.",
		},
	}
}

func dangerRules() []Rule {
	return []Rule{
		{
			OpenPrincipal, "open-principal", SeverityError, "Everyone is allowed",
			"Principal * is everyone in the world, anonymous requests included, unless a condition on the caller narrows it: aws:PrincipalOrgID, aws:PrincipalArn, aws:PrincipalAccount, aws:SourceVpce, aws:SourceArn.",
		},
		{
			PublicForS3, "public-for-s3", SeverityWarning, "S3 counts the statement as public",
			"Block Public Access takes Principal * for public unless it is narrowed by fixed values of keys on its list; aws:PrincipalTag is not on it, nor are patterns. It then refuses the policy, or shuts out every other account.",
		},
		{
			ForAllUnguarded, "for-all-values-unguarded", SeverityWarning, "ForAllValues lets in requests without the key",
			"ForAllValues holds when the request has no value at all. In an Allow it needs {\"Null\": {\"key\": \"false\"}} beside it.",
		},
		{
			DeniesServices, "denies-services", SeverityWarning, "A deny that also hits AWS services",
			"Requests of AWS services on your behalf carry no aws:SourceVpce and no aws:PrincipalOrgID, and a negated operator holds for an absent key. Spare them with {\"BoolIfExists\": {\"aws:PrincipalIsAWSService\": \"false\"}} and, where services act with your credentials, aws:ViaAWSService.",
		},
		{
			LockOut, "lock-out", SeverityWarning, "A deny that can lock its owner out",
			"It covers the right to change the policy itself, for everyone but those whom its condition spares. When they are gone only the root user of the account can repair a bucket policy, and only AWS Support a key policy.",
		},
		{
			KeyWithoutAdmin, "key-without-admin", SeverityError, "A key that nobody may administer",
			"No statement lets anyone call kms:PutKeyPolicy, and without a statement for the root of its account IAM policies do not count. KMS refuses the policy, or nobody can ever change it again.",
		},
		{
			ReaderMayChange, "reader-may-change", SeverityWarning, "Who only reads may also destroy or hand on",
			"A principal that reads but does not write has a permission that reading does not need: deleting objects, changing the bucket, re-encrypting under another key, grants.",
		},
		{
			FullAccess, "full-access", SeverityWarning, "Every action is granted to another account",
			"s3:* includes the bucket's policy and its deletion, kms:* the key's. Syncing needs a handful of actions.",
		},
		{
			WholeAccount, "whole-account", SeverityWarning, "A whole account may assume the role",
			"Everyone in that account to whom its administrators give sts:AssumeRole gets in. Name the role that should, or ask for sts:ExternalId, or narrow by aws:PrincipalArn.",
		},
		{
			Shadowed, "shadowed", SeverityWarning, "A statement that another one denies",
			"A Deny covers all that the Allow grants: it has no effect.",
		},
		{
			ManagedByAWS, "managed-by-aws", SeverityNote, "The key of an AWS service, which no other account can use",
			"The policy of an AWS managed key, like aws/s3, cannot be changed, and lets in its own account only. Objects under it cannot be read from another account: they have to be encrypted under a key of one's own first.",
		},
		{
			NotPrincipalDeny, "not-principal-deny", SeverityWarning, "A deny that hits those whom its NotPrincipal lists",
			"AWS looks at the account, the role and the session of a request one after the other, and denies when one of them is not listed (IAM User Guide, AWS JSON policy elements: NotPrincipal): a role has to be there with its sessions and its account. Principals with a permissions boundary are denied always. A condition on aws:PrincipalArn says the same in one line.",
		},
		{
			ForeignRoot, "foreign-root", SeverityWarning, "A whole other account may write",
			"The root of another account stands for everyone there to whom its administrators give the permission. Writing, and Encrypt or ReEncrypt on a key, belong to a named role, or under a condition.",
		},
		{
			DeniesParts, "denies-parts", SeverityWarning, "A deny of writes without an encryption header that also hits parts",
			"UploadPart, UploadPartCopy and CompleteMultipartUpload ask for s3:PutObject too, and S3 takes no x-amz-server-side-encryption with them: it belongs to CreateMultipartUpload (Amazon S3 API Reference, UploadPart). A condition that holds for an absent header can refuse every object that is large enough for parts. S3 does not document that it takes the value of the upload for its parts; refusals are reported (boto/botocore issue 471). With Null the deny looks only at requests that name an encryption, and the bucket's default encryption takes care of the others.",
		},
	}
}

func mappingRules() []Rule {
	return []Rule{
		{
			PermissionMissing, "permission-missing", SeverityError, "A mapping lacks a permission",
			"Across accounts both sides have to allow: the identity policy of the role, and the policy of the bucket, the key or the role that it assumes. The hint is a statement that closes the gap.",
		},
		{
			PermissionDenied, "permission-denied", SeverityError, "A statement denies what a mapping needs",
			"An explicit deny wins over every allow.",
		},
		{
			DocumentMissing, "document-missing", SeverityNote, "A document was not given, and not judged",
			"What a mapping needs of it is taken as granted.",
		},
		{
			NoExternalID, "no-external-id", SeverityWarning, "A role of another owner is assumed without an ExternalId",
			"Anyone else who can make syncd assume a role by its ARN gets at the data of its owner: the confused deputy problem (IAM User Guide, The confused deputy problem). The owner's trust policy should ask for an ExternalId that belongs to this relation alone. external_id: none says that the role needs none, as inside one organization.",
		},
	}
}
