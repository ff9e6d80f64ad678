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
			Explanation: "Principal * means everyone in the world, including anonymous requests, unless a condition restricts the caller, for example a condition on aws:PrincipalOrgID, aws:PrincipalArn, aws:PrincipalAccount, aws:SourceVpce or aws:SourceArn.",
		},
		{
			ID: publicForS3, Name: "public-for-s3", Severity: rule.SeverityWarning, Title: "S3 considers the statement public",
			Explanation: "Block Public Access considers a statement with Principal * public unless a condition requires fixed values of certain keys. Conditions on aws:PrincipalTag and patterns do not count. If the policy is public, S3 rejects it, or denies access from all other accounts.",
		},
		{
			ID: deniesServices, Name: "denies-services", Severity: rule.SeverityWarning, Title: "A Deny also applies to AWS services",
			Explanation: "Requests that AWS services make for you contain no aws:SourceVpce and no aws:PrincipalOrgID, and a negated operator matches if the key is absent. To exclude these requests, add {\"BoolIfExists\": {\"aws:PrincipalIsAWSService\": \"false\"}} and, if services use your credentials, the same condition on aws:ViaAWSService.",
		},
		{
			ID: lockOut, Name: "lock-out", Severity: rule.SeverityWarning, Title: "A Deny can lock out the owner",
			Explanation: "The Deny covers the permission to change the policy itself, for everyone except the principals that its condition exempts. If these principals no longer exist, only the root user of the account can repair a bucket policy, and only AWS Support can repair a key policy.",
		},
		{
			ID: keyWithoutAdmin, Name: "key-without-admin", Severity: rule.SeverityError, Title: "No principal can administer the key",
			Explanation: "No statement allows kms:PutKeyPolicy, and IAM policies have no effect without a statement for the root of the key's account. KMS rejects such a policy, or no principal can ever change it.",
		},
		{
			ID: readerMayChange, Name: "reader-may-change", Severity: rule.SeverityWarning, Title: "A reader may also delete or share data",
			Explanation: "A principal that reads but does not write has a permission that is not needed for reading: deleting objects, changing the bucket, re-encrypting with another key, or creating grants.",
		},
		{
			ID: fullAccess, Name: "full-access", Severity: rule.SeverityWarning, Title: "Another account may perform every action",
			Explanation: "s3:* includes changing the bucket policy and deleting the bucket. kms:* includes changing the key policy and scheduling the deletion of the key. syncd needs only a few actions.",
		},
		{
			ID: wholeAccount, Name: "whole-account", Severity: rule.SeverityWarning, Title: "A whole account may assume the role",
			Explanation: "Every principal in that account with permission for sts:AssumeRole can assume the role. Name the intended role, require sts:ExternalId, or add a condition on aws:PrincipalArn.",
		},
		{
			ID: shadowed, Name: "shadowed", Severity: rule.SeverityWarning, Title: "A Deny cancels the statement",
			Explanation: "A Deny covers everything that the Allow grants, so the Allow has no effect.",
		},
		{
			ID: managedByAWS, Name: "managed-by-aws", Severity: rule.SeverityNote, Title: "The key is managed by AWS, and no other account can use it",
			Explanation: "The policy of an AWS managed key such as aws/s3 cannot be changed, and allows only its own account. Another account cannot read objects encrypted with it. Encrypt them with a customer managed key first.",
		},
		{
			ID: notPrincipalDeny, Name: "not-principal-deny", Severity: rule.SeverityWarning, Title: "A Deny applies to principals that its NotPrincipal lists",
			Explanation: "AWS compares the account, the role and the session of a request separately, and denies the request if one of them is not listed (IAM User Guide, AWS JSON policy elements: NotPrincipal). To exempt a role, list the role, its sessions and its account. Principals with a permissions boundary are always denied. A condition on aws:PrincipalArn has the same purpose and needs only one line.",
		},
		{
			ID: foreignRoot, Name: "foreign-root", Severity: rule.SeverityWarning, Title: "Another account as a whole may write",
			Explanation: "The root of another account represents every principal of that account to which its administrators grant the permission. Grant permissions to write, or to use Encrypt or ReEncrypt on a key, to a named role, or add a condition.",
		},
		{
			ID: deniesParts, Name: "denies-parts", Severity: rule.SeverityWarning, Title: "A Deny of writes without an encryption header also applies to parts",
			Explanation: "UploadPart, UploadPartCopy and CompleteMultipartUpload also require s3:PutObject, but cannot have the header x-amz-server-side-encryption, which belongs to CreateMultipartUpload (Amazon S3 API Reference, UploadPart). A condition that matches if the header is absent can deny every multipart upload. AWS does not document whether S3 applies the header of CreateMultipartUpload to the parts, and denials have been reported (boto/botocore issue 471). With a Null condition the Deny checks only requests that specify an encryption. The bucket's default encryption applies to all other requests.",
		},
	}
}
