variable "name" {
  description = "The name of the role that reads and writes, and the prefix of the names of all other resources."
  type        = string
  default     = "syncd"
}

variable "account_id" {
  description = "Your account ID."
  type        = string
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account ID has 12 digits."
  }
}

variable "region" {
  description = "The Region of the copies, their key and the state."
  type        = string
}

variable "source_bucket" {
  description = "The source: the owner's bucket, key prefix, Region and account. kms_key_arn is the only one of the owner's keys that the role is allowed to use; with null, only the owner's key policy decides."
  type = object({
    bucket      = string
    prefix      = optional(string, "")
    region      = string
    account_id  = string
    kms_key_arn = optional(string)
  })
  validation {
    condition     = !can(regex("[*?$]", var.source_bucket.prefix)) && can(regex("^[0-9]{12}$", var.source_bucket.account_id))
    error_message = "account_id must have 12 digits, and prefix must not contain *, ? or $, which have a special meaning in policies."
  }
  validation {
    condition     = !can(regex("^arn:|-s3alias$", var.source_bucket.bucket))
    error_message = "Access points need different policies: generate them with syncd policy --format terraform."
  }
}

variable "destination" {
  description = "The destination: bucket and key prefix. If create_bucket is false, the bucket must exist, and its policy and lifecycle are not changed. If kms_key_arn is null, a key is created."
  type = object({
    bucket          = string
    prefix          = optional(string, "")
    create_bucket   = optional(bool, true)
    kms_key_arn     = optional(string)
    noncurrent_days = optional(number, 30)
  })
  validation {
    condition     = !can(regex("[*?$]", var.destination.prefix))
    error_message = "The prefix must not contain *, ? or $, which have a special meaning in policies."
  }
}

variable "state" {
  description = "Where the ledger is stored: bucket and key prefix. If create_bucket is false, the bucket must exist, and its policy and lifecycle are not changed."
  type = object({
    bucket          = string
    prefix          = optional(string, "syncd/")
    create_bucket   = optional(bool, true)
    noncurrent_days = optional(number, 7)
  })
  validation {
    condition     = endswith(var.state.prefix, "/") && !can(regex("[*?$]", var.state.prefix))
    error_message = "The prefix of the state must end in / and must not contain *, ? or $."
  }
}

variable "external_id" {
  description = "The external ID that the role's trust policy requires: 2 to 1224 characters. Everyone who is allowed to read the role in IAM can see it."
  type        = string
  sensitive   = true
  validation {
    condition     = can(regex("^[\\w+=,.@:/-]{2,}$", var.external_id)) && length(var.external_id) <= 1224
    error_message = "An external ID must have 2 to 1224 characters: letters, digits and + = , . @ : / - _."
  }
}

variable "session_tags" {
  description = "The session tags, as set for the role in syncd.yaml. The trust policy allows only these tags with these values."
  type        = map(string)
  default     = {}
}

variable "transitive_tags" {
  description = "The keys of the transitive tags of the role in syncd.yaml. The trust policy allows only these tags to be transitive."
  type        = list(string)
  default     = []
}

variable "allow_session_tags" {
  description = "Whether the session is allowed to inherit the tags of EKS Pod Identity. Required with Pod Identity, unless the association disables session tags."
  type        = bool
  default     = false
}

variable "source_identity" {
  description = "The source identity of the session, as set for the role in syncd.yaml. The trust policy allows only this source identity; null means none."
  type        = string
  default     = null
}

variable "copy_tags" {
  description = "Whether object tags are copied (copy.tags of the mapping)."
  type        = bool
  default     = true
}

variable "allow_delete" {
  description = "Whether the role is allowed to delete copies (delete.enabled of the mapping)."
  type        = bool
  default     = false
}

variable "workload_role_arn" {
  description = "An existing role that syncd runs as. Set this, or set one of ecs, irsa and pod_identity to create one."
  type        = string
  default     = null
}

variable "irsa" {
  description = "Creates the role of a Kubernetes service account with IRSA: the ARN of the cluster's OIDC provider, namespace and name."
  type = object({
    oidc_provider_arn = string
    namespace         = optional(string, "syncd")
    service_account   = optional(string, "syncd")
  })
  default = null
}

variable "pod_identity" {
  description = "Creates the role of a Kubernetes service account and associates it with EKS Pod Identity: cluster, its Region if different, namespace and name."
  type = object({
    cluster_name    = string
    region          = optional(string)
    namespace       = optional(string, "syncd")
    service_account = optional(string, "syncd")
  })
  default = null
}

variable "ecs" {
  description = "Runs the daemon as a service on Fargate: cluster, image with syncd.yaml in it, subnets, security groups, the ARN of the external ID in Secrets Manager, and the size of the task."
  type = object({
    cluster_arn            = string
    image                  = string
    subnets                = list(string)
    security_groups        = list(string)
    external_id_secret_arn = string
    cpu                    = optional(number, 1024)
    memory                 = optional(number, 2048)
    architecture           = optional(string, "ARM64")
    log_retention_days     = optional(number, 30)
  })
  default = null
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
}
