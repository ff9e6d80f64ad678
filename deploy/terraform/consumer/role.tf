# The role that reads and writes, and the role that syncd runs as, which assumes the first role.

resource "aws_iam_role" "consumer" {
  name               = var.name
  description        = "Reads ${var.source_bucket.bucket} of ${var.source_bucket.account_id}, writes ${var.destination.bucket}"
  assume_role_policy = jsonencode(local.trust)
  tags               = var.tags
}

resource "aws_iam_role_policy" "consumer" {
  name   = var.name
  role   = aws_iam_role.consumer.id
  policy = jsonencode(local.permissions)
}

locals {
  workload_role_arn = coalesce(var.workload_role_arn, one(aws_iam_role.workload[*].arn))

  # The issuer is the provider's ARN without everything up to the first slash.
  oidc_issuer = var.irsa == null ? "" : replace(var.irsa.oidc_provider_arn, "/^[^/]*\\//", "")

  # Only tasks of this account in the cluster's Region, not other uses of ECS.
  from_ecs = { for ecs in var.ecs[*] : "only" => {
    StringEquals = { "aws:SourceAccount" = var.account_id }
    ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${split(":", ecs.cluster_arn)[3]}:${var.account_id}:*" }
  } }

  # The trust policy for each kind of workload; the one that is configured is used.
  workload_trusts = concat(
    [for ecs in var.ecs[*] : {
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = ["sts:AssumeRole"]
      Condition = local.from_ecs["only"]
    }],
    [for irsa in var.irsa[*] : {
      Effect    = "Allow"
      Principal = { Federated = irsa.oidc_provider_arn }
      Action    = ["sts:AssumeRoleWithWebIdentity"]
      Condition = { StringEquals = {
        "${local.oidc_issuer}:sub" = "system:serviceaccount:${irsa.namespace}:${irsa.service_account}"
        "${local.oidc_issuer}:aud" = "sts.amazonaws.com"
      } }
    }],
    [for pod in var.pod_identity[*] : {
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      # Only this cluster and, through the tags that Pod Identity sets, one service account in it.
      Condition = {
        StringEquals = {
          "aws:SourceAccount"                         = var.account_id
          "aws:RequestTag/kubernetes-namespace"       = pod.namespace
          "aws:RequestTag/kubernetes-service-account" = pod.service_account
        }
        ArnEquals = { "aws:SourceArn" = "arn:${local.partition}:eks:${coalesce(pod.region, var.region)}:${var.account_id}:cluster/${pod.cluster_name}" }
      }
    }],
  )
}

# The role needs no permissions policy: the trust policy above names the role, which is sufficient
# within one account.
resource "aws_iam_role" "workload" {
  count = var.workload_role_arn == null ? 1 : 0
  name  = "${var.name}-workload"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.workload_trusts
  })
  tags = var.tags

  lifecycle {
    precondition {
      condition     = length(local.workload_trusts) == 1
      error_message = "Set one of workload_role_arn, ecs, irsa and pod_identity."
    }
  }
}

resource "aws_eks_pod_identity_association" "workload" {
  count           = var.pod_identity == null ? 0 : 1
  cluster_name    = var.pod_identity.cluster_name
  namespace       = var.pod_identity.namespace
  service_account = var.pod_identity.service_account
  role_arn        = local.workload_role_arn
}
