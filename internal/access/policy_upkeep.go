package access

import (
	"slices"

	"syncd/config"
)

// addUpkeep keeps the destination and the state as syncd relies on them: nothing is there under another key, nothing is sent without
// TLS, and abandoned uploads do not cost for ever.
func (b *book) addUpkeep(m config.Mapping) {
	r := viewOf(b.c, m)
	objects := r.place(DestinationObjects)
	d := b.bucketPolicy(m.Destination.Bucket, m.Destination.Account, m.Name)
	d.note("A write that names no key falls under the bucket's default encryption: set that to " + m.Destination.KMSKey +
		". A policy cannot ask for the header, because uploading and completing parts carry none.")
	d.grants = append(d.grants, keyGuards(objects)...)
	d.grants = append(d.grants, tlsGuard(objects))
	if r.multipart {
		b.addLifecycle(objects, m.Name)
	}
	if r.state {
		b.addLifecycle(r.place(StateObjects), m.Name)
		b.addStateGuards(r)
	}
}

func denial(sid, action string, resources []string, conditions ...condition) grant {
	return grant{sid: sid, deny: true, principals: []string{anyone}, actions: []string{action}, resources: resources, conditions: conditions}
}

// keyGuards refuse everyone writes under another key. A negated condition holds when its key is absent, as in parts and their
// completion; Null makes them look only at requests that say how to encrypt.
func keyGuards(objects place) []grant {
	const sse, key = encryptionKey, encryptionKMSKey
	on := []string{objects.pattern}
	return []grant{
		denial("DenyOtherKeys", "s3:PutObject", on, when("StringNotEquals", key, objects.key), when("Null", key, "false")),
		denial("DenyOtherEncryption", "s3:PutObject", on, when("StringNotEquals", sse, "aws:kms"), when("Null", sse, "false")),
		denial("DenyUnnamedKeys", "s3:PutObject", on, when("StringEquals", sse, "aws:kms"), when("Null", key, "true")),
	}
}

// tlsGuard refuses everyone anything without TLS, of the bucket and of all its objects.
func tlsGuard(objects place) grant {
	on := []string{objects.bucketARN(), objects.bucketARN() + "/*"}
	return denial("DenyWithoutTLS", "s3:*", on, when("Bool", "aws:SecureTransport", "false"))
}

// addStateGuards makes the policy of the state's bucket.
func (b *book) addStateGuards(r reading) {
	objects := r.place(StateObjects)
	d := b.bucketPolicy(objects.bucket, objects.owner, r.m.Name)
	d.grants = append(d.grants, tlsGuard(objects))
	if objects.key != "" {
		d.grants = append(d.grants, keyGuards(objects)...)
	}
	keeper := b.keeper(r)
	if keeper.Principal == "" {
		d.note("It does not say who keeps the state, because that is not known: with a checkpoint.role, or the principal of the ambient credentials, " +
			"it refuses other accounts.")
		return
	}
	// A service of AWS has no account, and the negated condition holds for it.
	accounts := distinct([]string{keeper.Account, objects.owner})
	d.grants = append(d.grants, denial("DenyOtherAccounts", "s3:*", []string{objects.pattern},
		when("StringNotEquals", "aws:PrincipalAccount", accounts...), when("BoolIfExists", "aws:PrincipalIsAWSService", "false")))
	if objects.prefix == "" || b.holdsData(objects.bucket) {
		return
	}
	// Null spares the question whether a record is absent, which S3 asks without a prefix.
	d.grants = append(d.grants, denial("DenyOtherListings", "s3:ListBucket", []string{objects.bucketARN()},
		when("ArnEquals", "aws:PrincipalArn", keeper.Principal),
		when("StringNotLike", "s3:prefix", literal(objects.prefix)+"*"), when("Null", "s3:prefix", "false")))
	d.note("DenyOtherListings keeps " + keeper.Principal + " from listing other keys of the bucket: when it keeps another state there, make one statement with both prefixes.")
}

// keeper is the need of the principal that keeps the state.
func (b *book) keeper(r reading) Need {
	needs := Needs(b.c, r.m)
	return b.known(needs[slices.IndexFunc(needs, func(n Need) bool { return n.On == StateObjects })])
}

// holdsData reports whether a mapping reads or writes the bucket.
func (b *book) holdsData(bucket string) bool {
	return slices.ContainsFunc(b.c.Mappings, func(m config.Mapping) bool {
		return m.Source.Holder() == bucket || m.Destination.Bucket == bucket
	})
}

func (b *book) addLifecycle(objects place, mapping string) {
	d := b.draft(Document{
		Name: objects.owner + "-lifecycle-" + objects.bucket, Title: "lifecycle rules of bucket " + objects.bucket,
		Account: objects.owner, Kind: KindLifecycle, Target: objects.bucket,
	}, mapping)
	d.note("A bucket has one lifecycle configuration: add these rules to those that it has.")
	d.rules = append(d.rules, LifecycleRule{Prefix: objects.prefix, AbortAfterDays: unfinishedDays})
}
