# The key, the bucket for the copies and the bucket for the ledger.

resource "aws_kms_key" "destination" {
  count                   = var.destination.kms_key_arn == null ? 1 : 0
  description             = "Copies in ${var.destination.bucket}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode(local.key_policy)
  tags                    = var.tags
}

locals {
  # The buckets to create. They are versioned, so that an overwritten or deleted copy, or a damaged
  # ledger, can be restored for some days. The state contains object keys but no content, and is
  # encrypted with S3 managed keys.
  buckets = merge(
    { for d in [var.destination] : "destination" => merge(d, { algorithm = "aws:kms", key = local.destination_key_arn }) if d.create_bucket },
    { for s in [var.state] : "state" => merge(s, { algorithm = "AES256", key = null }) if s.create_bucket },
  )
}

resource "aws_s3_bucket" "made" {
  for_each = local.buckets
  bucket   = each.value.bucket
  tags     = var.tags
}

resource "aws_s3_bucket_public_access_block" "made" {
  for_each                = local.buckets
  bucket                  = aws_s3_bucket.made[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "made" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.made[each.key].id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "made" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.made[each.key].id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "made" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.made[each.key].id
  rule {
    bucket_key_enabled = each.value.algorithm == "aws:kms"
    apply_server_side_encryption_by_default {
      sse_algorithm     = each.value.algorithm
      kms_master_key_id = each.value.key
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "made" {
  for_each   = local.buckets
  bucket     = aws_s3_bucket.made[each.key].id
  depends_on = [aws_s3_bucket_versioning.made]

  # A process that is killed during a large copy leaves an incomplete upload, which costs storage.
  rule {
    id     = "abort-unfinished-uploads-1"
    status = "Enabled"
    filter {
      prefix = each.value.prefix
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  rule {
    id     = "expire-noncurrent-versions"
    status = "Enabled"
    filter {
      prefix = each.value.prefix
    }
    noncurrent_version_expiration {
      noncurrent_days = each.value.noncurrent_days
    }
    expiration {
      expired_object_delete_marker = true
    }
  }
}

resource "aws_s3_bucket_policy" "destination" {
  count      = var.destination.create_bucket ? 1 : 0
  bucket     = aws_s3_bucket.made["destination"].id
  policy     = jsonencode(local.destination_policy)
  depends_on = [aws_s3_bucket_public_access_block.made]
}

resource "aws_s3_bucket_policy" "state" {
  count      = var.state.create_bucket ? 1 : 0
  bucket     = aws_s3_bucket.made["state"].id
  policy     = jsonencode(local.state_policy)
  depends_on = [aws_s3_bucket_public_access_block.made]
}
