variable "name" {
  description = "The name of the role that reads and writes, and the beginning of the names of what else is made."
  type        = string
  default     = "syncd"
}

variable "account_id" {
  description = "Your account."
  type        = string
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account id has 12 digits."
  }
}

variable "region" {
  description = "The region of the copies, their key and the state."
  type        = string
}

variable "source_bucket" {
  description = "What is copied: the owner's bucket, the beginning of the keys, region and account. kms_key_arn narrows down which of the owner's keys the role may use; null leaves that to the owner's key policy."
  type = object({
    bucket      = string
    prefix      = optional(string, "")
    region      = string
    account_id  = string
    kms_key_arn = optional(string)
  })
  validation {
    condition     = !can(regex("[*?$]", var.source_bucket.prefix)) && can(regex("^[0-9]{12}$", var.source_bucket.account_id))
    error_message = "account_id has 12 digits, and prefix none of *, ? and $, which would be a pattern in a policy."
  }
  validation {
    condition     = !can(regex("^arn:|-s3alias$", var.source_bucket.bucket))
    error_message = "An access point has policies of another form: use syncd policy --format terraform, which writes them."
  }
}

variable "destination" {
  description = "Where the copies lie: bucket and beginning of the keys. With create_bucket false the bucket is there already and its policy and lifecycle are left alone; with kms_key_arn null a key is made."
  type = object({
    bucket          = string
    prefix          = optional(string, "")
    create_bucket   = optional(bool, true)
    kms_key_arn     = optional(string)
    noncurrent_days = optional(number, 30)
  })
  validation {
    condition     = !can(regex("[*?$]", var.destination.prefix))
    error_message = "A prefix with *, ? or $ would be a pattern in a policy."
  }
}

variable "state" {
  description = "Where the ledger lies: bucket and beginning of the keys. With create_bucket false the bucket is there already and its policy and lifecycle are left alone."
  type = object({
    bucket          = string
    prefix          = optional(string, "syncd/")
    create_bucket   = optional(bool, true)
    noncurrent_days = optional(number, 7)
  })
  validation {
    condition     = endswith(var.state.prefix, "/") && !can(regex("[*?$]", var.state.prefix))
    error_message = "The prefix of the state ends in / and has none of *, ? and $."
  }
}

variable "external_id" {
  description = "The ExternalId that the role's trust policy asks for: 2 to 1224 characters. IAM shows it to whoever may read the role."
  type        = string
  sensitive   = true
  validation {
    condition     = can(regex("^[\\w+=,.@:/-]{2,}$", var.external_id)) && length(var.external_id) <= 1224
    error_message = "An ExternalId has 2 to 1224 letters, digits and + = , . @ : / - _."
  }
}

variable "session_tags" {
  description = "The tags of the session: those of the role in syncd.yaml. The trust policy takes these, with these values, and no others."
  type        = map(string)
  default     = {}
}

variable "transitive_tags" {
  description = "The transitive tags of the role in syncd.yaml, by their keys. The trust policy takes these as transitive and no others."
  type        = list(string)
  default     = []
}

variable "allow_session_tags" {
  description = "Whether the session may inherit the tags of EKS Pod Identity: always with Pod Identity, unless its session tags are disabled."
  type        = bool
  default     = false
}

variable "source_identity" {
  description = "The source identity of the session: that of the role in syncd.yaml. The trust policy takes this one and no other; null for none."
  type        = string
  default     = null
}

variable "copy_tags" {
  description = "Whether object tags are copied (copy.tags of the mapping)."
  type        = bool
  default     = true
}

variable "allow_delete" {
  description = "Whether copies may be deleted (delete.enabled of the mapping)."
  type        = bool
  default     = false
}

variable "workload_role_arn" {
  description = "A role of yours that syncd runs as. Give this, or one of ecs, irsa and pod_identity, which make one."
  type        = string
  default     = null
}

variable "irsa" {
  description = "Makes the role of a Kubernetes service account: the ARN of the cluster's OIDC provider, namespace and name."
  type = object({
    oidc_provider_arn = string
    namespace         = optional(string, "syncd")
    service_account   = optional(string, "syncd")
  })
  default = null
}

variable "pod_identity" {
  description = "Makes the role of a Kubernetes service account and ties it to it by EKS Pod Identity: cluster, its region when it is another one, namespace and name."
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
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
}
