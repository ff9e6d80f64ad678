package policy

import (
	"slices"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/arn"
)

// addUpkeep adds the documents that protect the destination and the state. They deny writes with
// another key and requests without TLS, and their lifecycle rules abort abandoned uploads.
func (w *writer) addUpkeep(m config.Mapping) {
	v := access.NewView(w.c, m)
	objects := v.Scope(access.DestinationObjects)
	d := w.bucketPolicy(m.Destination.Bucket, m.Destination.Account, m.Name)
	d.note("A write that names no key uses the bucket's default encryption: set the default encryption to " + m.Destination.KMSKey +
		". A policy cannot require the encryption header, because UploadPart and CompleteMultipartUpload requests do not have it.")
	d.grants = append(d.grants, keyGuards(objects)...)
	d.grants = append(d.grants, tlsGuard(objects))
	if v.Multipart {
		w.addLifecycle(objects, m.Name)
	}
	if v.State {
		w.addLifecycle(v.Scope(access.StateObjects), m.Name)
		w.addStateGuards(v)
	}
}

func denial(sid, action string, resources []string, conditions ...access.Condition) access.Grant {
	return access.Grant{SID: sid, Deny: true, Principals: []string{access.Anyone}, Actions: []string{action}, Resources: resources, Conditions: conditions}
}

// keyGuards returns statements that deny everyone writes with a KMS key other than the configured
// one. A negated condition also matches if its condition key is absent, as in UploadPart and
// CompleteMultipartUpload requests. Null conditions limit the statements to requests that specify
// an encryption.
func keyGuards(objects access.Scope) []access.Grant {
	const sse, key = access.EncryptionHeader, access.EncryptionKeyHeader
	on := []string{objects.Pattern}
	return []access.Grant{
		denial("DenyOtherKeys", "s3:PutObject", on, access.When("StringNotEquals", key, objects.Key), access.When("Null", key, "false")),
		denial("DenyOtherEncryption", "s3:PutObject", on, access.When("StringNotEquals", sse, "aws:kms"), access.When("Null", sse, "false")),
		denial("DenyUnnamedKeys", "s3:PutObject", on, access.When("StringEquals", sse, "aws:kms"), access.When("Null", key, "true")),
	}
}

// tlsGuard returns a statement that denies everyone all requests without TLS, for the bucket and
// all its objects.
func tlsGuard(objects access.Scope) access.Grant {
	on := []string{objects.BucketARN(), arn.Object(objects.BucketARN(), "*")}
	return denial("DenyWithoutTLS", "s3:*", on, access.When("Bool", "aws:SecureTransport", "false"))
}

// addStateGuards adds statements that protect the state to the policy of its bucket.
func (w *writer) addStateGuards(v access.View) {
	objects := v.Scope(access.StateObjects)
	d := w.bucketPolicy(objects.Bucket, objects.Owner, v.Mapping.Name)
	d.grants = append(d.grants, tlsGuard(objects))
	if objects.Key != "" {
		d.grants = append(d.grants, keyGuards(objects)...)
	}
	keeper := w.keeper(v)
	if keeper.Principal == "" {
		d.note("The policy does not deny other accounts, because it is not known which principal reads and writes the state. Set checkpoint.role, or pass the principal of the ambient credentials, " +
			"to deny other accounts.")
		return
	}
	// Requests of an AWS service have no aws:PrincipalAccount, so the negated condition alone would
	// match them.
	accounts := distinct([]string{keeper.Account, objects.Owner})
	d.grants = append(d.grants, denial("DenyOtherAccounts", "s3:*", []string{objects.Pattern},
		access.When("StringNotEquals", "aws:PrincipalAccount", accounts...), access.When("BoolIfExists", "aws:PrincipalIsAWSService", "false")))
	if objects.Prefix == "" || w.holdsData(objects.Bucket) {
		return
	}
	// The Null condition exempts requests without a prefix, because S3 checks this permission
	// without a prefix when it reports that a record is missing.
	d.grants = append(d.grants, denial("DenyOtherListings", "s3:ListBucket", []string{objects.BucketARN()},
		access.When("ArnEquals", "aws:PrincipalArn", keeper.Principal),
		access.When("StringNotLike", "s3:prefix", access.Literal(objects.Prefix)+"*"), access.When("Null", "s3:prefix", "false")))
	d.note("DenyOtherListings prevents " + keeper.Principal + " from listing other keys of the bucket. If this principal keeps another state in the same bucket, write one statement with both prefixes.")
}

// keeper returns a need whose principal is the keeper, which reads and writes the state.
func (w *writer) keeper(v access.View) access.Need {
	needs := access.Needs(w.c, v.Mapping)
	return w.known(needs[slices.IndexFunc(needs, func(n access.Need) bool { return n.On == access.StateObjects })])
}

// holdsData reports whether the bucket is the source or the destination of any mapping.
func (w *writer) holdsData(bucket string) bool {
	return slices.ContainsFunc(w.c.Mappings, func(m config.Mapping) bool {
		source, destination := w.c.Places(m)
		return source.Holder() == bucket || destination.Bucket == bucket
	})
}

func (w *writer) addLifecycle(objects access.Scope, mapping string) {
	d := w.draft(Document{
		Name: objects.Owner + "-lifecycle-" + objects.Bucket, Title: "lifecycle rules of bucket " + objects.Bucket,
		Account: objects.Owner, Kind: access.KindLifecycle, Target: objects.Bucket,
	}, mapping)
	d.note("A bucket has only one lifecycle configuration: add these rules to the existing ones.")
	d.rules = append(d.rules, LifecycleRule{Prefix: objects.Prefix, AbortAfterDays: unfinishedDays})
}
