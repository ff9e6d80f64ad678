package access

import (
	"fmt"
	"slices"
	"strings"
)

// addIdentity grants a need to its principal, in the principal's own account.
func (b *book) addIdentity(n Need) {
	if n.behind {
		return // identity policies name the access point
	}
	if n.On == AssumedRole && !b.crosses(n) && b.principalOf(n) == n.Principal {
		return // a trust policy that names somebody of its own account in person suffices
	}
	like := Document{
		Name: n.Account + "-ambient-permissions", Title: "permissions of the ambient credentials", Account: n.Account,
		Kind: KindIdentity, Target: n.Principal,
	}
	if n.Principal != "" {
		name := nameOf(n.Principal)
		like.Name, like.Title = fmt.Sprintf("%s-%s-permissions", n.Account, name), "permissions of "+n.Principal
	}
	d := b.draft(like, n.Mapping)
	if n.Principal == "" {
		d.note("They belong to the role or user whose credentials syncd finds in its surroundings, such as an ECS task role.")
	}
	if n.On == SourceKey && strings.HasSuffix(n.Resource, "key/*") {
		d.note("Which key the source is encrypted under is the owner's to know; the owner's key policy decides about each. Its ARN as a source key narrows this down.")
	}
	if (n.On == SourceBucket || n.On == DestinationBucket) && len(n.condition) > 0 {
		d.note("An object that is deleted between the listing and its copy is answered with 403 instead of 404, because the right to list is confined to a prefix: it is quarantined as denied until the next pass.")
	}
	d.grants = append(d.grants, n.grant())
}

// addResource grants a need in the account of the resource, where that has a say.
func (b *book) addResource(n Need) error {
	switch {
	case n.On == AssumedRole:
		return b.addTrust(n)
	case n.On.isKey():
		return b.addKey(n)
	default:
		return b.addBucket(n)
	}
}

// isOfSource is true of what the source is read by: its bucket, or an access point and the bucket behind that.
func isOfSource(r Resource) bool {
	return slices.Contains([]Resource{SourceBucket, SourceObjects, UnderlyingBucket, UnderlyingObjects}, r)
}

func (b *book) addBucket(n Need) error {
	if !b.crosses(n) {
		return nil // the identity policy suffices
	}
	strangers, err := b.strangers(n)
	if err != nil {
		return err
	}
	d := b.bucketDraft(n)
	principal := b.principalOf(n)
	d.grants = append(d.grants, grant{
		sid: n.sid, principals: []string{principal}, actions: []string{n.Action}, resources: []string{n.Resource},
		conditions: slices.Concat(n.condition, strangers),
	})
	d.noteNamed(n, principal)
	if b.o.VPCEndpoint != "" && isOfSource(n.On) {
		d.grants = append(d.grants, grant{
			sid: "DenyOtherWays", deny: true, principals: []string{principal}, actions: []string{"s3:*"}, resources: []string{n.Resource},
			conditions: []condition{when("StringNotEquals", "aws:SourceVpce", b.o.VPCEndpoint)},
		})
	}
	return nil
}

// bucketDraft is the policy of the bucket or the access point that the need is about.
func (b *book) bucketDraft(n Need) *draft {
	switch {
	case n.kind() == KindAccessPoint:
		return b.pointDraft(n)
	case n.behind:
		return b.behindDraft(n)
	}
	_, path, _ := strings.Cut(n.Resource, ":::")
	bucket, _, _ := strings.Cut(path, "/")
	return b.bucketPolicy(bucket, n.Owner, n.Mapping)
}

func (b *book) bucketPolicy(bucket, account, mapping string) *draft {
	d := b.draft(Document{
		Name: account + "-bucket-" + bucket, Title: "policy of bucket " + bucket, Account: account, Kind: KindBucket, Target: bucket,
	}, mapping)
	d.note("A bucket has one policy: add these statements to those that it has.")
	return d
}

// pointDraft is the policy of an access point.
func (b *book) pointDraft(n Need) *draft {
	point := pointOf(n.Resource)
	d := b.draft(Document{
		Name: n.Owner + "-access-point-" + nameOf(point), Title: "policy of access point " + point, Account: n.Owner,
		Kind: KindAccessPoint, Target: point,
	}, n.Mapping)
	d.note("An access point has one policy: add these statements to those that it has.")
	d.note("What it allows is allowed only where the policy of the bucket behind it allows it too.")
	return d
}

// behindDraft is the policy of the bucket behind an access point.
func (b *book) behindDraft(n Need) *draft {
	m, _ := b.c.Mapping(n.Mapping)
	if m.Source.UnderlyingBucket != "" {
		d := b.bucketPolicy(m.Source.UnderlyingBucket, n.Owner, n.Mapping)
		d.note("It has to allow what the policy of the access point allows. One that delegates access control to the access points of account " +
			accountOf(m.Source.Identity()) + " does so already.")
		return d
	}
	d := b.draft(Document{
		Name: n.Owner + "-bucket-behind-" + nameOf(m.Source.Identity()), Title: "policy of the " + n.holder, Account: n.Owner, Kind: KindBucket, Target: n.holder,
	}, n.Mapping)
	d.note("A bucket has one policy: add these statements to those that it has.")
	d.note("Put its name in the place of " + bucketPlaceholder + ", or set source.underlying_bucket. A policy that delegates access control to the access points of account " +
		accountOf(m.Source.Identity()) + " needs no such statements.")
	return d
}

// addKey grants the use of a key. To principals of its own account it hands the decision over to their identity policies, as
// the policy that AWS gives a new key does for every action.
func (b *book) addKey(n Need) error {
	strangers, err := b.strangers(n)
	if err != nil {
		return err
	}
	d := b.keyDraft(n)
	d.note("Add these statements to those that the key policy has; without the others nobody could administer the key.")
	principal := b.principalOf(n)
	if b.crosses(n) {
		d.noteNamed(n, principal)
	} else {
		principal = rootOf(n)
		d.note("A key policy that lets " + principal + " do kms:* needs no statement for principals of its own account.")
	}
	d.grants = append(d.grants, grant{
		sid: n.sid, principals: []string{principal}, actions: []string{n.Action}, resources: []string{"*"},
		conditions: slices.Concat(n.condition, strangers),
	})
	return nil
}

func (b *book) keyDraft(n Need) *draft {
	like := Document{
		Name: n.Owner + "-key-" + nameOf(n.Resource), Title: "policy of key " + n.Resource,
		Account: n.Owner, Kind: KindKey, Target: n.Resource,
	}
	if strings.HasSuffix(n.Resource, "key/*") {
		m, _ := b.c.Mapping(n.Mapping)
		name := encrypted(m)
		like.Name, like.Title, like.Target = n.Owner+"-key-of-"+nameOf(name), "policy of the key that encrypts "+name, "key of "+name
		if bucket := m.Source.Holder(); bucket != "" {
			like.Title, like.Target = "policy of the key that encrypts bucket "+bucket, "key of "+bucket
		}
	}
	return b.draft(like, n.Mapping)
}
