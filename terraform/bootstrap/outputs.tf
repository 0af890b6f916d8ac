output "state_bucket" {
  description = "Where every layer keeps its state."
  value       = aws_s3_bucket.state.id
}

output "ci_role_arns" {
  description = "What workflows sign in to."
  value       = { for name, role in aws_iam_role.ci : name => role.arn }
}

output "boundary_arn" {
  description = "The permissions boundary of every workload."
  value       = aws_iam_policy.boundary.arn
}
