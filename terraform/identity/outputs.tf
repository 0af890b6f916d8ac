output "role_arns" {
  description = "Roles by workload."
  value       = { for name, role in aws_iam_role.workload : name => role.arn }
}

output "policies" {
  description = "What each workload may do, rendered."
  value       = { for name, policy in aws_iam_role_policy.workload : name => policy.policy }
}

output "pools" {
  description = "User pools and their clients."
  value = {
    customers = { id = aws_cognito_user_pool.customers.id, client = aws_cognito_user_pool_client.customers.id }
    staff     = { id = aws_cognito_user_pool.staff.id, client = aws_cognito_user_pool_client.staff.id }
  }
}

output "dkim_tokens" {
  description = "Records that prove to mailboxes that the mail is ours."
  value       = aws_ses_domain_dkim.mail.dkim_tokens
}
