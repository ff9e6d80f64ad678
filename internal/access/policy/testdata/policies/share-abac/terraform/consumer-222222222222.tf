# Account 222222222222, on the consumer's side. Import existing resources before you apply this.

# The permissions of the ambient credentials.
# These permissions belong to the role or user whose credentials syncd finds in its environment, such as an ECS task role.
output "account_222222222222-ambient-permissions" {
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "AssumeRole"
        Effect = "Allow"
        Action = [
          "sts:AssumeRole",
          "sts:SetSourceIdentity",
          "sts:TagSession"
        ]
        Resource = "arn:aws:iam::333333333333:role/data-access"
      }
    ]
  })
}

# The permissions of arn:aws:iam::222222222222:role/syncd-consumer.
# If an object is deleted between the listing and its copy, S3 returns 403 instead of 404, because the permission to list is limited to a prefix. The object is quarantined as denied until the next pass.
# Only the owner knows which key encrypts the source. This policy allows every key of the owner in the region of the source; the key policy decides. To allow only one key, pass its ARN as a source key.
resource "aws_iam_role_policy" "syncd-consumer" {
  name = "syncd"
  role = aws_iam_role.syncd-consumer.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ListSource"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = "arn:aws:s3:::owner-data"
        Condition = {
          StringEquals = {
            "aws:ResourceAccount" = "111111111111"
          }
          StringLike = {
            "s3:prefix" = "exports/*"
          }
        }
      },
      {
        Sid    = "ReadSource"
        Effect = "Allow"
        Action = [
          "s3:GetObject",
          "s3:GetObjectTagging"
        ]
        Resource = "arn:aws:s3:::owner-data/exports/*"
        Condition = {
          StringEquals = {
            "aws:ResourceAccount" = "111111111111"
          }
        }
      },
      {
        Sid      = "UseKeyOfSource"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = "arn:aws:kms:us-west-2:111111111111:key/*"
        Condition = {
          StringEquals = {
            "kms:ViaService" = "s3.us-west-2.amazonaws.com"
          }
          StringLike = {
            "kms:EncryptionContext:aws:s3:arn" = [
              "arn:aws:s3:::owner-data",
              "arn:aws:s3:::owner-data/exports/*"
            ]
          }
        }
      },
      {
        Sid    = "WriteDestination"
        Effect = "Allow"
        Action = [
          "s3:AbortMultipartUpload",
          "s3:GetObject",
          "s3:ListMultipartUploadParts",
          "s3:PutObject",
          "s3:PutObjectTagging",
          "s3:PutObjectVersionTagging"
        ]
        Resource = "arn:aws:s3:::consumer-copy/exports/*"
        Condition = {
          StringEquals = {
            "aws:ResourceAccount" = "222222222222"
          }
        }
      },
      {
        Sid    = "UseKeyOfDestination"
        Effect = "Allow"
        Action = [
          "kms:Decrypt",
          "kms:GenerateDataKey"
        ]
        Resource = "arn:aws:kms:us-west-2:222222222222:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d"
        Condition = {
          StringEquals = {
            "kms:ViaService" = "s3.us-west-2.amazonaws.com"
          }
          StringLike = {
            "kms:EncryptionContext:aws:s3:arn" = [
              "arn:aws:s3:::consumer-copy",
              "arn:aws:s3:::consumer-copy/exports/*"
            ]
          }
        }
      },
      {
        Sid      = "ListDestination"
        Effect   = "Allow"
        Action   = "s3:ListBucketMultipartUploads"
        Resource = "arn:aws:s3:::consumer-copy"
        Condition = {
          StringEquals = {
            "aws:ResourceAccount" = "222222222222"
          }
        }
      },
      {
        Sid      = "ListDestination2"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = "arn:aws:s3:::consumer-copy"
        Condition = {
          StringEquals = {
            "aws:ResourceAccount" = "222222222222"
          }
          StringLike = {
            "s3:prefix" = "exports/*"
          }
        }
      },
      {
        Sid      = "ListState"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = "arn:aws:s3:::consumer-state"
        Condition = {
          StringEquals = {
            "aws:ResourceAccount" = "222222222222"
          }
          StringLikeIfExists = {
            "s3:prefix" = "syncd/*"
          }
        }
      },
      {
        Sid    = "WriteState"
        Effect = "Allow"
        Action = [
          "s3:DeleteObject",
          "s3:GetObject",
          "s3:PutObject"
        ]
        Resource = "arn:aws:s3:::consumer-state/syncd/*"
        Condition = {
          StringEquals = {
            "aws:ResourceAccount" = "222222222222"
          }
        }
      }
    ]
  })
}

# The trust policy of arn:aws:iam::222222222222:role/syncd-consumer.
# Create arn:aws:iam::333333333333:role/data-access first: AWS rejects a policy that names a principal that does not exist, and a principal recreated with the same name is a different principal.
resource "aws_iam_role" "syncd-consumer" {
  name = "syncd-consumer"
  path = "/"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "AssumeRole"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::333333333333:role/data-access"
        }
        Action = [
          "sts:AssumeRole",
          "sts:SetSourceIdentity"
        ]
        Condition = {
          StringEquals = {
            "aws:PrincipalOrgID"              = "o-a1b2c3d4e5"
            "aws:PrincipalTag/access-project" = "lake"
            "aws:PrincipalTag/cost-center"    = "4711"
            "aws:SourceIdentity"              = "syncd"
          }
        }
      },
      {
        Sid    = "TagSession"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::333333333333:role/data-access"
        }
        Action = "sts:TagSession"
        Condition = {
          "ForAllValues:StringEquals" = {
            "aws:TagKeys" = "access-project"
          }
          Null = {
            "aws:TagKeys" = "false"
          }
          StringEquals = {
            "aws:PrincipalOrgID"              = "o-a1b2c3d4e5"
            "aws:PrincipalTag/access-project" = "lake"
            "aws:PrincipalTag/cost-center"    = "4711"
            "aws:RequestTag/access-project"   = "lake"
          }
        }
      },
      {
        Sid    = "TagSessionUnseen"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::333333333333:role/data-access"
        }
        Action = "sts:TagSession"
        Condition = {
          Null = {
            "aws:TagKeys" = "true"
          }
          StringEquals = {
            "aws:PrincipalOrgID"              = "o-a1b2c3d4e5"
            "aws:PrincipalTag/access-project" = "lake"
            "aws:PrincipalTag/cost-center"    = "4711"
          }
        }
      }
    ]
  })
}

