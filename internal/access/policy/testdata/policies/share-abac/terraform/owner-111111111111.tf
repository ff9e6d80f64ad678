# Account 111111111111, on the owner's side. Import existing resources before you apply this.

# The policy of bucket owner-data.
# A bucket has only one policy: add these statements to the existing ones.
resource "aws_s3_bucket_policy" "owner-data" {
  bucket = "owner-data"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "ListSource"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::222222222222:root"
        }
        Action   = "s3:ListBucket"
        Resource = "arn:aws:s3:::owner-data"
        Condition = {
          StringEquals = {
            "aws:PrincipalOrgID"              = "o-a1b2c3d4e5"
            "aws:PrincipalTag/access-project" = "lake"
          }
          StringLike = {
            "s3:prefix" = "exports/*"
          }
        }
      },
      {
        Sid    = "DenyOtherWays"
        Effect = "Deny"
        Principal = {
          AWS = "arn:aws:iam::222222222222:root"
        }
        Action = "s3:*"
        Resource = [
          "arn:aws:s3:::owner-data",
          "arn:aws:s3:::owner-data/exports/*"
        ]
        Condition = {
          StringNotEquals = {
            "aws:SourceVpce" = "vpce-0a1b2c3d4e5f67890"
          }
        }
      },
      {
        Sid    = "ReadSource"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::222222222222:root"
        }
        Action = [
          "s3:GetObject",
          "s3:GetObjectTagging"
        ]
        Resource = "arn:aws:s3:::owner-data/exports/*"
        Condition = {
          StringEquals = {
            "aws:PrincipalOrgID"              = "o-a1b2c3d4e5"
            "aws:PrincipalTag/access-project" = "lake"
          }
        }
      }
    ]
  })
}

# The policy of the key that encrypts bucket owner-data.
# Add these statements to the key policy and keep its existing statements: without them, no principal could administer the key.
output "account_111111111111-key-of-owner-data" {
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "UseKeyOfSource"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::222222222222:root"
        }
        Action   = "kms:Decrypt"
        Resource = "*"
        Condition = {
          StringEquals = {
            "aws:PrincipalOrgID"              = "o-a1b2c3d4e5"
            "aws:PrincipalTag/access-project" = "lake"
            "kms:ViaService"                  = "s3.us-west-2.amazonaws.com"
          }
          StringLike = {
            "kms:EncryptionContext:aws:s3:arn" = [
              "arn:aws:s3:::owner-data",
              "arn:aws:s3:::owner-data/exports/*"
            ]
          }
        }
      }
    ]
  })
}
