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
			ID: badSid, Name: "bad-sid", Severity: rule.SeverityError, Title: "A Sid has characters that IAM rejects",
			Explanation: "In IAM policies a Sid may contain only letters and digits. S3 and KMS also allow spaces.",
		},
		{
			ID: oldVersion, Name: "old-version", Severity: rule.SeverityWarning, Title: "In this policy version, variables are plain text",
			Explanation: "Without \"Version\": \"2012-10-17\" the text ${aws:username} is not replaced with a value. An Allow then does not match the intended requests, and a Deny does not deny them.",
		},
		{
			ID: tooLarge, Name: "too-large", Severity: rule.SeverityError, Title: "The document exceeds a quota",
			Explanation: "The limits are: trust policies 2,048 characters (up to 4,096 on request), session policies 2,048 characters, inline policies of a role 10,240 characters without whitespace, bucket policies 20 KB, key policies 32 KB, and service and resource control policies 5,120 characters.",
		},
		{
			ID: nearlyTooLarge, Name: "too-large-to-be-managed", Severity: rule.SeverityWarning, Title: "The document fits only as an inline policy",
			Explanation: "A managed policy may have at most 6,144 characters without whitespace. The inline policies of a role may have 10,240 in total.",
		},
		{
			ID: badVariable, Name: "bad-variable", Severity: rule.SeverityError, Title: "A policy variable has invalid syntax",
			Explanation: "The syntax of a variable is ${key} or ${key, 'default'}. It can be used in the last part of an ARN, or in the value of a condition on strings or ARNs.",
		},
	}
}

