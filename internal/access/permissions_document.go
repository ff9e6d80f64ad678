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

The permissions that syncd needs, and why. ` + "`syncd policy`" + ` turns this table into the documents that both accounts must put in
force for a configuration. It grants a permission only if a mapping needs it.

The reader is the role of a mapping's source, the writer is the role of its destination, and the keeper is the role of the state
(` + "`checkpoint.role`" + `). The caller is the principal that assumes a role: the role named by ` + "`via`" + `, or the credentials in syncd's environment.
One role can be reader, writer and keeper at once. In the column "on", objects are the objects under the configured prefix of the source,
the destination or the state.

| action | on | by | for | only with | request | source |
|---|---|---|---|---|---|---|
`

const permissionsTail = `
## What is not in the table

- HEAD requests have no action of their own: HeadObject needs ` + "`s3:GetObject`" + `, and ` + "`kms:Decrypt`" + ` when it requests the checksum.
- For a missing object, S3 returns access denied to a role that may not list the bucket. To find out whether an object is missing or
  denied, syncd sends ListObjectsV2 for that key alone. The same ` + "`s3:ListBucket`" + ` allows this.
- Requester Pays buckets need no further action: ` + "`source.request_payer`" + ` sends the header that accepts the cost.
- ` + "`backfill --rekey`" + ` reads from the source again. It needs no permission on the key that encrypted the old copies.
- A session may abort its own uploads without a grant (Amazon S3 API Reference, AbortMultipartUpload).

## Which policies must allow a request

Within one account, a role's own permissions are sufficient for a bucket. Across accounts, two policies must allow a request: the
permissions of the role, and the bucket policy or trust policy of the other account. For a key, the key policy must always
allow the request. It names principals of other accounts. For principals of its own account it usually defers to their IAM permissions.

S3 calls KMS on behalf of the role. Every grant on a key is therefore limited to S3 in the bucket's region (` + "`kms:ViaService`" + `) and to
the encryption context of the bucket: the bucket's ARN with an S3 Bucket Key, otherwise the object's ARN. A bucket may contain
both kinds of objects, so both contexts are granted.

## Access points

A source may be an access point. ` + "`source.bucket`" + ` is then its ARN, or its alias with the ARN as ` + "`source.access_point`" + `. Policies use the
ARN: ` + "`arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME`" + ` for listing and ` + "`.../object/PREFIX*`" + ` for objects. An alias in a policy matches
no request. The actions are those of the source bucket and the source objects in the table.

Three policies must then allow a request. The permissions of the role and the access point policy must allow it on the ARN of the access
point, and the bucket policy must allow it on the bucket behind the access point. ` + "`syncd policy`" + ` limits the statements for the bucket
to the access point (` + "`s3:DataAccessPointArn`" + `). A bucket policy that delegates access control to the access points of an account
(` + "`s3:DataAccessPointAccount`" + `) needs none of these statements. The consumer may not know the name of the bucket. If
` + "`source.underlying_bucket`" + ` is set, the documents name the bucket. Otherwise they contain ` + "`REPLACE_WITH_BUCKET`" + `, and grants on the
key lack the encryption context, which is the ARN of that bucket.

` + "`source.account`" + ` is the account of the bucket. Every request sends it as the expected bucket owner. The account in the ARN owns the
access point and may be a different one. S3 copies from an access point only within its region; syncd relays objects to other regions.

    source:
      bucket: arn:aws:s3:us-west-2:111111111111:accesspoint/share
      # or by its alias:
      # bucket: share-0123456789abcdef-s3alias
      # access_point: arn:aws:s3:us-west-2:111111111111:accesspoint/share
      underlying_bucket: alice-data   # if known; required if its account also owns the destination or the state
      region: us-west-2               # of the access point
      account: "111111111111"         # of the bucket behind the access point
      role: consumer

With ` + "`path_style`" + `, and at an endpoint that is an IP address, only the alias works. The destination and the state must be buckets, not
access points ([decision 20](decisions/0020-access-points-are-sources-only.md)).

