package policy

import (
	"fmt"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/arn"
)

// addIdentity adds the need to the identity policy of its principal, unless the trust policy alone
// is sufficient.
func (w *writer) addIdentity(n access.Need) {
	if n.Underlying {
		return // identity policies name the access point
	}
	if n.On == access.AssumedRole && !w.crosses(n) && w.principalOf(n) == n.Principal {
		return // a trust policy is sufficient if it names the principal and both are in the same account
	}
	like := Document{
		Name: n.Account + "-ambient-permissions", Title: "permissions of the ambient credentials", Account: n.Account,
		Kind: access.KindIdentity, Target: n.Principal,
	}
	if n.Principal != "" {
		name := arn.Name(n.Principal)
		like.Name, like.Title = fmt.Sprintf("%s-%s-permissions", n.Account, name), "permissions of "+n.Principal
	}
	d := w.draft(like, n.Mapping)
	if n.Principal == "" {
		d.note("These permissions belong to the role or user whose credentials syncd finds in its environment, such as an ECS task role.")
	}
	if n.On == access.SourceKey && strings.HasSuffix(n.Resource, "key/*") {
		d.note("Only the owner knows which key encrypts the source. This policy allows every key of the owner in the region of the source; the key policy decides. To allow only one key, pass its ARN as a source key.")
	}
	if (n.On == access.SourceBucket || n.On == access.DestinationBucket) && len(n.Conditions) > 0 {
		d.note("If an object is deleted between the listing and its copy, S3 returns 403 instead of 404, because the permission to list is limited to a prefix. The object is quarantined as denied until the next pass.")
	}
	d.grants = append(d.grants, n.Grant())
}

// addResource adds the need to the policy of its resource if that policy must allow it.
func (w *writer) addResource(n access.Need) error {
	switch {
	case n.On == access.AssumedRole:
		return w.addTrust(n)
	case n.On.IsKey():
		return w.addKey(n)
	default:
		return w.addBucket(n)
	}
}

// isOfSource reports whether r is the source's bucket, the bucket behind the source's access point,
// or the objects in one of the two buckets.
func isOfSource(r access.Resource) bool {
	return slices.Contains([]access.Resource{access.SourceBucket, access.SourceObjects, access.UnderlyingBucket, access.UnderlyingObjects}, r)
}

func (w *writer) addBucket(n access.Need) error {
	if !w.crosses(n) {
		return nil // the identity policy is sufficient
	}
	callers, err := w.crossAccount(n)
	if err != nil {
		return err
	}
	d := w.bucketDraft(n)
	principal := w.principalOf(n)
	d.grants = append(d.grants, access.Grant{
		SID: n.SID, Principals: []string{principal}, Actions: []string{n.Action}, Resources: []string{n.Resource},
		Conditions: slices.Concat(n.Conditions, callers),
	})
	d.noteNamed(n, principal)
	if w.o.VPCEndpoint != "" && isOfSource(n.On) {
		d.grants = append(d.grants, access.Grant{
			SID: "DenyOtherWays", Deny: true, Principals: []string{principal}, Actions: []string{"s3:*"}, Resources: []string{n.Resource},
			Conditions: []access.Condition{access.When("StringNotEquals", "aws:SourceVpce", w.o.VPCEndpoint)},
		})
	}
	return nil
}

// bucketDraft returns the draft of the policy of the need's bucket or access point.
func (w *writer) bucketDraft(n access.Need) *draft {
	switch {
	case n.Kind() == access.KindAccessPoint:
		return w.pointDraft(n)
	case n.Underlying:
		return w.behindDraft(n)
	}
	_, path, _ := strings.Cut(n.Resource, ":::")
	bucket, _, _ := strings.Cut(path, "/")
	return w.bucketPolicy(bucket, n.Owner, n.Mapping)
}

func (w *writer) bucketPolicy(bucket, account, mapping string) *draft {
	d := w.draft(Document{
		Name: account + "-bucket-" + bucket, Title: "policy of bucket " + bucket, Account: account, Kind: access.KindBucket, Target: bucket,
	}, mapping)
	d.note("A bucket has only one policy: add these statements to the existing ones.")
	return d
}

// pointDraft returns the draft of the policy of an access point.
func (w *writer) pointDraft(n access.Need) *draft {
	point := access.PointOf(n.Resource)
	d := w.draft(Document{
		Name: n.Owner + "-access-point-" + arn.Name(point), Title: "policy of access point " + point, Account: n.Owner,
		Kind: access.KindAccessPoint, Target: point,
	}, n.Mapping)
	d.note("An access point has only one policy: add these statements to the existing ones.")
	d.note("Access is allowed only if the policy of the bucket behind the access point allows it too.")
	return d
}

// behindDraft returns the draft of the policy of the bucket behind an access point.
func (w *writer) behindDraft(n access.Need) *draft {
	m, _ := w.c.Mapping(n.Mapping)
	source, _ := w.c.Places(m)
	if bucket := source.Holder(); bucket != "" {
		d := w.bucketPolicy(bucket, n.Owner, n.Mapping)
		d.note("This policy must allow what the access point policy allows. A policy that delegates access control to the access points of account " +
			arn.Account(source.Identity()) + " already does.")
		return d
	}
	d := w.draft(Document{
		Name: n.Owner + "-bucket-behind-" + arn.Name(source.Identity()), Title: "policy of the " + n.Holder, Account: n.Owner, Kind: access.KindBucket, Target: n.Holder,
	}, n.Mapping)
	d.note("A bucket has only one policy: add these statements to the existing ones.")
	d.note("Replace " + access.BucketPlaceholder + " with the name of the bucket, or set source.underlying_bucket. A policy that delegates access control to the access points of account " +
		arn.Account(source.Identity()) + " does not need these statements.")
	return d
}

// addKey adds the need to the key policy. For principals of the key's own account, the statement
// names the root of the account, so that their identity policies decide. AWS's default key policy
// does the same for all actions.
func (w *writer) addKey(n access.Need) error {
	callers, err := w.crossAccount(n)
	if err != nil {
		return err
	}
	d := w.keyDraft(n)
	d.note("Add these statements to the key policy and keep its existing statements: without them, no principal could administer the key.")
	principal := w.principalOf(n)
	if w.crosses(n) {
		d.noteNamed(n, principal)
	} else {
		principal = rootOf(n)
		d.note("If the key policy allows kms:* to " + principal + ", it needs no statement for principals of its own account.")
	}
	d.grants = append(d.grants, access.Grant{
		SID: n.SID, Principals: []string{principal}, Actions: []string{n.Action}, Resources: []string{"*"},
		Conditions: slices.Concat(n.Conditions, callers),
	})
	return nil
}

func (w *writer) keyDraft(n access.Need) *draft {
	like := Document{
		Name: n.Owner + "-key-" + arn.Name(n.Resource), Title: "policy of key " + n.Resource,
		Account: n.Owner, Kind: access.KindKey, Target: n.Resource,
	}
	if strings.HasSuffix(n.Resource, "key/*") {
		m, _ := w.c.Mapping(n.Mapping)
		source, _ := w.c.Places(m)
		name := access.EncryptedSource(source)
		like.Name, like.Title, like.Target = n.Owner+"-key-of-"+arn.Name(name), "policy of the key that encrypts "+name, "key of "+name
		if bucket := source.Holder(); bucket != "" {
			like.Title, like.Target = "policy of the key that encrypts bucket "+bucket, "key of "+bucket
		}
	}
	return w.draft(like, n.Mapping)
}