func nameRules() []rule.Rule {
	return []rule.Rule{
		{
			ID: unknownAction, Name: "unknown-action", Severity: rule.SeverityError, Title: "Unknown action",
			Explanation: "Operations and permissions have different names: HeadObject requires s3:GetObject, ListObjectsV2 requires s3:ListBucket, and CopyObject and UploadPart require s3:PutObject. S3 rejects a bucket policy with an unknown action. IAM accepts an identity policy with an unknown action, but the action grants nothing.",
		},
		{
			ID: wrongService, Name: "wrong-service", Severity: rule.SeverityError, Title: "An action of the wrong service for this kind of policy",
			Explanation: "A bucket policy contains s3 actions, a trust policy sts actions, and a queue policy sqs actions. S3 rejects actions of other services. KMS accepts actions of other services, but they have no effect. Access to a KMS key is granted in its key policy.",
		},
		{
			ID: misplacedPrincipal, Name: "misplaced-principal", Severity: rule.SeverityError, Title: "Principal in an identity policy",
			Explanation: "An identity policy applies to the principal it is attached to, and a session policy to its session. AWS rejects Principal in these policies.",
		},
		{
			ID: missingPrincipal, Name: "missing-principal", Severity: rule.SeverityError, Title: "A statement without a principal",
			Explanation: "Every statement of a bucket, key, queue or trust policy must name its principals.",
		},
		{
			ID: misplacedResource, Name: "misplaced-resource", Severity: rule.SeverityError, Title: "Resource in a trust policy",
			Explanation: "The resource of a trust policy is the role that it is attached to. IAM rejects Resource in a trust policy.",
		},
		{
			ID: badARN, Name: "bad-arn", Severity: rule.SeverityError, Title: "A malformed ARN",
			Explanation: "An ARN has six parts separated by colons: arn:partition:service:region:account:resource. ARNs of buckets have no region and no account, ARNs of IAM resources have no region, and ARNs of keys and queues have both. A malformed ARN never matches.",
		},
		{
			ID: badPrincipal, Name: "bad-principal", Severity: rule.SeverityError, Title: "Invalid principal",
			Explanation: "A principal is an account, or the full ARN of a user, a role or a session. It cannot contain wildcards, and a group cannot be a principal. To use a pattern, add a condition on aws:PrincipalArn.",
		},
		{
			ID: resourceMismatch, Name: "resource-mismatch", Severity: rule.SeverityError, Title: "An action does not apply to the resource",
			Explanation: "s3:ListBucket applies to the bucket (arn:aws:s3:::name), s3:GetObject to objects (arn:aws:s3:::name/*). If no resource of the statement has the action's type, the statement neither grants nor denies the action.",
		},
		{
			ID: foreignResource, Name: "foreign-resource", Severity: rule.SeverityError, Title: "The policy cannot apply to the resource",
			Explanation: "A bucket policy applies to one bucket and its objects. S3 rejects a policy that names another bucket, or * for all buckets. In a key policy the resource is * or the key itself.",
		},
		{
			ID: notPrincipalAllow, Name: "not-principal-allow", Severity: rule.SeverityError, Title: "NotPrincipal with Allow",
			Explanation: "NotPrincipal with Allow allows everyone in the world except the listed principals. AWS rejects it in most kinds of policies.",
		},
		{
			ID: noAssumeRole, Name: "no-assume-role", Severity: rule.SeverityError, Title: "The trust policy does not allow anyone to assume the role",
			Explanation: "sts:TagSession and sts:SetSourceIdentity have an effect only together with sts:AssumeRole (or AssumeRoleWithWebIdentity, AssumeRoleWithSAML).",
		},
		{
			ID: unknownService, Name: "unknown-service", Severity: rule.SeverityError, Title: "Unknown service prefix",
			Explanation: "An action begins with the service prefix that the Service Authorization Reference lists. The prefix can differ from the name of the AWS CLI command: s3, not s3api. IAM accepts a statement with an unknown prefix, but the statement has no effect. The list of prefixes dates from September 2026.",
		},
		{
			ID: arnAsAction, Name: "arn-as-action", Severity: rule.SeverityError, Title: "An ARN in Action",
			Explanation: "Action contains names such as s3:GetObject. ARNs belong in Resource.",
		},
		{
			ID: notPrincipalTrust, Name: "not-principal-trust", Severity: rule.SeverityError, Title: "NotPrincipal in a trust policy",
			Explanation: "IAM does not support NotPrincipal in the trust policy of a role (IAM User Guide, AWS JSON policy elements: NotPrincipal).",
		},
		{
			ID: noTagSession, Name: "no-tag-session", Severity: rule.SeverityError, Title: "The policy requires session tags, but no statement allows passing them",
			Explanation: "A principal that assumes a role with session tags needs sts:TagSession and sts:AssumeRole (IAM User Guide, Pass session tags in AWS STS). Without a statement for sts:TagSession, no request can meet a condition on aws:RequestTag or aws:TagKeys.",
		},
		{
			ID: beyondKind, Name: "beyond-kind", Severity: rule.SeverityError, Title: "An element that a resource control policy does not support",
			Explanation: "A resource control policy denies named actions to Principal *. It cannot contain NotAction, NotPrincipal or Action * (AWS Organizations User Guide, RCP syntax; IAM User Guide, IAM policy validation check reference). Only RCPFullAWSAccess may contain an Allow. Since September 2025, a service control policy supports the full language of identity policies.",
		},
		{
			ID: uncontrolled, Name: "uncontrolled-service", Severity: rule.SeverityError, Title: "A service that does not support resource control policies",
			Explanation: "Resource control policies apply only to certain services, including S3, STS, KMS and SQS (AWS Organizations User Guide, List of AWS services that support RCPs, September 2026). AWS rejects actions of other services.",
		},
	}
}

func placeholderRules() []rule.Rule {
	return []rule.Rule{
		{
			ID: notFilledIn, Name: "not-filled-in", Severity: rule.SeverityError, Title: "A placeholder that was not filled in",
			Explanation: "`syncd policy` writes " + secret.Placeholder + " in place of an ExternalId that it does not print or that the configuration does not have, and " +
				access.BucketPlaceholder + " in place of a bucket that the configuration does not name. Other documents contain placeholders such as `<bucket>`. " +
				"If a trust policy with a placeholder ExternalId is put in force, syncd cannot assume the role, but a caller that sends the placeholder can. A placeholder in a resource or principal matches nothing.",
		},
	}
}
