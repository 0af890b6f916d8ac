output "webhook_url" {
  description = "What a shop enters in Mercado Pago's panel, followed by its id."
  value = format(
    "%s/webhooks/mercadopago/",
    local.has_domain ? "https://hooks.${var.domain}" : "https://${local.hooks_api}.execute-api.${var.region}.amazonaws.com/${local.api_stage}",
  )
}

output "web_acl_arns" {
  description = "Web ACLs by app."
  value       = { for app, acl in aws_wafv2_web_acl.this : app => acl.arn }
}

output "has_cdn" {
  description = "Whether CloudFront stands before the public API."
  value       = local.has_cdn
}

output "public_url" {
  description = "Where people find the screens and the public API, or nothing yet."
  value = (
    !local.has_cdn ? "" :
    local.has_domain ? "https://${var.domain}" : "https://${aws_cloudfront_distribution.this[0].domain_name}"
  )
}
