package main

import (
	"slices"
	"testing"

	"syncd/internal/access"
	"syncd/internal/access/doctor"
	"syncd/internal/iam"
	"syncd/internal/syncer"
)

// without returns a func that removes a statement from the documents of the given kind and account.
func without(kind access.Kind, account, sid string) func(*testing.T, *sharing) {
	return func(t *testing.T, x *sharing) {
		t.Helper()
		found := 0
		x.enforce(t, func(d shared, policy *iam.Document) *iam.Document {
			if d.Kind == kind && d.Account == account {
				whole := len(policy.Statements)
				policy.Statements = slices.DeleteFunc(policy.Statements, func(s iam.Statement) bool { return s.SID == sid })
				found += whole - len(policy.Statements)
			}
			return policy
		})
		if found == 0 {
			t.Fatalf("remove %s from the %s policies of account %s: no such statement", sid, kind, account)
		}
	}
}

// edited returns a func that changes the configuration. The edits are texts, each followed by its
// replacement.
func edited(edits ...string) func(*testing.T, *sharing) {
	return func(t *testing.T, x *sharing) {
		t.Helper()
		x.configure(t, edits...)
	}
}

func anotherExternalID(_ *testing.T, x *sharing) { x.externalID = "the-external-id-of-another" }

func leaving(account string) func(*testing.T, *sharing) {
	return func(_ *testing.T, x *sharing) { x.cloud.Account(account).SetOrg("") }
}

// outside bypasses the VPC endpoint.
func outside(t *testing.T, x *sharing) {
	t.Helper()
	x.configure(t, x.inside, x.outside)
}

// renewed deletes the consumer's role and creates it again, with all documents of the consumer's
// account.
func renewed(t *testing.T, x *sharing) {
	t.Helper()
	const arn = "arn:aws:iam::" + shareConsumer + ":role/syncd-consumer"
	x.roles[arn].Delete()
	x.createRole(arn)
	x.enforce(t, func(d shared, policy *iam.Document) *iam.Document {
		if d.Account == shareOwner {
			return nil
		}
		return policy
	})
}

// TestShareRecreatedRole checks that copying still works after the consumer's administrators have
// recreated the role, if the owner's policies name the account.
func TestShareRecreatedRole(t *testing.T) {
	t.Parallel()
	x := newSharing(t, "account")
	x.put("", 11<<20)
	renewed(t, x)
	x.diagnose(t, 0)
	x.checkPasses(t, syncer.Summary{Listed: 4, Copied: 4})
	x.checkCopies(t)
}

// Lists of the actions that the doctor must find refused.
const (
	actsAssume  = "sts:AssumeRole"
	actsTag     = "sts:TagSession"
	actsList    = "s3:ListBucket"
	actsRead    = "s3:GetObject s3:GetObjectTagging"
	actsDecrypt = "kms:Decrypt"
	actsSeal    = "kms:Decrypt kms:GenerateDataKey"
)

// refusals returns the grants that each way of sharing needs, and how each is removed. KMS does not
// distinguish a missing grant from a missing key, and STS gives no reason, so the doctor is never
// certain about key policies and trust policies.
func refusals() []refusal {
	sourceKey, copyKey := blame{"key", access.Owner, "source-key", doctor.Likely}, blame{"key", access.Consumer, "copy-key", doctor.Likely}
	return slices.Concat(refusalsOfOwnersRole(sourceKey, copyKey), refusalsOfAccount(sourceKey, copyKey),
		refusalsOfRole(sourceKey, copyKey), refusalsOfOrganization(sourceKey, copyKey), refusalsOfAttributes(sourceKey, copyKey))
}

// These funcs change a relay so that its reading role must also write, or its writing role must
// also read.
func readerWrites(t *testing.T, x *sharing) {
	t.Helper()
	x.configure(t, "      role: writer", "      role: reader", "copy: {", "copy: {mode: relay, ")
}

func writerReads(t *testing.T, x *sharing) {
	t.Helper()
	x.configure(t, "      role: reader", "      role: writer", "copy: {", "copy: {mode: relay, ")
}

func refusalsOfOwnersRole(sourceKey, copyKey blame) []refusal {
	const way, role = "owner-role", "role/partner-read"
	reader := blame{"identity", access.Owner, role, doctor.Certain}
	return []refusal{
		{way, "another ExternalId", anotherExternalID, 1, saysAssume, actsAssume, blame{"trust", access.Owner, role, doctor.Likely}, "sts:ExternalId"},
		{way, "the reader may not list", without("identity", shareOwner, "ListSource"), 1, saysIdentity, actsList, reader, ""},
		{way, "the reader may not read", without("identity", shareOwner, "ReadSource"), 3, saysIdentity, actsRead, reader, ""},
		{way, "the source's key", without("key", shareOwner, "UseKeyOfSource"), 3, saysKey, actsDecrypt, sourceKey, ""},
		{way, "the destination's key", without("key", shareConsumer, "UseKeyOfDestination"), 3, saysKey, actsSeal, copyKey, ""},
		{
			way, "the reader writes", readerWrites, 3, saysNothing, "kms:GenerateDataKey s3:AbortMultipartUpload s3:GetObject s3:ListBucket " +
				"s3:ListBucketMultipartUploads s3:ListMultipartUploadParts s3:PutObject s3:PutObjectTagging",
			blame{"bucket", access.Consumer, shareCopy, doctor.Likely},
			"",
		},
		{way, "the writer reads", writerReads, 1, saysNothing, actsList, blame{"bucket", access.Owner, shareSource, doctor.Likely}, ""},
	}
}

