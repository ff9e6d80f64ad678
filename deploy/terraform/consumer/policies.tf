# What the consumer's role is allowed to do, who is allowed to assume it, and what the bucket
# denies. The policies are the same as those that `syncd policy --side consumer` writes for one
# mapping with server-side copies; a test compares them.

locals {
  partition  = startswith(var.region, "cn-") ? "aws-cn" : startswith(var.region, "us-gov-") ? "aws-us-gov" : "aws"
  dns_suffix = local.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"

  source_arn          = "arn:${local.partition}:s3:::${var.source_bucket.bucket}"
  source_objects      = "${local.source_arn}/${var.source_bucket.prefix}*"
  destination_arn     = "arn:${local.partition}:s3:::${var.destination.bucket}"
  destination_objects = "${local.destination_arn}/${var.destination.prefix}*"
  state_arn           = "arn:${local.partition}:s3:::${var.state.bucket}"
  state_objects       = "${local.state_arn}/${var.state.prefix}*"

  # Only the owner knows which key encrypts the source. If its ARN is not set here, the owner's key
  # policy decides.
  source_key_arn = coalesce(
    var.source_bucket.kms_key_arn,
    "arn:${local.partition}:kms:${var.source_bucket.region}:${var.source_bucket.account_id}:key/*",
  )
  destination_key_arn = coalesce(var.destination.kms_key_arn, one(aws_kms_key.destination[*].arn))

  # A copy to another Region is requested in that Region, where S3 calls KMS in the Region of the
  # key.
  source_via      = [for region in distinct([var.source_bucket.region, var.region]) : "s3.${region}.${local.dns_suffix}"]
  destination_via = ["s3.${var.region}.${local.dns_suffix}"]

  # The account of each bucket, which is not part of its ARN: buckets with the same name in other
  # accounts stay out of reach.
  of_owner    = { "aws:ResourceAccount" = var.source_bucket.account_id }
  of_consumer = { "aws:ResourceAccount" = var.account_id }

  permissions = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ListSource"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = local.source_arn
        Condition = merge(
          { StringEquals = local.of_owner },
          { for key, value in { StringLike = { "s3:prefix" = "${var.source_bucket.prefix}*" } } : key => value if var.source_bucket.prefix != "" },
        )
      },
      {
        Sid       = "ReadSource"
        Effect    = "Allow"
        Action    = concat(["s3:GetObject"], var.copy_tags ? ["s3:GetObjectTagging"] : [])
        Resource  = local.source_objects
        Condition = { StringEquals = local.of_owner }
      },
      {
        Sid      = "UseKeyOfSource"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = local.source_key_arn
        Condition = {
          StringEquals = { "kms:ViaService" = local.source_via }
          # With an S3 Bucket Key the encryption context is the ARN of the bucket, otherwise the ARN
          # of the object.
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
        Resource  = local.destination_objects
        Condition = { StringEquals = local.of_consumer }
      },
      {
        Sid      = "UseKeyOfDestination"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"] # S3 decrypts the parts that it assembles
        Resource = local.destination_key_arn
        Condition = {
          StringEquals = { "kms:ViaService" = local.destination_via }
          StringLike   = { "kms:EncryptionContext:aws:s3:arn" = [local.destination_arn, local.destination_objects] }
        }
      },
      {
        Sid      = "ListDestination"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = local.destination_arn
        Condition = merge(
          { StringEquals = local.of_consumer },
          { for key, value in { StringLike = { "s3:prefix" = "${var.destination.prefix}*" } } : key => value if var.destination.prefix != "" },
        )
      },
      {
        Sid       = "ListUploads"
        Effect    = "Allow"
        Action    = "s3:ListBucketMultipartUploads"
        Resource  = local.destination_arn
        Condition = { StringEquals = local.of_consumer }
      },
      {
        Sid      = "ListState"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = local.state_arn
        Condition = {
          StringEquals = local.of_consumer
          # S3 reports a record as absent only to callers with permission to list the bucket, and
          # evaluates this permission without a prefix.
          StringLikeIfExists = { "s3:prefix" = "${var.state.prefix}*" }
        }
      },
      {
        Sid       = "WriteState"
        Effect    = "Allow"
        Action    = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource  = local.state_objects
        Condition = { StringEquals = local.of_consumer }
      },
    ]
  }

  # The tags that EKS Pod Identity sets on its sessions, all transitive, with the values that are
  # known.
  handed_on_keys = [
    for key in ["eks-cluster-arn", "eks-cluster-name", "kubernetes-namespace", "kubernetes-pod-name", "kubernetes-pod-uid", "kubernetes-service-account"] :
    key if var.allow_session_tags
  ]
  handed_on = merge([for pod in var.pod_identity[*] : { for key, value in {
    "aws:RequestTag/eks-cluster-name"           = pod.cluster_name
    "aws:RequestTag/kubernetes-namespace"       = pod.namespace
    "aws:RequestTag/kubernetes-service-account" = pod.service_account
  } : key => value if var.allow_session_tags }]...)
  tag_keys = concat(keys(var.session_tags), local.handed_on_keys)
  # Only the tags in syncd.yaml may be transitive. Inherited tags do not appear as transitive here.
  transitive_keys  = { for name in ["sts:TransitiveTagKeys"] : name => var.transitive_tags if length(var.transitive_tags) > 0 }
  transitive_asked = { for name in ["sts:TransitiveTagKeys"] : name => "true" if length(var.transitive_tags) == 0 && length(var.session_tags) > 0 }

  # The caller that assumes the role chooses the tags and the source identity, and other policies
  # trust them. So the tags and the source identity must match syncd.yaml. Tagging is a separate
  # statement: a condition on sts:ExternalId never matches sts:TagSession. ForAllValues alone also
  # matches a request without tags, so Null requires at least one tag. AWS does not document whether
  # STS presents inherited tags as request tags: these conditions work either way.
  trust = {
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "AssumeRole"
        Effect    = "Allow"
        Principal = { AWS = local.workload_role_arn }
        Action    = "sts:AssumeRole"
        Condition = { for operator, block in {
          StringEquals = merge({ "sts:ExternalId" = var.external_id }, { for identity in var.source_identity[*] : "sts:SourceIdentity" => identity })
          Null         = { for key, value in var.session_tags : "aws:RequestTag/${key}" => "false" if value != "" }
        } : operator => block if length(block) > 0 }
      }],
      [for names in [local.tag_keys] : {
        Sid       = "TagSession"
        Effect    = "Allow"
        Principal = { AWS = local.workload_role_arn }
        Action    = "sts:TagSession"
        Condition = { for operator, block in {
          StringEquals                = merge({ for key, value in var.session_tags : "aws:RequestTag/${key}" => value }, local.handed_on)
          "ForAllValues:StringEquals" = merge({ "aws:TagKeys" = names }, length(local.handed_on_keys) == 0 ? local.transitive_keys : {})
          Null                        = merge({ "aws:TagKeys" = "false" }, length(local.handed_on_keys) == 0 ? local.transitive_asked : {})
        } : operator => block if length(block) > 0 }
      } if length(names) > 0],
      [for names in [local.handed_on_keys] : {
        Sid       = "TagSessionUnseen"
        Effect    = "Allow"
        Principal = { AWS = local.workload_role_arn }
        Action    = "sts:TagSession"
        Condition = { for operator, block in {
          StringEquals                = { for key, value in var.session_tags : "aws:RequestTag/${key}" => value }
          "ForAllValues:StringEquals" = merge({ for name in ["aws:TagKeys"] : name => keys(var.session_tags) if length(var.session_tags) > 0 }, local.transitive_keys)
          Null                        = merge({ "aws:TagKeys" = length(var.session_tags) > 0 ? "false" : "true" }, local.transitive_asked)
        } : operator => block if length(block) > 0 }
      } if length(names) > 0],
      [for identity in var.source_identity[*] : {
        Sid       = "SetSourceIdentity"
        Effect    = "Allow"
        Principal = { AWS = local.workload_role_arn }
        Action    = "sts:SetSourceIdentity"
        Condition = { StringEquals = { "sts:SourceIdentity" = identity } }
      }],
    )
  }

  destination_policy = {
    Version = "2012-10-17"
    Statement = [
      # UploadPart requests have no encryption headers, so the conditions only check headers that
      # are present. The bucket's default encryption covers writes without headers.
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
      # aws:kms without a key means the AWS managed key aws/s3.
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
        Sid       = "DenyWithoutTLS"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [local.destination_arn, "${local.destination_arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  }

  state_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyWithoutTLS"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [local.state_arn, "${local.state_arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      # An AWS service has no account, so the negated condition matches it.
      {
        Sid       = "DenyOtherAccounts"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = local.state_objects
        Condition = {
          StringNotEquals = { "aws:PrincipalAccount" = var.account_id }
          BoolIfExists    = { "aws:PrincipalIsAWSService" = "false" }
        }
      },
      # The condition Null exempts the request that checks whether a record is absent.
      {
        Sid       = "DenyOtherListings"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:ListBucket"
        Resource  = local.state_arn
        Condition = {
          ArnEquals     = { "aws:PrincipalArn" = "arn:${local.partition}:iam::${var.account_id}:role/${var.name}" }
          StringNotLike = { "s3:prefix" = "${var.state.prefix}*" }
          Null          = { "s3:prefix" = "false" }
        }
      },
    ]
  }

  # The key policy leaves decisions to the IAM policies of the key's account. The role's IAM policy
  # is above.
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
