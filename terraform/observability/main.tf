locals {
  topology  = jsondecode(file("${path.module}/../../topology.json"))
  settings  = jsondecode(file("${path.module}/../profiles.json"))[var.profile]
  workloads = jsondecode(file("${path.module}/../identity/workloads.json"))
  prefix    = "${local.topology.prefix}-${var.stage}"
  contexts  = local.topology.contexts
  queues    = [for name, it in local.contexts : name if can(it.queue)]
  tables    = flatten([for it in local.contexts : keys(it.tables) if can(it.tables)])
  functions = { for name, it in local.workloads : name => "${it.app}-${var.stage}${it.suffix}" if it.runs_on == "function" }
  runbooks  = "docs/runbooks"
  # A paid order should reach the kitchen within seconds; a minute of waiting is felt at the counter.
  oldest_seconds = { orders = 60, payments = 60, catalog = 120, archive = 900 }
}

data "aws_caller_identity" "current" {}

data "aws_ssm_parameter" "key" {
  name = "/comanda/${var.stage}/security/messaging_key_arn"
}

data "aws_ssm_parameter" "nat" {
  name = "/comanda/${var.stage}/network/nat_gateway_ids"
}

# --- who is told -------------------------------------------------------------------------------

resource "aws_sns_topic" "alarms" {
  name              = "${local.prefix}-alarms"
  kms_master_key_id = data.aws_ssm_parameter.key.insecure_value
}

data "aws_iam_policy_document" "alarms" {
  statement {
    sid       = "AlarmsOfThisAccount"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}

resource "aws_sns_topic_subscription" "people" {
  for_each = toset(var.alarm_emails)

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

# --- queues ------------------------------------------------------------------------------------

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = toset(local.queues)

  alarm_name          = "${local.prefix}-${each.key}-dlq"
  alarm_description   = "Something could not be handled. ${local.runbooks}/dead-letters.md"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = "${local.prefix}-${each.key}-dlq" }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "age" {
  for_each = toset(local.queues)

  alarm_name          = "${local.prefix}-${each.key}-age"
  alarm_description   = "Messages wait longer than a counter can bear. ${local.runbooks}/deploy.md"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = "${local.prefix}-${each.key}" }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = lookup(local.oldest_seconds, each.key, 120)
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# --- the edge ----------------------------------------------------------------------------------

resource "aws_cloudwatch_metric_alarm" "functions" {
  for_each = merge([
    for metric in ["Errors", "Throttles"] : {
      for name, function in local.functions : "${name}-${lower(metric)}" => { metric = metric, function = function }
    }
  ]...)

  alarm_name          = "${local.prefix}-${each.key}"
  alarm_description   = "A function of the edge fails. ${local.runbooks}/deploy.md"
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = each.value.function }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# Mercado Pago and customers feel these before any function counts an error.
resource "aws_cloudwatch_metric_alarm" "apis" {
  for_each = merge([
    for app in toset([for it in local.workloads : it.app if it.runs_on == "function"]) : {
      "${app}-5xx"  = { api = app, metric = "5XXError", average = true, bound = 0.01 }
      "${app}-slow" = { api = app, metric = "Latency", average = false, bound = 2000 }
    }
  ]...)

  alarm_name          = "${local.prefix}-${each.key}"
  alarm_description   = "The edge answers with 5xx, or slower than we promise. ${local.runbooks}/deploy.md"
  namespace           = "AWS/ApiGateway"
  metric_name         = each.value.metric
  dimensions          = { ApiName = each.value.api, Stage = var.stage }
  statistic           = each.value.average ? "Average" : null
  extended_statistic  = each.value.average ? null : "p99"
  period              = 300
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.bound
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# --- the way out: without ports pods reach neither Mercado Pago nor AWS ---------------------------

resource "aws_cloudwatch_metric_alarm" "nat" {
  for_each = toset(split(",", data.aws_ssm_parameter.nat.insecure_value))

  alarm_name          = "${local.prefix}-${each.key}-ports"
  alarm_description   = "A NAT gateway has no ports left. ${local.runbooks}/deploy.md"
  namespace           = "AWS/NATGateway"
  metric_name         = "ErrorPortAllocation"
  dimensions          = { NatGatewayId = each.key }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# --- stores ------------------------------------------------------------------------------------

resource "aws_cloudwatch_metric_alarm" "database" {
  for_each = {
    storage     = { metric = "FreeStorageSpace", operator = "LessThanThreshold", threshold = 5 * 1024 * 1024 * 1024 }
    connections = { metric = "DatabaseConnections", operator = "GreaterThanThreshold", threshold = 240 }
    cpu         = { metric = "CPUUtilization", operator = "GreaterThanThreshold", threshold = 80 }
  }

  alarm_name          = "${local.prefix}-database-${each.key}"
  alarm_description   = "PostgreSQL runs short of ${each.key}. ${local.runbooks}/deploy.md"
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = { DBInstanceIdentifier = local.prefix }
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 2
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "tables" {
  for_each = toset(local.tables)

  alarm_name          = "${local.prefix}-${each.key}-table-throttled"
  alarm_description   = "DynamoDB refuses requests. ${local.runbooks}/deploy.md"
  namespace           = "AWS/DynamoDB"
  metric_name         = "ThrottledRequests"
  dimensions          = { TableName = "${local.prefix}-${each.key}" }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# --- one page to look at -----------------------------------------------------------------------

resource "aws_cloudwatch_dashboard" "road" {
  dashboard_name = "${local.prefix}-road"

  dashboard_body = jsonencode({
    widgets = [
      for index, it in [
        { title = "Messages that wait", metric = "ApproximateNumberOfMessagesVisible", suffix = "" },
        { title = "Age of the oldest message (s)", metric = "ApproximateAgeOfOldestMessage", suffix = "" },
        { title = "Dead letters", metric = "ApproximateNumberOfMessagesVisible", suffix = "-dlq" },
        ] : {
        type   = "metric"
        x      = (index % 2) * 12
        y      = floor(index / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = it.title
          region  = var.region
          stat    = "Maximum"
          period  = 60
          metrics = [for name in local.queues : ["AWS/SQS", it.metric, "QueueName", "${local.prefix}-${name}${it.suffix}"]]
        }
      }
    ]
  })
}

# --- money -------------------------------------------------------------------------------------

resource "aws_budgets_budget" "monthly" {
  name         = local.prefix
  budget_type  = "COST"
  limit_amount = tostring(local.settings.budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  cost_filter {
    name = "TagKeyValue"
    # A tag's key and value are joined by a dollar sign, which an interpolation after it would undo.
    values = [format("user:environment$%s", var.stage)]
  }

  dynamic "notification" {
    for_each = length(var.alarm_emails) > 0 ? { FORECASTED = 100, ACTUAL = 80 } : {}

    content {
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      notification_type          = notification.key
      subscriber_email_addresses = var.alarm_emails
    }
  }
}