func refusalsOfAccount(sourceKey, copyKey blame) []refusal {
	const way = "account"
	bucket := blame{"bucket", access.Owner, shareSource, doctor.Likely}
	return []refusal{
		{way, "the source may not be listed", without("bucket", shareOwner, "ListSource"), 1, saysNothing, actsList, bucket, ""},
		{way, "the source may not be read", without("bucket", shareOwner, "ReadSource"), 3, saysNothing, "s3:GetObject", bucket, ""},
		{way, "the source's key", without("key", shareOwner, "UseKeyOfSource"), 3, saysKey, actsDecrypt, sourceKey, ""},
		{way, "the destination's key", without("key", shareConsumer, "UseKeyOfDestination"), 3, saysKey, actsSeal, copyKey, ""},
	}
}

func refusalsOfRole(sourceKey, copyKey blame) []refusal {
	const way = "role"
	bucket := blame{"bucket", access.Owner, shareSource, doctor.Likely}
	trust := blame{"trust", access.Consumer, "role/syncd-consumer", doctor.Likely}
	return []refusal{
		{way, "another ExternalId", anotherExternalID, 1, saysAssume, actsAssume, trust, "sts:ExternalId"},
		{way, "the role was recreated", renewed, 1, saysNothing, actsList, bucket, ""},
		{way, "the source may not be listed", without("bucket", shareOwner, "ListSource"), 1, saysNothing, actsList, bucket, ""},
		{way, "the source may not be read", without("bucket", shareOwner, "ReadSource"), 3, saysNothing, actsRead, bucket, ""},
		{way, "the source's key", without("key", shareOwner, "UseKeyOfSource"), 3, saysKey, actsDecrypt, sourceKey, ""},
		// The ledger is encrypted under the key of the destination too, so the pass fails with exit
		// code 1.
		{way, "the destination's key", without("key", shareConsumer, "UseKey"), 1, saysKey, actsSeal, copyKey, ""},
	}
}

func refusalsOfOrganization(sourceKey, copyKey blame) []refusal {
	const way, role = "org", "role/organization-read"
	reader, trust := blame{"identity", access.Owner, role, doctor.Certain}, blame{"trust", access.Owner, role, doctor.Likely}
	return []refusal{
		{way, "another ExternalId", anotherExternalID, 1, saysAssume, actsAssume, trust, "sts:ExternalId"},
		{way, "the consumer leaves the organization", leaving(shareConsumer), 1, saysAssume, actsAssume, trust, "aws:PrincipalOrgID"},
		{way, "the reader may not list", without("identity", shareOwner, "ListSource"), 1, saysIdentity, actsList, reader, ""},
		{way, "the reader may not read", without("identity", shareOwner, "ReadSource"), 3, saysIdentity, actsRead, reader, ""},
		{way, "the source's key", without("key", shareOwner, "UseKeyOfSource"), 3, saysKey, actsDecrypt, sourceKey, ""},
		{way, "the destination's key", without("key", shareConsumer, "UseKeyOfDestination"), 3, saysKey, actsSeal, copyKey, ""},
		{
			way, "the reader writes", readerWrites, 3, saysResource, "s3:AbortMultipartUpload s3:ListBucket s3:ListBucketMultipartUploads " +
				"s3:ListMultipartUploadParts s3:PutObject s3:PutObjectVersionTagging",
			blame{"bucket", access.Consumer, shareCopy, doctor.Certain},
			"",
		},
		{way, "the writer reads", writerReads, 1, saysResource, actsList, blame{"bucket", access.Owner, shareSource, doctor.Certain}, ""},
	}
}

func refusalsOfAttributes(sourceKey, copyKey blame) []refusal {
	const (
		way         = "abac"
		project     = "      access-project: lake\n"
		transitive  = "    transitive_tags: [access-project]\n"
		allOfTheTag = "    tags:\n" + project + "      cost-center: \"4711\" # quoted, because tags are strings\n"
	)
	bucket := blame{"bucket", access.Owner, shareSource, doctor.Certain}
	first := blame{"trust", access.Consumer, "role/data-access", doctor.Likely}
	second := blame{"trust", access.Consumer, "role/syncd-consumer", doctor.Likely}
	return []refusal{
		{way, "another ExternalId", anotherExternalID, 1, saysAssume, actsAssume, first, "sts:ExternalId"},
		{way, "the consumer leaves the organization", leaving(shareConsumer), 1, saysAssume, actsAssume, first, "aws:PrincipalOrgID"},
		{way, "the governance leaves the organization", leaving(shareGovernance), 1, saysAssume, actsAssume, second, "aws:PrincipalOrgID"},
		{way, "a tag is dropped", edited(project, "", transitive, ""), 1, saysAssume, actsAssume, first, "aws:RequestTag/access-project"},
		{way, "a tag is another", edited(project, "      access-project: river\n"), 1, saysTagSession, actsTag, first, "aws:RequestTag/access-project"},
		{way, "all tags are dropped", edited(allOfTheTag, "", transitive, ""), 1, saysAssume, actsAssume, first, "aws:RequestTag/"},
		{way, "no tag is handed on", edited(transitive, ""), 1, saysResource, actsList, bucket, "aws:PrincipalTag/access-project"},
		{way, "past the VPC endpoint", outside, 1, saysDeny, actsList, bucket, "aws:SourceVpce"},
		{way, "the source may not be listed", without("bucket", shareOwner, "ListSource"), 1, saysResource, actsList, bucket, ""},
		{way, "the source may not be read", without("bucket", shareOwner, "ReadSource"), 3, saysResource, actsRead, bucket, ""},
		{way, "the source's key", without("key", shareOwner, "UseKeyOfSource"), 3, saysKey, actsDecrypt, sourceKey, ""},
		{way, "the destination's key", without("key", shareConsumer, "UseKeyOfDestination"), 3, saysKey, actsSeal, copyKey, ""},
	}
}
