package rule

import (
	"fmt"
	"strings"
)

// Rule is one kind of [Finding].
type Rule struct {
	ID          string   // "SYNCD-P101"; it never changes its meaning
	Name        string   // "unknown-action"
	Severity    Severity // of its findings
	Title       string
	Explanation string // why it matters, and what AWS says about it
}

// All is every kind of finding, in the order of their ids: P0 what AWS would refuse of the text, P1 what its names name, P2
// conditions, P3 what is dangerous, P4 what a mapping lacks.
func All() []Rule {
	return concatRules(textRules(), nameRules(), conditionRules(), placeholderRules(), dangerRules(), mappingRules())
}

func concatRules(parts ...[]Rule) (all []Rule) {
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

func textRules() []Rule {
	return []Rule{
		{
			BrokenJSON, "broken-json", SeverityError, "The text is not JSON",
			"A policy is JSON in UTF-8 and nothing else: no comments, no trailing commas, double quotes only. The message names the likely cause, and the place is where reading stopped or where the cause stands.",
		},
		{
			UnknownElement, "unknown-element", SeverityError, "An element that the policy language does not have",
			"AWS refuses a policy with an element that is not in the grammar of the IAM policy language. Names are case-sensitive, and it is Action, not Actions.",
		},
		{
			MissingElement, "missing-element", SeverityError, "A required element is missing",
			"Every statement has an Effect, Action or NotAction, and but for a trust policy Resource or NotResource. KMS stores a statement without Action or Resource, but it has no effect.",
		},
		{
			WrongType, "wrong-type", SeverityError, "An element has a value of another type",
			"An element takes a string, a list of strings or an object, as the grammar of the IAM policy language says; Effect is Allow or Deny, and Version one of two dates.",
		},
		{
			RepeatedElement, "repeated-element", SeverityError, "An element stands twice, or beside its negation",
			"Readers of JSON differ in which of two members of one name they believe, so that such a document can mean one thing to its reviewer and another to AWS. An element and its negation exclude each other.",
		},
		{
			RepeatedSid, "repeated-sid", SeverityError, "Two statements have one Sid",
			"A Sid is unique within its policy. Statements that were copied often keep it.",
		},
		{
			BadSid, "bad-sid", SeverityError, "A Sid has characters that IAM refuses",
			"In the policies of IAM a Sid has letters and digits only; S3 and KMS take spaces too.",
		},
		{
			OldVersion, "old-version", SeverityWarning, "Variables are plain text in this version of the language",
			"Without \"Version\": \"2012-10-17\" the text ${aws:username} is just that text: an Allow matches nothing that anybody meant, and a Deny does not deny.",
		},
		{
			TooLarge, "too-large", SeverityError, "The document is over a quota of AWS",
			"Trust policies have 2,048 characters (raisable to 4,096), session policies 2,048, inline policies of a role 10,240 without whitespace, bucket policies 20 KB, key policies 32 KB, service and resource control policies 5,120 characters.",
		},
		{
			NearlyTooLarge, "too-large-to-be-managed", SeverityWarning, "The document fits only as an inline policy",
			"A managed policy has at most 6,144 characters without whitespace, the inline policies of a role 10,240 together.",
		},
		{
			BadVariable, "bad-variable", SeverityError, "A policy variable is wrongly written",
			"A variable is ${key} or ${key, 'default'}, closed, and stands in the last part of an ARN or in the value of a condition on text or ARNs.",
		},
		{
			UnknownKind, "unknown-kind", SeverityError, "The text is no document that is known here",
			"It is JSON, but neither a policy, nor what the AWS CLI prints around one, nor lifecycle rules.",
		},
		{
			Refused, "refused", SeverityError, "AWS would refuse the document",
			"The strict reading of the document found what no other rule has a name for.",
		},
	}
}

func nameRules() []Rule {
	return []Rule{
		{
			UnknownAction, "unknown-action", SeverityError, "There is no such action",
			"Operations and permissions have different names: HeadObject asks for s3:GetObject, ListObjectsV2 for s3:ListBucket, CopyObject and UploadPart for s3:PutObject. S3 refuses a bucket policy with an unknown action; IAM stores it, and it grants nothing.",
		},
		{
			WrongService, "wrong-service", SeverityError, "An action of a service that this kind of policy is not about",
			"A bucket policy knows s3 actions, a trust policy sts, a queue policy sqs. S3 refuses others; KMS stores them, without effect. Access to a KMS key is granted in the key's own policy.",
		},
		{
			MisplacedPrincipal, "misplaced-principal", SeverityError, "A principal in an identity policy",
			"An identity policy is about the principal it is attached to, and a session policy about its session. AWS refuses Principal there.",
		},
		{
			MissingPrincipal, "missing-principal", SeverityError, "A statement does not say who it is about",
			"Every statement of a bucket, key, queue or trust policy names its principals.",
		},
		{
			MisplacedResource, "misplaced-resource", SeverityError, "A resource in a trust policy",
			"The resource of a trust policy is the role that it is attached to. IAM refuses Resource there.",
		},
		{
			BadARN, "bad-arn", SeverityError, "A malformed ARN",
			"An ARN has six parts between colons: arn:partition:service:region:account:resource. Buckets have neither region nor account in it, IAM no region, keys and queues both. An ARN that nothing can have never matches.",
		},
		{
			BadPrincipal, "bad-principal", SeverityError, "A principal that cannot be one",
			"A principal is an account, or the full ARN of a user, a role or a session: there are no wildcards within it, and groups are none. Patterns belong into a condition on aws:PrincipalArn.",
		},
		{
			ResourceMismatch, "resource-mismatch", SeverityError, "An action on a type of resource that it does not act on",
			"s3:ListBucket acts on the bucket (arn:aws:s3:::name), s3:GetObject on objects (arn:aws:s3:::name/*). Where no resource of the statement is of the action's type, it neither grants nor denies anything.",
		},
		{
			ForeignResource, "foreign-resource", SeverityError, "A resource that is not the policy's own",
			"A bucket policy is about one bucket and its objects; S3 refuses one that names another, or * for all. In a key policy the resource is * or the key itself.",
		},
		{
			NotPrincipalAllow, "not-principal-allow", SeverityError, "NotPrincipal beside Allow",
			"It would let in everyone in the world but those who are listed. AWS refuses it in most places.",
		},
		{
			NoAssumeRole, "no-assume-role", SeverityError, "A trust policy that lets nobody assume the role",
			"sts:TagSession and sts:SetSourceIdentity only add to sts:AssumeRole (or AssumeRoleWithWebIdentity, AssumeRoleWithSAML).",
		},
		{
			UnknownService, "unknown-service", SeverityError, "There is no service with this prefix",
			"An action begins with the prefix of its service as the Service Authorization Reference has it, which is not always the name of the command: s3, not s3api. IAM stores the statement, and it does nothing. The list is of September 2026.",
		},
		{
			ArnAsAction, "arn-as-action", SeverityError, "An ARN among the actions",
			"Action takes names like s3:GetObject. An ARN belongs into Resource.",
		},
		{
			NotPrincipalTrust, "not-principal-trust", SeverityError, "NotPrincipal in a trust policy",
			"IAM does not take NotPrincipal in the trust policy of a role (IAM User Guide, AWS JSON policy elements: NotPrincipal).",
		},
		{
			NoTagSession, "no-tag-session", SeverityError, "Session tags are asked for, and nobody may pass any",
			"A principal that assumes a role with session tags has to be allowed sts:TagSession and sts:AssumeRole (IAM User Guide, Pass session tags in AWS STS). Without a statement for it a condition on aws:RequestTag or aws:TagKeys shuts everyone out.",
		},
		{
			BeyondKind, "beyond-kind", SeverityError, "An element that a policy of an organization does not take",
			"A resource control policy denies, to Principal *, named actions: no NotAction, no NotPrincipal, and no Action * (AWS Organizations User Guide, RCP syntax; IAM User Guide, IAM policy validation check reference). Only RCPFullAWSAccess allows. A service control policy has the whole language of identity policies since September 2025.",
		},
		{
			Uncontrolled, "uncontrolled-service", SeverityError, "A service that resource control policies do not reach",
			"Resource control policies apply to the services of a list, S3, STS, KMS and SQS among them (AWS Organizations User Guide, List of AWS services that support RCPs, September 2026). AWS refuses the actions of others.",
		},
	}
}

// Markdown is the page docs/policy-check.md.
func Markdown() []byte {
	var b strings.Builder
	b.WriteString(`# What syncd policy check finds

Written by a test from the table of rules in internal/access; change it there.

An error is a document that AWS refuses, that does not do what it says, or that lets in the world. A warning is one that AWS takes and
that does more or less than its author is likely to believe. A note leaves a document in order. The command ends with 4 when there is
an error or a warning. Ids never change their meaning.

| id | name | severity | means |
|---|---|---|---|
`)
	for _, r := range All() {
		fmt.Fprintf(&b, "| [%s](#%s-%s) | %s | %s | %s |\n", r.ID, strings.ToLower(r.ID), r.Name, r.Name, r.Severity, r.Title)
	}
	for _, r := range All() {
		fmt.Fprintf(&b, "\n## %s %s\n\n%s. %s\n", r.ID, r.Name, r.Title, r.Explanation)
	}
	return []byte(b.String())
}
