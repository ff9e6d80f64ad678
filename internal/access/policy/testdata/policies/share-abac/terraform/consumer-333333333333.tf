# Account 333333333333, on the consumer's side. Import existing resources before you apply this.

variable "external_id_governance" {
  description = "ExternalId of role governance"
  type        = string
  sensitive   = true
}

# The permissions of arn:aws:iam::333333333333:role/data-access.
resource "aws_iam_role_policy" "data-access" {
  name = "syncd"
  role = aws_iam_role.data-access.name
  policy = jsonencode({
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
        Resource = "arn:aws:iam::222222222222:role/syncd-consumer"
      }
    ]
  })
}

# The trust policy of arn:aws:iam::333333333333:role/data-access.
# EKS Pod Identity adds its own session tags to the ambient session. This policy rejects these tags: disable them for the association.
# This policy names all of account 222222222222: the identity policies of that account decide which of its principals are allowed. To allow only one principal, name the principal of the ambient credentials.
resource "aws_iam_role" "data-access" {
  name = "data-access"
  path = "/"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "AssumeRole"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::222222222222:root"
        }
        Action = "sts:AssumeRole"
        Condition = {
          Null = {
            "aws:RequestTag/access-project" = "false"
            "aws:RequestTag/cost-center"    = "false"
          }
          StringEquals = {
            "aws:PrincipalOrgID" = "o-a1b2c3d4e5"
            "sts:ExternalId"     = var.external_id_governance
            "sts:SourceIdentity" = "syncd"
          }
        }
      },
      {
        Sid    = "TagSession"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::222222222222:root"
        }
        Action = "sts:TagSession"
        Condition = {
          "ForAllValues:StringEquals" = {
            "aws:TagKeys" = [
              "access-project",
              "cost-center"
            ]
            "sts:TransitiveTagKeys" = "access-project"
          }
          Null = {
            "aws:TagKeys" = "false"
          }
          StringEquals = {
            "aws:PrincipalOrgID"            = "o-a1b2c3d4e5"
            "aws:RequestTag/access-project" = "lake"
            "aws:RequestTag/cost-center"    = "4711"
          }
        }
      },
      {
        Sid    = "SetSourceIdentity"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::222222222222:root"
        }
        Action = "sts:SetSourceIdentity"
        Condition = {
          StringEquals = {
            "aws:PrincipalOrgID" = "o-a1b2c3d4e5"
            "sts:SourceIdentity" = "syncd"
          }
        }
      }
    ]
  })
}
