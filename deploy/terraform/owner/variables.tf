variable "bucket" {
  description = "The source bucket."
  type        = string
  validation {
    condition     = !can(regex("^arn:|-s3alias$", var.bucket))
    error_message = "Access points need different policies: generate them with syncd policy --format terraform."
  }
}

variable "prefix" {
  description = "The prefix of the keys that the consumer is allowed to read; empty means the whole bucket."
  type        = string
  default     = ""
  validation {
    condition     = !can(regex("[*?$]", var.prefix))
    error_message = "The prefix must not contain *, ? or $, which have a special meaning in policies: use syncd policy, which escapes them."
  }
}

variable "region" {
  description = "The Region of the bucket and its key."
  type        = string
}

variable "destination_region" {
  description = "The Region of the copies, if different."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "The ARN of the key that encrypts the bucket; null if there is none."
  type        = string
  default     = null
  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "Set the full ARN of a customer managed key: other accounts cannot use the AWS managed key aws/s3, and an alias means a different key in each account."
  }
}

variable "consumer_role_arn" {
  description = "The consumer's role that reads the bucket. It must exist: AWS rejects a policy that names a principal that does not exist."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/", var.consumer_role_arn))
    error_message = "Set the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME."
  }
}

variable "copy_tags" {
  description = "Whether object tags are copied (copy.tags of the mapping)."
  type        = bool
  default     = true
}

variable "manage_bucket_policy" {
  description = "Whether to replace the bucket policy. A bucket has only one policy: bucket_policy_statements must contain all other statements."
  type        = bool
  default     = false
}

variable "bucket_policy_statements" {
  description = "The other statements of the bucket policy."
  type        = any
  default     = []
}

variable "manage_key_policy" {
  description = "Whether to replace the key policy. A key has only one policy: key_policy_statements must contain all other statements."
  type        = bool
  default     = false
}

variable "key_policy_statements" {
  description = "The other statements of the key policy. One of them must let someone administer the key."
  type        = any
  default     = []
}
