output "role_arn" {
  description = "The role that reads and writes: roles.<name>.arn of syncd.yaml, and consumer_role_arn of the owner's module."
  value       = aws_iam_role.consumer.arn
}

output "workload_role_arn" {
  description = "The role that syncd runs as: with IRSA, eks.amazonaws.com/role-arn of the service account."
  value       = local.workload_role_arn
}

output "destination_key_arn" {
  description = "The key of the copies: destination.kms_key of syncd.yaml."
  value       = local.destination_key_arn
}

output "state" {
  description = "Where the ledger is stored: state of syncd.yaml."
  value       = "s3://${var.state.bucket}/${var.state.prefix}"
}

output "permissions_json" {
  description = "The permissions of the role."
  value       = jsonencode(local.permissions)
}
