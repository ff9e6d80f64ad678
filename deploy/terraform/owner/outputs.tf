output "bucket_policy_statements" {
  description = "The statements to add to the bucket policy if this module does not manage it."
  value       = local.bucket_policy_statements
}

output "key_policy_statements" {
  description = "The statements to add to the key policy if this module does not manage it; empty without a key."
  value       = local.key_policy_statements
}

output "bucket_policy_json" {
  description = "The whole bucket policy, with bucket_policy_statements."
  value       = jsonencode(local.bucket_policy)
}

output "key_policy_json" {
  description = "The whole key policy, with key_policy_statements."
  value       = jsonencode(local.key_policy)
}
