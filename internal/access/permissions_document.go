package access

import (
	"bytes"
	"cmp"
	"fmt"
)

// PermissionsDocument returns the table in Markdown, for the documentation.
func PermissionsDocument() []byte {
	var b bytes.Buffer
	b.WriteString(permissionsHead)
	for _, p := range Permissions() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", p.Action, p.On, p.By, p.Feature, cmp.Or(p.Only, "all"), p.Why, p.Source)
	}
	b.WriteString(permissionsTail)
	return b.Bytes()
}

const permissionsHead = `# Permissions

What syncd needs, and why. ` + "`syncd policy`" + ` makes of this table the documents that both accounts have to put in force for a
configuration: each row becomes a grant when a mapping needs it, and none is there that no mapping needs.

The reader is the role of a mapping's source, the writer that of its destination, the keeper that of the state
(` + "`checkpoint.role`" + `), the caller the principal that assumes a role: the one named by ` + "`via`" + `, or the credentials that syncd finds in its
surroundings. One role may be all of them. Objects are those under the prefix of their side.

| action | on | by | for | only with | request | source |
|---|---|---|---|---|---|---|
`

const permissionsTail = `
## What is not in the table

- HEAD has no action of its own: HeadObject needs ` + "`s3:GetObject`" + `, and ` + "`kms:Decrypt`" + ` when it asks for the checksum.
- S3 denies what is not there to a role that may not list it. Whether an object is gone or denied, syncd asks with ListObjectsV2 of
  its key alone, which the same ` + "`s3:ListBucket`" + ` allows.
- Requester-pays buckets need no further action: ` + "`source.request_payer`" + ` sends the header that accepts the cost.
- ` + "`backfill --rekey`" + ` reads from the source again; it needs nothing of the key that copies lay under before.
- A session may abort the uploads that it began without a grant (Amazon S3 API Reference, AbortMultipartUpload).

## Who has to say yes

Within one account a role's own permissions suffice for a bucket. Across accounts both have to agree: the permissions of the
role, and the bucket policy or trust policy of the other account. A key always has a say: its policy lets the principals of
other accounts in by name, and hands the decision about those of its own account over to their permissions.

KMS is asked by S3 in the name of the role, so every grant on a key is confined to S3 of the bucket's region
(` + "`kms:ViaService`" + `) and to the encryption context of the bucket: the bucket's ARN under an S3 Bucket Key, otherwise the object's.
A bucket may hold objects of both, so both are granted.

## Access points

A source may be an access point: ` + "`source.bucket`" + ` is its ARN, or its alias with the ARN as ` + "`source.access_point`" + `. Policies name the ARN,
` + "`arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME`" + ` for listing and ` + "`.../object/PREFIX*`" + ` for objects: an alias in a policy matches no request. The
actions are those of the table, of the source bucket and the source objects.

Three policies have to agree then: the permissions of the role and the access point's policy, both on the ARN of the access point, and
the policy of the bucket behind it, on the bucket. ` + "`syncd policy`" + ` confines the statements of the bucket to the access point
(` + "`s3:DataAccessPointArn`" + `). A bucket that delegates to the access points of an account (` + "`s3:DataAccessPointAccount`" + `) needs none of them.
Its name may be unknown to the consumer. With ` + "`source.underlying_bucket`" + ` its documents name it; without, they have
` + "`REPLACE_WITH_BUCKET`" + `, and grants on the key lack the encryption context, which is the ARN of that bucket.

` + "`source.account`" + ` is the account of the bucket, which every request names as the expected owner; the account in the ARN owns the access
point and may be another. S3 copies from an access point within its region only: to another region objects are relayed.

    source:
      bucket: arn:aws:s3:us-west-2:111111111111:accesspoint/share
      # by its alias instead:
      # bucket: share-0123456789abcdef-s3alias
      # access_point: arn:aws:s3:us-west-2:111111111111:accesspoint/share
      underlying_bucket: alice-data   # where it is known; required where its account owns the destination or the state too
      region: us-west-2               # of the access point
      account: "111111111111"         # that owns the bucket behind it
      role: consumer

With ` + "`path_style`" + `, and at an endpoint that is an IP address, only the alias works. A destination and the state are buckets, never access
points ([decision 20](decisions/0020-access-points-are-sources-only.md)).

## What the documents ask for beyond that

The documents that ` + "`syncd policy`" + ` writes are ones in which ` + "`syncd policy check`" + ` finds nothing but
the placeholders that they tell of, ` + "`REPLACE_WITH_EXTERNAL_ID`" + ` and ` + "`REPLACE_WITH_BUCKET`" + `.

**Trust policies** hold to the configuration what the caller of AssumeRole chooses, because other policies believe it.

| condition | why |
|---|---|
| ` + "`sts:ExternalId`" + ` | The role of another owner always has one: otherwise it can be used, through those who may assume it, by anyone they work for (the confused deputy). ` + "`external_id: none`" + ` says that the role needs none, and then the principal or the organization has to be known. A role without ` + "`external_id`" + ` gets a placeholder, and a note to set one first. |
| the principal | The consumer's role or user by name, in any style, where it is known: by ` + "`via`" + `, or by ` + "`--principal`" + `. Otherwise the account, which leaves the decision to its administrators. |
| ` + "`aws:RequestTag/KEY`" + `, ` + "`aws:TagKeys`" + ` | A principal that may tag a session could give it any project or team that a policy looks at. Each tag is held to its value, and no other key is accepted. ` + "`ForAllValues`" + ` also holds for a request without tags, so that ` + "`Null`" + ` asks for them; sts:AssumeRole asks that each be there. Without tags in the configuration sts:TagSession is not granted. |
| ` + "`sts:TransitiveTagKeys`" + ` | A tag that the caller makes transitive would reach every later hop. Only the ` + "`transitive_tags`" + ` of the configuration may be. |
| inherited tags | AWS does not document whether a transitive tag of an earlier hop is shown as one of the request. Two statements take either: all of them shown, with their values, or none. |
| ` + "`sts:SourceIdentity`" + ` | What audit logs call the session. At later hops it cannot be set again, so that they look at ` + "`aws:SourceIdentity`" + ` of the caller. Without one in the configuration sts:SetSourceIdentity is not granted. |

sts:ExternalId exists for sts:AssumeRole only, so that each action has a statement of its own. EKS Pod Identity tags its sessions with tags
of its own, all transitive: disable them for the association (` + "`--disable-session-tags`" + `), or add their keys to ` + "`aws:TagKeys`" + `.
When the tags of a role do not fit into the 2,048 characters of a trust policy, their values are left out (never in style abac), and a
note reports it.

**Permissions and session policies** name the account of each bucket (` + "`aws:ResourceAccount`" + `): the ARN of a bucket does not have it, and
a bucket of the same name could belong to somebody else later. The ARNs of keys and roles have it. The state's account is
` + "`checkpoint.account`" + `, or that of ` + "`checkpoint.role`" + `, as with every request of syncd.

**A scoped session** (` + "`session_policy: scoped`" + `) has 2,048 characters. When its policy is larger, conditions are left out until it fits:
first ` + "`aws:ResourceAccount`" + `, then the encryption context of keys, then ` + "`kms:ViaService`" + `. The permissions of the role keep them all; a note
on those says what is left out. What does not fit without them is refused.

**Buckets of the consumer** refuse plain HTTP, for the bucket and all its objects. The destination refuses writes under another key, and so
does the state's bucket with ` + "`checkpoint.kms_key`" + `. When the role that keeps the state is known, the state's bucket also refuses other
accounts, and keeps that role from listing other keys. Listing the state is granted for its prefix, and for requests without any: S3
says that a record is absent only to those who may list the bucket, and asks that without a prefix.
`
