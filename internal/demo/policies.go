package demo

// The policies of the two accounts grant what a real pair of accounts needs for server-side copies,
// and no more.

// TrustPolicy lets one consumer principal assume the role, with the ExternalId. sts:TagSession has
// a separate statement, because a condition on sts:ExternalId is never true for that action.
const TrustPolicy = `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"AWS": "{consumer-user}"}, "Action": "sts:AssumeRole",
   "Condition": {"StringEquals": {"sts:ExternalId": "{external-id}"}}},
  {"Effect": "Allow", "Principal": {"AWS": "{consumer-user}"}, "Action": "sts:TagSession"}
]}`

// permissions is the policy of the role: it may read the source, write the copy, and read existing
// copies to adopt them.
const permissions = `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{source}"},
  {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectTagging"], "Resource": "arn:aws:s3:::{source}/*"},
  {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:ListBucketMultipartUploads"], "Resource": "arn:aws:s3:::{copy}"},
  {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"],
   "Resource": "arn:aws:s3:::{copy}/*"},
  {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "{owner-key}"},
  {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "{consumer-key}"}
]}`

// bucketPolicy is the owner's bucket policy: the consumer's role may list and read.
const bucketPolicy = `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"AWS": "{role}"}, "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{source}"},
  {"Effect": "Allow", "Principal": {"AWS": "{role}"}, "Action": ["s3:GetObject", "s3:GetObjectTagging"], "Resource": "arn:aws:s3:::{source}/*"}
]}`

// OwnerKeyPolicy is the owner's key policy without a grant to the consumer. grantedKeyPolicy is the
// key policy with that grant.
const OwnerKeyPolicy = `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::{owner}:root"}, "Action": "kms:*", "Resource": "*"}
]}`

const grantedKeyPolicy = `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::{owner}:root"}, "Action": "kms:*", "Resource": "*"},
  {"Effect": "Allow", "Principal": {"AWS": "{role}"}, "Action": "kms:Decrypt", "Resource": "*"}
]}`