## What else the documents require

` + "`syncd policy check`" + ` reports nothing in the documents that ` + "`syncd policy`" + ` writes, except the placeholders ` + "`REPLACE_WITH_EXTERNAL_ID`" + ` and
` + "`REPLACE_WITH_BUCKET`" + `, which the notes of the documents mention.

**Trust policies** allow only the configured values for everything that the caller of AssumeRole can choose, because other policies rely
on these values.

| condition | why |
|---|---|
| ` + "`sts:ExternalId`" + ` | Always required for a role of another owner. Without it, any customer of a service that may assume the role could have the service use the role (the confused deputy problem). ` + "`external_id: none`" + ` means that the role needs no ExternalId; then ` + "`syncd policy`" + ` needs ` + "`via`" + `, ` + "`--principal`" + ` or ` + "`--org-id`" + ` to restrict who may assume the role. If ` + "`external_id`" + ` is not set, the document contains a placeholder and a note to set it first. |
| the principal | The consumer's role or user by name, whatever ` + "`syncd policy --style`" + ` is, if it is known from ` + "`via`" + ` or ` + "`--principal`" + `. Otherwise the principal is the whole account, and its administrators decide who may assume the role. |
| ` + "`aws:RequestTag/KEY`" + `, ` + "`aws:TagKeys`" + ` | A principal that may tag a session could set any project or team that a policy checks. Each tag must have its configured value, and no other key is accepted. ` + "`ForAllValues`" + ` also matches a request without tags. A ` + "`Null`" + ` condition therefore requires that tags are present, and the statement for sts:AssumeRole requires each tag. Without tags in the configuration, sts:TagSession is not granted. |
| ` + "`sts:TransitiveTagKeys`" + ` | A tag that the caller makes transitive reaches every later hop. Only the configured ` + "`transitive_tags`" + ` may be transitive. |
| inherited tags | AWS does not document whether a transitive tag of an earlier hop appears as a request tag. Two statements accept either case: all inherited tags with their values, or none. |
| ` + "`sts:SourceIdentity`" + ` | The source identity identifies a session in audit logs. Later hops cannot set it again, so their trust policies check ` + "`aws:SourceIdentity`" + ` of the caller. Without a source identity in the configuration, sts:SetSourceIdentity is not granted. |

sts:ExternalId exists only for sts:AssumeRole, so each action has its own statement. EKS Pod Identity adds its own session tags, all
transitive: disable them for the association (` + "`--disable-session-tags`" + `), or add their keys to ` + "`aws:TagKeys`" + `. If the tags of a role
do not fit into the 2,048 characters of a trust policy, the policy omits their values (except with ` + "`syncd policy --style abac`" + `), and a note
reports it.

**Permissions and session policies** require the account of each bucket (` + "`aws:ResourceAccount`" + `). The ARN of a bucket does not contain
its account, and a bucket of the same name could later belong to someone else. The ARNs of keys and roles contain their account. The
state's account is ` + "`checkpoint.account`" + ` or the account of ` + "`checkpoint.role`" + `, as in every request of syncd.

**A scoped session** (` + "`session_policy: scoped`" + `) is limited to 2,048 characters. If its policy is larger, syncd leaves out conditions
until it fits: first ` + "`aws:ResourceAccount`" + `, then the encryption context of keys, then ` + "`kms:ViaService`" + `. The permissions of the role
keep all of them, with a note that lists the omitted conditions. If the policy is too large even without them, syncd rejects it.

**Buckets of the consumer** deny plain HTTP, for the bucket and all its objects. The destination's bucket policy denies writes with another
KMS key, and so does the policy of the state's bucket if ` + "`checkpoint.kms_key`" + ` is set. If the keeper's role is known, that policy also denies
other accounts and denies the keeper's role the listing of objects outside the prefix of the state. Requests without a prefix are not
denied: S3 reports a missing record as missing only to a role that has ` + "`s3:ListBucket`" + `, and it checks that permission as for a request
without a prefix.
`
