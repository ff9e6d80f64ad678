# What the consumer's role may do, who may assume it, and what its bucket refuses. It is what `syncd policy --side consumer`
# writes for one mapping that is copied server-side; a test compares the two.

locals {
  partition  = startswith(var.region, "cn-") ? "aws-cn" : startswith(var.region, "us-gov-") ? "aws-us-gov" : "aws"
  dns_suffix = local.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"

  source_arn          = "arn:${local.partition}:s3:::${var.source_bucket.bucket}"
  source_objects      = "${local.source_arn}/${var.source_bucket.prefix}*"
  destination_arn     = "arn:${local.partition}:s3:::${var.destination.bucket}"
  destination_objects = "${local.destination_arn}/${var.destination.prefix}*"
  state_arn           = "arn:${local.partition}:s3:::${var.state.bucket}"
  state_objects       = "${local.state_arn}/${var.state.prefix}*"

  # Which key the owner chose is the owner's to know: without its ARN the owner's key policy decides.
  source_key_arn = coalesce(
    var.source_bucket.kms_key_arn,
    "arn:${local.partition}:kms:${var.source_bucket.region}:${var.source_bucket.account_id}:key/*",
  )
  destination_key_arn = coalesce(var.destination.kms_key_arn, one(aws_kms_key.destination[*].arn))

  # A copy into another region is asked for there, and S3 there asks KMS here.
  source_via      = [for region in distinct([var.source_bucket.region, var.region]) : "s3.${region}.${local.dns_suffix}"]
  destination_via = ["s3.${var.region}.${local.dns_suffix}"]

  permissions = {
    Version = "2012-10-17"
    Statement = [
      merge(
        {
          Sid      = "ListSource"
          Effect   = "Allow"
          Action   = "s3:ListBucket"
          Resource = local.source_arn
        },
        { for key, value in { Condition = { StringLike = { "s3:prefix" = "${var.source_bucket.prefix}*" } } } : key => value if var.source_bucket.prefix != "" },
      ),
      {
        Sid      = "ReadSource"
        Effect   = "Allow"
        Action   = concat(["s3:GetObject"], var.copy_tags ? ["s3:GetObjectTagging"] : [])
        Resource = local.source_objects
      },
      {
        Sid      = "UseKeyOfSource"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = local.source_key_arn
        Condition = {
          StringEquals = { "kms:ViaService" = local.source_via }
          # Under an S3 Bucket Key the encryption context is the bucket's ARN, otherwise the object's.
          StringLike = { "kms:EncryptionContext:aws:s3:arn" = [local.source_arn, local.source_objects] }
        }
      },
      {
        Sid    = "WriteDestination"
        Effect = "Allow"
        Action = concat(
          ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
          var.copy_tags ? ["s3:PutObjectTagging", "s3:PutObjectVersionTagging"] : [],
          var.allow_delete ? ["s3:DeleteObject"] : [],
        )
        Resource = local.destination_objects
      },
      {
        Sid      = "UseKeyOfDestination"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"] # S3 decrypts what it assembles from parts
        Resource = local.destination_key_arn
        Condition = {
          StringEquals = { "kms:ViaService" = local.destination_via }
          StringLike   = { "kms:EncryptionContext:aws:s3:arn" = [local.destination_arn, local.destination_objects] }
        }
      },
      merge(
        {
          Sid      = "ListDestination"
          Effect   = "Allow"
          Action   = "s3:ListBucket"
          Resource = local.destination_arn
        },
        { for key, value in { Condition = { StringLike = { "s3:prefix" = "${var.destination.prefix}*" } } } : key => value if var.destination.prefix != "" },
      ),
      {
        Sid      = "ListUploads"
        Effect   = "Allow"
        Action   = "s3:ListBucketMultipartUploads"
        Resource = local.destination_arn
      },
      {
        Sid      = "ListState"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = local.state_arn
      },
      {
        Sid      = "WriteState"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = local.state_objects
      },
    ]
  }

  # Tagging stands apart: a condition on sts:ExternalId never holds for sts:TagSession.
  session_actions = concat(
    var.allow_session_tags ? ["sts:TagSession"] : [],
    var.allow_source_identity ? ["sts:SetSourceIdentity"] : [],
  )
  trust = {
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "AssumeRole"
        Effect    = "Allow"
        Principal = { AWS = local.workload_role_arn }
        Action    = "sts:AssumeRole"
        Condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
      }],
      [for actions in [local.session_actions] : {
        Sid       = "TagSession"
        Effect    = "Allow"
        Principal = { AWS = local.workload_role_arn }
        Action    = actions
      } if length(actions) > 0],
    )
  }

  destination_policy = {
    Version = "2012-10-17"
    Statement = [
      # Parts of an upload carry no encryption headers, so only those that are there are looked at; the bucket's default
      # encryption takes care of writes without any.
      {
        Sid       = "DenyOtherKeys"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = local.destination_objects
        Condition = {
          Null            = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "false" }
          StringNotEquals = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = local.destination_key_arn }
        }
      },
      {
        Sid       = "DenyOtherEncryption"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = local.destination_objects
        Condition = {
          Null            = { "s3:x-amz-server-side-encryption" = "false" }
          StringNotEquals = { "s3:x-amz-server-side-encryption" = "aws:kms" }
        }
      },
      # aws:kms without a key means the AWS managed one.
      {
        Sid       = "DenyUnnamedKeys"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:PutObject"
        Resource  = local.destination_objects
        Condition = {
          Null         = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "true" }
          StringEquals = { "s3:x-amz-server-side-encryption" = "aws:kms" }
        }
      },
      {
        Sid       = "DenyPlainText"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = local.destination_objects
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  }

  # The key's account decides by IAM policies: the role's own is above.
  key_policy = {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Administer"
      Effect    = "Allow"
      Principal = { AWS = "arn:${local.partition}:iam::${var.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  }
}
