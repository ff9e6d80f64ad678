# What the owner of a bucket grants: the consumer's role is allowed to list and read the bucket, and
# to use the key through S3. The policies are the same as those that `syncd policy --side owner`
# writes; a test compares them.

locals {
  partition  = startswith(var.region, "cn-") ? "aws-cn" : startswith(var.region, "us-gov-") ? "aws-us-gov" : "aws"
  dns_suffix = local.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"

  bucket_arn  = "arn:${local.partition}:s3:::${var.bucket}"
  objects_arn = "${local.bucket_arn}/${var.prefix}*"

  # A copy to another Region is requested in that Region, where S3 calls KMS in the Region of the
  # key.
  regions = distinct([var.region, coalesce(var.destination_region, var.region)])

  bucket_policy_statements = [
    merge(
      {
        Sid       = "ListSource"
        Effect    = "Allow"
        Principal = { AWS = var.consumer_role_arn }
        Action    = "s3:ListBucket"
        Resource  = local.bucket_arn
      },
      { for key, value in { Condition = { StringLike = { "s3:prefix" = "${var.prefix}*" } } } : key => value if var.prefix != "" },
    ),
    {
      Sid       = "ReadSource"
      Effect    = "Allow"
      Principal = { AWS = var.consumer_role_arn }
      Action    = concat(["s3:GetObject"], var.copy_tags ? ["s3:GetObjectTagging"] : [])
      Resource  = local.objects_arn
    },
  ]

  key_policy_statements = var.kms_key_arn == null ? [] : [
    {
      Sid       = "UseKeyOfSource"
      Effect    = "Allow"
      Principal = { AWS = var.consumer_role_arn }
      Action    = "kms:Decrypt"
      Resource  = "*" # in a key policy: this key
      Condition = {
        StringEquals = { "kms:ViaService" = [for region in local.regions : "s3.${region}.${local.dns_suffix}"] }
        # With an S3 Bucket Key the encryption context is the ARN of the bucket, otherwise of the
        # object.
        StringLike = { "kms:EncryptionContext:aws:s3:arn" = [local.bucket_arn, local.objects_arn] }
      }
    },
  ]

  bucket_policy = { Version = "2012-10-17", Statement = concat(var.bucket_policy_statements, local.bucket_policy_statements) }
  key_policy    = { Version = "2012-10-17", Statement = concat(var.key_policy_statements, local.key_policy_statements) }
}

resource "aws_s3_bucket_policy" "source" {
  count  = var.manage_bucket_policy ? 1 : 0
  bucket = var.bucket
  policy = jsonencode(local.bucket_policy)
}

resource "aws_kms_key_policy" "source" {
  count  = var.manage_key_policy ? 1 : 0
  key_id = var.kms_key_arn
  policy = jsonencode(local.key_policy)

  lifecycle {
    precondition {
      condition     = var.kms_key_arn != null && length(var.key_policy_statements) > 0
      error_message = "manage_key_policy requires kms_key_arn, and key_policy_statements must let someone administer the key."
    }
  }
}
