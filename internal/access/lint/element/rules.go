package element

import (
	"slices"

	"syncd/config/secret"
	"syncd/internal/access"
	"syncd/internal/access/lint/rule"
)

// The IDs of the rules about the elements of a statement.
const (
	badSid             = "SYNCD-P007"
	oldVersion         = "SYNCD-P008"
	tooLarge           = "SYNCD-P009"
	nearlyTooLarge     = "SYNCD-P010"
	badVariable        = "SYNCD-P011"
	unknownAction      = "SYNCD-P101"
	wrongService       = "SYNCD-P102"
	misplacedPrincipal = "SYNCD-P103"
	missingPrincipal   = "SYNCD-P104"
	misplacedResource  = "SYNCD-P105"
	badARN             = "SYNCD-P106"
	badPrincipal       = "SYNCD-P107"
	resourceMismatch   = "SYNCD-P108"
	foreignResource    = "SYNCD-P109"
	notPrincipalAllow  = "SYNCD-P110"
	noAssumeRole       = "SYNCD-P111"
	unknownService     = "SYNCD-P112"
	arnAsAction        = "SYNCD-P113"
	notPrincipalTrust  = "SYNCD-P114"
	noTagSession       = "SYNCD-P115"
	beyondKind         = "SYNCD-P116"
	uncontrolled       = "SYNCD-P117"
	notFilledIn        = "SYNCD-P212"
)

// Rules returns the rules about the elements of a statement.
func Rules() []rule.Rule {
	return slices.Concat(textRules(), nameRules(), placeholderRules())
}

func textRules() []rule.Rule {
	return []rule.Rule{
		{
			ID: badSid, Name: "bad-sid", Severity: rule.SeverityError, Title: "A Sid has characters that IAM refuses",
			Explanation: "In the policies of IAM a Sid has letters and digits only; S3 and KMS take spaces too.",
		},
		{
			ID: oldVersion, Name: "old-version", Severity: rule.SeverityWarning, Title: "Variables are plain text in this version of the language",
			Explanation: "Without \"Version\": \"2012-10-17\" the text ${aws:username} is just that text: an Allow matches nothing that anybody meant, and a Deny does not deny.",
		},
		{
			ID: tooLarge, Name: "too-large", Severity: rule.SeverityError, Title: "The document is over a quota of AWS",
			Explanation: "Trust policies have 2,048 characters (raisable to 4,096), session policies 2,048, inline policies of a role 10,240 without whitespace, bucket policies 20 KB, key policies 32 KB, service and resource control policies 5,120 characters.",
		},
		{
			ID: nearlyTooLarge, Name: "too-large-to-be-managed", Severity: rule.SeverityWarning, Title: "The document fits only as an inline policy",
			Explanation: "A managed policy has at most 6,144 characters without whitespace, the inline policies of a role 10,240 together.",
		},
		{
			ID: badVariable, Name: "bad-variable", Severity: rule.SeverityError, Title: "A policy variable is wrongly written",
			Explanation: "A variable is ${key} or ${key, 'default'}, closed, and stands in the last part of an ARN or in the value of a condition on text or ARNs.",
		},
	}
}

