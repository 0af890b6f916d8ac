mock_provider "aws" {
  source = "../testing"
}

override_data {
  target = data.aws_ssm_parameter.key
  values = { insecure_value = "arn:aws:kms:sa-east-1:111122223333:key/00000000-0000-0000-0000-000000000000" }
}

override_data {
  target = data.aws_ssm_parameter.nat
  values = { insecure_value = "nat-0a,nat-0b" }
}

variables {
  stage        = "dev"
  alarm_emails = ["on-call@comanda.example"]
}

run "each_queue_has_both_alarms" {
  assert {
    condition = alltrue([
      for name, it in jsondecode(file("../../topology.json")).contexts :
      contains(output.alarm_names, "comanda-dev-${name}-dlq") && contains(output.alarm_names, "comanda-dev-${name}-age") if can(it.queue)
    ])
    error_message = "A queue could fill unseen."
  }

  assert {
    condition     = alltrue([for it in aws_cloudwatch_metric_alarm.dead_letters : it.threshold == 0 && it.period == 60 && it.evaluation_periods == 1])
    error_message = "A dead letter waits to be seen."
  }
}

run "each_alarm_tells_somebody_and_names_a_runbook" {
  assert {
    condition = alltrue([
      for it in concat(values(aws_cloudwatch_metric_alarm.dead_letters), values(aws_cloudwatch_metric_alarm.age), values(aws_cloudwatch_metric_alarm.functions), values(aws_cloudwatch_metric_alarm.database), values(aws_cloudwatch_metric_alarm.tables), values(aws_cloudwatch_metric_alarm.apis), values(aws_cloudwatch_metric_alarm.nat)) :
      length(it.alarm_actions) == 1 && fileexists("../../${regex("docs/runbooks/[a-z-]+\\.md", it.alarm_description)}")
    ])
    error_message = "An alarm without a runbook that exists."
  }

  assert {
    condition     = length(aws_sns_topic_subscription.people) == 1
    error_message = "Nobody is told."
  }
}

run "money_has_a_limit_too" {
  assert {
    condition     = aws_budgets_budget.monthly.limit_amount == "700"
    error_message = "The bill has no bound."
  }

  assert {
    condition     = alltrue([for it in aws_budgets_budget.monthly.cost_filter : it.values == tolist(["user:environment$dev"])])
    error_message = "The budget counts what carries another tag, or nothing."
  }
}

run "slow_answers_and_a_way_out_without_ports_are_told" {
  assert {
    condition = toset(keys(aws_cloudwatch_metric_alarm.apis)) == toset([
      "auth_lambda-5xx", "auth_lambda-slow", "webhooks_lambda-5xx", "webhooks_lambda-slow",
    ]) && aws_cloudwatch_metric_alarm.apis["webhooks_lambda-slow"].extended_statistic == "p99"
    error_message = "An API could fail unseen."
  }

  assert {
    condition     = toset([for it in aws_cloudwatch_metric_alarm.nat : it.dimensions["NatGatewayId"]]) == toset(["nat-0a", "nat-0b"])
    error_message = "A NAT gateway could run out of ports unseen."
  }
}
