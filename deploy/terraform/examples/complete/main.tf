# Both sides in one plan, for an administrator of both accounts. Otherwise each side applies its own
# module, the consumer first.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

provider "aws" {
  alias               = "owner"
  region              = "us-west-2"
  allowed_account_ids = ["111111111111"]
}

provider "aws" {
  alias               = "consumer"
  region              = "us-west-2"
  allowed_account_ids = ["222222222222"]
}

variable "external_id" {
  description = "The external ID of the consumer's role."
  type        = string
  sensitive   = true
}

variable "source_key_arn" {
  description = "The key that encrypts the owner's bucket."
  type        = string
}

variable "oidc_provider_arn" {
  description = "The OIDC provider of the EKS cluster that runs syncd."
  type        = string
}

module "consumer" {
  source    = "../../consumer"
  providers = { aws = aws.consumer }

  account_id  = "222222222222"
  region      = "us-west-2"
  external_id = var.external_id
  irsa        = { oidc_provider_arn = var.oidc_provider_arn }

  source_bucket = {
    bucket      = "owner-exports"
    region      = "us-west-2"
    account_id  = "111111111111"
    kms_key_arn = var.source_key_arn
  }
  destination = { bucket = "consumer-exports" }
  state       = { bucket = "consumer-state" }
}

module "owner" {
  source    = "../../owner"
  providers = { aws = aws.owner }

  bucket            = "owner-exports"
  region            = "us-west-2"
  kms_key_arn       = var.source_key_arn
  consumer_role_arn = module.consumer.role_arn

  manage_bucket_policy = true
}

# This example does not replace the owner's key policy: add these statements to it.
output "key_policy_statements" {
  description = "The statements to add to the policy of the owner's key."
  value       = module.owner.key_policy_statements
}

output "syncd" {
  description = "The values to use in syncd.yaml."
  value = {
    state   = module.consumer.state
    role    = module.consumer.role_arn
    kms_key = module.consumer.destination_key_arn
  }
}
