package access

import (
	"bytes"
	"cmp"
	"fmt"
)

// PermissionsDocument returns the table for people, in Markdown.
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
(` + "`checkpoint.role`" + `), the caller whoever assumes a role: the one named by ` + "`via`" + `, or the credentials that syncd finds in its
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
`