func nameRules() []rule.Rule {
	return []rule.Rule{
		{
			ID: unknownAction, Name: "unknown-action", Severity: rule.SeverityError, Title: "There is no such action",
			Explanation: "Operations and permissions have different names: HeadObject asks for s3:GetObject, ListObjectsV2 for s3:ListBucket, CopyObject and UploadPart for s3:PutObject. S3 refuses a bucket policy with an unknown action; IAM stores it, and it grants nothing.",
		},
		{
			ID: wrongService, Name: "wrong-service", Severity: rule.SeverityError, Title: "An action of a service that this kind of policy is not about",
			Explanation: "A bucket policy knows s3 actions, a trust policy sts, a queue policy sqs. S3 refuses others; KMS stores them, without effect. Access to a KMS key is granted in the key's own policy.",
		},
		{
			ID: misplacedPrincipal, Name: "misplaced-principal", Severity: rule.SeverityError, Title: "A principal in an identity policy",
			Explanation: "An identity policy is about the principal it is attached to, and a session policy about its session. AWS refuses Principal there.",
		},
		{
			ID: missingPrincipal, Name: "missing-principal", Severity: rule.SeverityError, Title: "A statement does not say who it is about",
			Explanation: "Every statement of a bucket, key, queue or trust policy names its principals.",
		},
		{
			ID: misplacedResource, Name: "misplaced-resource", Severity: rule.SeverityError, Title: "A resource in a trust policy",
			Explanation: "The resource of a trust policy is the role that it is attached to. IAM refuses Resource there.",
		},
		{
			ID: badARN, Name: "bad-arn", Severity: rule.SeverityError, Title: "A malformed ARN",
			Explanation: "An ARN has six parts between colons: arn:partition:service:region:account:resource. Buckets have neither region nor account in it, IAM no region, keys and queues both. An ARN that nothing can have never matches.",
		},
		{
			ID: badPrincipal, Name: "bad-principal", Severity: rule.SeverityError, Title: "A principal that cannot be one",
			Explanation: "A principal is an account, or the full ARN of a user, a role or a session: there are no wildcards within it, and groups are none. Patterns belong into a condition on aws:PrincipalArn.",
		},
		{
			ID: resourceMismatch, Name: "resource-mismatch", Severity: rule.SeverityError, Title: "An action on a type of resource that it does not act on",
			Explanation: "s3:ListBucket acts on the bucket (arn:aws:s3:::name), s3:GetObject on objects (arn:aws:s3:::name/*). Where no resource of the statement is of the action's type, it neither grants nor denies anything.",
		},
		{
			ID: foreignResource, Name: "foreign-resource", Severity: rule.SeverityError, Title: "A resource that is not the policy's own",
			Explanation: "A bucket policy is about one bucket and its objects; S3 refuses one that names another, or * for all. In a key policy the resource is * or the key itself.",
		},
		{
			ID: notPrincipalAllow, Name: "not-principal-allow", Severity: rule.SeverityError, Title: "NotPrincipal beside Allow",
			Explanation: "It would let in everyone in the world but those who are listed. AWS refuses it in most places.",
		},
		{
			ID: noAssumeRole, Name: "no-assume-role", Severity: rule.SeverityError, Title: "A trust policy that lets nobody assume the role",
			Explanation: "sts:TagSession and sts:SetSourceIdentity only add to sts:AssumeRole (or AssumeRoleWithWebIdentity, AssumeRoleWithSAML).",
		},
		{
			ID: unknownService, Name: "unknown-service", Severity: rule.SeverityError, Title: "There is no service with this prefix",
			Explanation: "An action begins with the prefix of its service as the Service Authorization Reference has it, which is not always the name of the command: s3, not s3api. IAM stores the statement, and it does nothing. The list is of September 2026.",
		},
		{
			ID: arnAsAction, Name: "arn-as-action", Severity: rule.SeverityError, Title: "An ARN among the actions",
			Explanation: "Action takes names like s3:GetObject. An ARN belongs into Resource.",
		},
		{
			ID: notPrincipalTrust, Name: "not-principal-trust", Severity: rule.SeverityError, Title: "NotPrincipal in a trust policy",
			Explanation: "IAM does not take NotPrincipal in the trust policy of a role (IAM User Guide, AWS JSON policy elements: NotPrincipal).",
		},
		{
			ID: noTagSession, Name: "no-tag-session", Severity: rule.SeverityError, Title: "Session tags are asked for, and nobody may pass any",
			Explanation: "A principal that assumes a role with session tags has to be allowed sts:TagSession and sts:AssumeRole (IAM User Guide, Pass session tags in AWS STS). Without a statement for it a condition on aws:RequestTag or aws:TagKeys shuts everyone out.",
		},
		{
			ID: beyondKind, Name: "beyond-kind", Severity: rule.SeverityError, Title: "An element that a policy of an organization does not take",
			Explanation: "A resource control policy denies, to Principal *, named actions: no NotAction, no NotPrincipal, and no Action * (AWS Organizations User Guide, RCP syntax; IAM User Guide, IAM policy validation check reference). Only RCPFullAWSAccess allows. A service control policy has the whole language of identity policies since September 2025.",
		},
		{
			ID: uncontrolled, Name: "uncontrolled-service", Severity: rule.SeverityError, Title: "A service that resource control policies do not reach",
			Explanation: "Resource control policies apply to the services of a list, S3, STS, KMS and SQS among them (AWS Organizations User Guide, List of AWS services that support RCPs, September 2026). AWS refuses the actions of others.",
		},
	}
}

func placeholderRules() []rule.Rule {
	return []rule.Rule{
		{
			ID: notFilledIn, Name: "not-filled-in", Severity: rule.SeverityError, Title: "A placeholder that was not filled in",
			Explanation: "`syncd policy` writes " + secret.Placeholder + " where an external id belongs that it does not print, or that the configuration does not have, and " +
				access.BucketPlaceholder + " where a bucket belongs that the configuration does not name; documents of others have words such as `<bucket>`. " +
				"In force, an external id of that text refuses syncd, and lets in anyone who has read this; a resource or principal of it matches nothing.",
		},
	}
}
