# Account 111111111111, on the owner's side. Import existing resources before you apply this.

# The policy of bucket owner-data.
# A bucket has only one policy: add these statements to the existing ones.
# Create arn:aws:iam::222222222222:role/syncd-consumer first: AWS rejects a policy that names a principal that does not exist, and a principal recreated with the same name is a different principal.
resource "aws_s3_bucket_policy" "owner-data" {
  bucket = "owner-data"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "ListSource"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::222222222222:role/syncd-consumer"
        }
        Action   = "s3:ListBucket"
        Resource = "arn:aws:s3:::owner-data"
        Condition = {
          StringLike = {
            "s3:prefix" = [
              "exports/*",
              "invoices/*"
            ]
          }
        }
      },
      {
        Sid    = "ReadSource"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::222222222222:role/syncd-consumer"
        }
        Action = [
          "s3:GetObject",
          "s3:GetObjectTagging"
        ]
        Resource = [
          "arn:aws:s3:::owner-data/exports/*",
          "arn:aws:s3:::owner-data/invoices/*"
        ]
      }
    ]
  })
}

# The policy of the key that encrypts bucket owner-data.
# Add these statements to the key policy and keep its existing statements: without them, no principal could administer the key.
# Create arn:aws:iam::222222222222:role/syncd-consumer first: AWS rejects a policy that names a principal that does not exist, and a principal recreated with the same name is a different principal.
output "account_111111111111-key-of-owner-data" {
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "UseKeyOfSource"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::222222222222:role/syncd-consumer"
        }
        Action   = "kms:Decrypt"
        Resource = "*"
        Condition = {
          StringEquals = {
            "kms:ViaService" = "s3.us-west-2.amazonaws.com"
          }
          StringLike = {
            "kms:EncryptionContext:aws:s3:arn" = [
              "arn:aws:s3:::owner-data",
              "arn:aws:s3:::owner-data/exports/*",
              "arn:aws:s3:::owner-data/invoices/*"
            ]
          }
        }
      }
    ]
  })
}
