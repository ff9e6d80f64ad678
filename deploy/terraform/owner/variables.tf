variable "bucket" {
  description = "The bucket that is read."
  type        = string
  validation {
    condition     = !can(regex("^arn:|-s3alias$", var.bucket))
    error_message = "An access point has policies of another form: use syncd policy --format terraform, which writes them."
  }
}

variable "prefix" {
  description = "The beginning of the keys that may be read; empty for the whole bucket."
  type        = string
  default     = ""
  validation {
    condition     = !can(regex("[*?$]", var.prefix))
    error_message = "A prefix with *, ? or $ would be a pattern in a policy: use syncd policy, which escapes them."
  }
}

variable "region" {
  description = "The region of the bucket and its key."
  type        = string
}

variable "destination_region" {
  description = "The region that the copies are written in, when it is another one."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "The ARN of the key that the bucket is encrypted under; null when there is none."
  type        = string
  default     = null
  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "Give the full ARN of a key of yours: nobody else can use the AWS managed key aws/s3, and an alias means another key in each account."
  }
}

variable "consumer_role_arn" {
  description = "The consumer's role that reads. It must exist: AWS refuses a policy that names nobody."
  type        = string
  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/", var.consumer_role_arn))
    error_message = "Give the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME."
  }
}

variable "copy_tags" {
  description = "Whether object tags are copied (copy.tags of the mapping)."
  type        = bool
  default     = true
}

variable "manage_bucket_policy" {
  description = "Whether to put the bucket's policy in force. A bucket has one policy: bucket_policy_statements must hold all others."
  type        = bool
  default     = false
}

variable "bucket_policy_statements" {
  description = "The statements that the bucket policy has besides those of this module."
  type        = any
  default     = []
}

variable "manage_key_policy" {
  description = "Whether to put the key's policy in force. A key has one policy: key_policy_statements must hold all others."
  type        = bool
  default     = false
}

variable "key_policy_statements" {
  description = "The statements that the key policy has besides those of this module; one of them must let somebody administer the key."
  type        = any
  default     = []
}
