locals {
  settings   = jsondecode(file("${path.module}/../profiles.json"))[var.profile]
  workloads  = jsondecode(file("${path.module}/../identity/workloads.json"))
  prefix     = "comanda-${var.stage}"
  account    = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  api_stage  = var.stage
  auth_api   = data.aws_ssm_parameter.api["auth_lambda"].insecure_value
  hooks_api  = data.aws_ssm_parameter.api["webhooks_lambda"].insecure_value
  apis       = { auth_lambda = local.auth_api, webhooks_lambda = local.hooks_api }
  has_domain = var.domain != null
  has_cdn    = local.settings.cdn && var.load_balancer_name != null
  hosts      = local.has_domain ? { auth_lambda = "auth.${var.domain}", webhooks_lambda = "hooks.${var.domain}" } : {}
  asked_by_cognito = [
    "define_auth_challenge", "create_auth_challenge", "verify_auth_challenge", "pre_token_generation",
  ]
  triggers = {
    for name, it in local.workloads : it.function => "${it.app}-${var.stage}${it.suffix}"
    if contains(local.asked_by_cognito, try(it.function, ""))
  }
  pools = {
    customers = data.aws_ssm_parameter.pool["customer_pool_id"].insecure_value
    staff     = data.aws_ssm_parameter.pool["staff_pool_id"].insecure_value
  }
  # Staff's pool calls the last trigger alone.
  grants = merge(
    { for name, function in local.triggers : "customers-${name}" => { function = function, pool = "customers" } },
    { staff-pre_token_generation = { function = local.triggers["pre_token_generation"], pool = "staff" } },
  )
  # Mercado Pago never sends so many, and a person never asks so often.
  rate_limits = { auth_lambda = 300, webhooks_lambda = 3000 }
  rule_groups = { AWSManagedRulesKnownBadInputsRuleSet = 1, AWSManagedRulesCommonRuleSet = 2 }
  # Receivers have limits and answers of their own for large bodies, and menus have pictures.
  counted = { AWSManagedRulesCommonRuleSet = ["SizeRestrictions_BODY", "NoUserAgent_HEADER"] }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# `make deploy-edge` leaves the ids of Chalice's REST APIs here.
data "aws_ssm_parameter" "api" {
  for_each = toset(["auth_lambda", "webhooks_lambda"])

  name = "/comanda/${var.stage}/chalice/${trimsuffix(each.key, "_lambda")}/rest_api_id"
}

data "aws_ssm_parameter" "pool" {
  for_each = toset(["customer_pool_id", "staff_pool_id"])

  name = "/comanda/${var.stage}/identity/${each.key}"
}

data "aws_ssm_parameter" "nat_addresses" {
  name = "/comanda/${var.stage}/network/nat_addresses"
}

# --- Cognito may call its triggers --------------------------------------------------------------

resource "aws_lambda_permission" "cognito" {
  for_each = local.grants

  statement_id   = "cognito-${each.value.pool}"
  action         = "lambda:InvokeFunction"
  function_name  = each.value.function
  principal      = "cognito-idp.amazonaws.com"
  source_account = local.account
  source_arn     = "arn:${local.partition}:cognito-idp:${var.region}:${local.account}:userpool/${local.pools[each.value.pool]}"
}

# --- throttling and access logs of Chalice's stages ---------------------------------------------

resource "aws_api_gateway_method_settings" "this" {
  for_each = local.apis

  rest_api_id = each.value
  stage_name  = local.api_stage
  method_path = "*/*"

  settings {
    metrics_enabled        = true
    logging_level          = "ERROR"
    data_trace_enabled     = false
    throttling_rate_limit  = each.key == "auth_lambda" ? 50 : 200
    throttling_burst_limit = each.key == "auth_lambda" ? 100 : 400
  }

  depends_on = [aws_api_gateway_account.this]
}

data "aws_iam_policy_document" "gateway_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["apigateway.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "gateway" {
  name               = "${local.prefix}-gateway-logs"
  assume_role_policy = data.aws_iam_policy_document.gateway_trust.json
}

resource "aws_iam_role_policy_attachment" "gateway" {
  role       = aws_iam_role.gateway.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

# One for the whole account and region; the last stage to be applied wins, with the same rights.
resource "aws_api_gateway_account" "this" {
  cloudwatch_role_arn = aws_iam_role.gateway.arn

  depends_on = [aws_iam_role_policy_attachment.gateway]
}

# API Gateway would make this group itself, without an end to what it keeps.
resource "aws_cloudwatch_log_group" "gateway" {
  for_each = local.apis

  name              = "API-Gateway-Execution-Logs_${each.value}/${local.api_stage}"
  retention_in_days = local.settings.log_retention_days
}

# --- WAF ----------------------------------------------------------------------------------------

# The screens ask the APIs for everybody who looks at them, so their address is no one person's.
resource "aws_wafv2_ip_set" "ours" {
  name               = "${local.prefix}-screens"
  description        = "NAT gateways of our own pods"
  scope              = "REGIONAL"
  ip_address_version = "IPV4"
  addresses          = [for it in split(",", data.aws_ssm_parameter.nat_addresses.insecure_value) : "${it}/32"]
}

resource "aws_wafv2_web_acl" "this" {
  for_each = local.apis

  name        = "${local.prefix}-${each.key}"
  description = "What never reaches ${each.key}"
  scope       = "REGIONAL"

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
        limit              = local.rate_limits[each.key]
        aggregate_key_type = "IP"

        scope_down_statement {
          not_statement {
            statement {
              ip_set_reference_statement {
                arn = aws_wafv2_ip_set.ours.arn
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${local.prefix}-${each.key}-rate"
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
        metric_name                = "${local.prefix}-${each.key}-${rule.value}"
        sampled_requests_enabled   = false
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "${local.prefix}-${each.key}"
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  for_each = local.apis

  resource_arn = "arn:${local.partition}:apigateway:${var.region}::/restapis/${each.value}/stages/${local.api_stage}"
  web_acl_arn  = aws_wafv2_web_acl.this[each.key].arn
}

resource "aws_cloudwatch_log_group" "waf" {
  # WAF takes no other beginning of a name.
  name              = "aws-waf-logs-${local.prefix}"
  retention_in_days = local.settings.log_retention_days
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  for_each = local.apis

  resource_arn            = aws_wafv2_web_acl.this[each.key].arn
  log_destination_configs = [aws_cloudwatch_log_group.waf.arn]

  redacted_fields {
    single_header {
      name = "authorization"
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