# The policy of bucket consumer-copy.
# A bucket has only one policy: add these statements to the existing ones.
# A write that names no key uses the bucket's default encryption: set the default encryption to arn:aws:kms:us-west-2:222222222222:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d. A policy cannot require the encryption header, because UploadPart and CompleteMultipartUpload requests do not have it.
resource "aws_s3_bucket_policy" "consumer-copy" {
  bucket = "consumer-copy"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyOtherKeys"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "arn:aws:s3:::consumer-copy/exports/*"
        Condition = {
          Null = {
            "s3:x-amz-server-side-encryption-aws-kms-key-id" = "false"
          }
          StringNotEquals = {
            "s3:x-amz-server-side-encryption-aws-kms-key-id" = "arn:aws:kms:us-west-2:222222222222:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d"
          }
        }
      },
      {
        Sid       = "DenyOtherEncryption"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "arn:aws:s3:::consumer-copy/exports/*"
        Condition = {
          Null = {
            "s3:x-amz-server-side-encryption" = "false"
          }
          StringNotEquals = {
            "s3:x-amz-server-side-encryption" = "aws:kms"
          }
        }
      },
      {
        Sid       = "DenyUnnamedKeys"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = "arn:aws:s3:::consumer-copy/exports/*"
        Condition = {
          Null = {
            "s3:x-amz-server-side-encryption-aws-kms-key-id" = "true"
          }
          StringEquals = {
            "s3:x-amz-server-side-encryption" = "aws:kms"
          }
        }
      },
      {
        Sid       = "DenyWithoutTLS"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource = [
          "arn:aws:s3:::consumer-copy",
          "arn:aws:s3:::consumer-copy/*"
        ]
        Condition = {
          Bool = {
            "aws:SecureTransport" = "false"
          }
        }
      }
    ]
  })
}

# The policy of bucket consumer-state.
# A bucket has only one policy: add these statements to the existing ones.
# DenyOtherListings prevents arn:aws:iam::222222222222:role/syncd-consumer from listing other keys of the bucket. If this principal keeps another state in the same bucket, write one statement with both prefixes.
resource "aws_s3_bucket_policy" "consumer-state" {
  bucket = "consumer-state"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyWithoutTLS"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource = [
          "arn:aws:s3:::consumer-state",
          "arn:aws:s3:::consumer-state/*"
        ]
        Condition = {
          Bool = {
            "aws:SecureTransport" = "false"
          }
        }
      },
      {
        Sid       = "DenyOtherAccounts"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = "arn:aws:s3:::consumer-state/syncd/*"
        Condition = {
          BoolIfExists = {
            "aws:PrincipalIsAWSService" = "false"
          }
          StringNotEquals = {
            "aws:PrincipalAccount" = "222222222222"
          }
        }
      },
      {
        Sid       = "DenyOtherListings"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:ListBucket"
        Resource  = "arn:aws:s3:::consumer-state"
        Condition = {
          ArnEquals = {
            "aws:PrincipalArn" = "arn:aws:iam::222222222222:role/syncd-consumer"
          }
          Null = {
            "s3:prefix" = "false"
          }
          StringNotLike = {
            "s3:prefix" = "syncd/*"
          }
        }
      }
    ]
  })
}

# The policy of key arn:aws:kms:us-west-2:222222222222:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d.
# Add these statements to the key policy and keep its existing statements: without them, no principal could administer the key.
# If the key policy allows kms:* to arn:aws:iam::222222222222:root, it needs no statement for principals of its own account.
output "account_222222222222-key-1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d" {
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "UseKeyOfDestination"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::222222222222:root"
        }
        Action = [
          "kms:Decrypt",
          "kms:GenerateDataKey"
        ]
        Resource = "*"
        Condition = {
          StringEquals = {
            "kms:ViaService" = "s3.us-west-2.amazonaws.com"
          }
          StringLike = {
            "kms:EncryptionContext:aws:s3:arn" = [
              "arn:aws:s3:::consumer-copy",
              "arn:aws:s3:::consumer-copy/exports/*"
            ]
          }
        }
      }
    ]
  })
}

# The lifecycle rules of bucket consumer-copy.
# A bucket has only one lifecycle configuration: add these rules to the existing ones.
resource "aws_s3_bucket_lifecycle_configuration" "consumer-copy" {
  bucket = "consumer-copy"

  rule {
    id     = "abort-unfinished-uploads-1"
    status = "Enabled"

    filter {
      prefix = "exports/"
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

# The lifecycle rules of bucket consumer-state.
# A bucket has only one lifecycle configuration: add these rules to the existing ones.
resource "aws_s3_bucket_lifecycle_configuration" "consumer-state" {
  bucket = "consumer-state"

  rule {
    id     = "abort-unfinished-uploads-1"
    status = "Enabled"

    filter {
      prefix = "syncd/"
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}
