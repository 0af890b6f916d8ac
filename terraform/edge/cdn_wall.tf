# --- the wall before CloudFront, in the one region where it takes walls ---------------------------

resource "aws_wafv2_web_acl" "global" {
  count    = local.has_cdn ? 1 : 0
  provider = aws.global

  name        = "${local.prefix}-public"
  description = "What never reaches the pods"
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  rule {
    name     = "rate"
    priority = 0

    action {
      block {}
    }

    statement {
      rate_based_statement {
        # A whole shop comes from one address: its kiosks, its boards, its guests' telephones.
        limit              = 6000
        aggregate_key_type = "IP"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${local.prefix}-public-rate"
      sampled_requests_enabled   = false
    }
  }

  dynamic "rule" {
    for_each = local.rule_groups

    content {
      name     = rule.key
      priority = rule.value

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          name        = rule.key
          vendor_name = "AWS"

          dynamic "rule_action_override" {
            for_each = lookup(local.counted, rule.key, [])

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${local.prefix}-public-${rule.value}"
        sampled_requests_enabled   = false
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "${local.prefix}-public"
    sampled_requests_enabled   = false
  }
}

resource "aws_cloudwatch_log_group" "global_waf" {
  count    = local.has_cdn ? 1 : 0
  provider = aws.global

  name              = "aws-waf-logs-${local.prefix}-public"
  retention_in_days = local.settings.log_retention_days
}

resource "aws_wafv2_web_acl_logging_configuration" "global" {
  count    = local.has_cdn ? 1 : 0
  provider = aws.global

  resource_arn            = aws_wafv2_web_acl.global[0].arn
  log_destination_configs = [aws_cloudwatch_log_group.global_waf[0].arn]

  # The screens' sessions are cookies.
  dynamic "redacted_fields" {
    for_each = toset(["authorization", "cookie"])

    content {
      single_header {
        name = redacted_fields.value
      }
    }
  }

  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }
    }
  }
}
