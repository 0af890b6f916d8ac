output "key_arns" {
  description = "The customer-managed keys by purpose."
  value       = { for name, key in aws_kms_key.this : name => key.arn }
}

output "secret_names" {
  description = "Secrets that wait for their values."
  value       = sort([for secret in aws_secretsmanager_secret.this : secret.name])
}
