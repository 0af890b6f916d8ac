mock_provider "aws" {
  source = "../testing"
}

override_data {
  target = data.aws_ssm_parameter.key
  values = { insecure_value = "arn:aws:kms:sa-east-1:111122223333:key/00000000-0000-0000-0000-000000000000" }
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
      for it in concat(values(aws_cloudwatch_metric_alarm.dead_letters), values(aws_cloudwatch_metric_alarm.age), values(aws_cloudwatch_metric_alarm.functions), values(aws_cloudwatch_metric_alarm.database), values(aws_cloudwatch_metric_alarm.tables)) :
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
}
