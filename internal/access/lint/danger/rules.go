package danger

import "syncd/internal/access/lint/rule"

// The IDs of the rules about dangerous policies.
const (
	openPrincipal    = "SYNCD-P301"
	publicForS3      = "SYNCD-P302"
	deniesServices   = "SYNCD-P304"
	lockOut          = "SYNCD-P305"
	keyWithoutAdmin  = "SYNCD-P306"
	readerMayChange  = "SYNCD-P307"
	fullAccess       = "SYNCD-P308"
	wholeAccount     = "SYNCD-P309"
	shadowed         = "SYNCD-P310"
	managedByAWS     = "SYNCD-P311"
	notPrincipalDeny = "SYNCD-P312"
	foreignRoot      = "SYNCD-P313"
	deniesParts      = "SYNCD-P314"
)

// Rules returns the rules about dangerous policies.
func Rules() []rule.Rule {
	return []rule.Rule{
		{
			ID: openPrincipal, Name: "open-principal", Severity: rule.SeverityError, Title: "Everyone is allowed",
			Explanation: "Principal * is everyone in the world, anonymous requests included, unless a condition on the caller narrows it: aws:PrincipalOrgID, aws:PrincipalArn, aws:PrincipalAccount, aws:SourceVpce, aws:SourceArn.",
		},
		{
			ID: publicForS3, Name: "public-for-s3", Severity: rule.SeverityWarning, Title: "S3 counts the statement as public",
			Explanation: "Block Public Access takes Principal * for public unless it is narrowed by fixed values of keys on its list; aws:PrincipalTag is not on it, nor are patterns. It then refuses the policy, or shuts out every other account.",
		},
		{
			ID: deniesServices, Name: "denies-services", Severity: rule.SeverityWarning, Title: "A deny that also hits AWS services",
			Explanation: "Requests of AWS services on your behalf carry no aws:SourceVpce and no aws:PrincipalOrgID, and a negated operator holds for an absent key. Spare them with {\"BoolIfExists\": {\"aws:PrincipalIsAWSService\": \"false\"}} and, where services act with your credentials, aws:ViaAWSService.",
		},
		{
			ID: lockOut, Name: "lock-out", Severity: rule.SeverityWarning, Title: "A deny that can lock its owner out",
			Explanation: "It covers the right to change the policy itself, for everyone but those whom its condition spares. When they are gone only the root user of the account can repair a bucket policy, and only AWS Support a key policy.",
		},
		{
			ID: keyWithoutAdmin, Name: "key-without-admin", Severity: rule.SeverityError, Title: "A key that nobody may administer",
			Explanation: "No statement lets anyone call kms:PutKeyPolicy, and without a statement for the root of its account IAM policies do not count. KMS refuses the policy, or nobody can ever change it again.",
		},
		{
			ID: readerMayChange, Name: "reader-may-change", Severity: rule.SeverityWarning, Title: "Who only reads may also destroy or hand on",
			Explanation: "A principal that reads but does not write has a permission that reading does not need: deleting objects, changing the bucket, re-encrypting under another key, grants.",
		},
		{
			ID: fullAccess, Name: "full-access", Severity: rule.SeverityWarning, Title: "Every action is granted to another account",
			Explanation: "s3:* includes the bucket's policy and its deletion, kms:* the key's. Syncing needs a handful of actions.",
		},
		{
			ID: wholeAccount, Name: "whole-account", Severity: rule.SeverityWarning, Title: "A whole account may assume the role",
			Explanation: "Everyone in that account to whom its administrators give sts:AssumeRole gets in. Name the role that should, or ask for sts:ExternalId, or narrow by aws:PrincipalArn.",
		},
		{
			ID: shadowed, Name: "shadowed", Severity: rule.SeverityWarning, Title: "A statement that another one denies",
			Explanation: "A Deny covers all that the Allow grants: it has no effect.",
		},
		{
			ID: managedByAWS, Name: "managed-by-aws", Severity: rule.SeverityNote, Title: "The key of an AWS service, which no other account can use",
			Explanation: "The policy of an AWS managed key, like aws/s3, cannot be changed, and lets in its own account only. Objects under it cannot be read from another account: they have to be encrypted under a key of one's own first.",
		},
		{
			ID: notPrincipalDeny, Name: "not-principal-deny", Severity: rule.SeverityWarning, Title: "A deny that hits those whom its NotPrincipal lists",
			Explanation: "AWS looks at the account, the role and the session of a request one after the other, and denies when one of them is not listed (IAM User Guide, AWS JSON policy elements: NotPrincipal): a role has to be there with its sessions and its account. Principals with a permissions boundary are denied always. A condition on aws:PrincipalArn says the same in one line.",
		},
		{
			ID: foreignRoot, Name: "foreign-root", Severity: rule.SeverityWarning, Title: "A whole other account may write",
			Explanation: "The root of another account stands for everyone there to whom its administrators give the permission. Writing, and Encrypt or ReEncrypt on a key, belong to a named role, or under a condition.",
		},
		{
			ID: deniesParts, Name: "denies-parts", Severity: rule.SeverityWarning, Title: "A deny of writes without an encryption header that also hits parts",
			Explanation: "UploadPart, UploadPartCopy and CompleteMultipartUpload ask for s3:PutObject too, and S3 takes no x-amz-server-side-encryption with them: it belongs to CreateMultipartUpload (Amazon S3 API Reference, UploadPart). A condition that holds for an absent header can refuse every object that is large enough for parts. S3 does not document that it takes the value of the upload for its parts; refusals are reported (boto/botocore issue 471). With Null the deny looks only at requests that name an encryption, and the bucket's default encryption takes care of the others.",
		},
	}
}
