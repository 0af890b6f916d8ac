mock_provider "aws" {
  source = "../testing"
}

override_data {
  target = data.aws_ssm_parameter.key
  values = { insecure_value = "arn:aws:kms:sa-east-1:111122223333:key/00000000-0000-0000-0000-000000000000" }
}

variables {
  stage = "dev"
}

run "queues_are_what_the_topology_says" {
  assert {
    condition = toset([for it in aws_sqs_queue.input : it.name]) == toset([
      for name, it in jsondecode(file("../../topology.json")).contexts : "comanda-dev-${name}" if can(it.queue)
    ])
    error_message = "Not the queues of the topology."
  }

  assert {
    condition = alltrue([
      for name, it in aws_sqs_queue.input :
      jsondecode(it.redrive_policy).maxReceiveCount == local.queues[name].max_receive_count
    ])
    error_message = "A queue that never gives up, or gives up too soon."
  }

  assert {
    condition = alltrue([
      for name, it in aws_sqs_queue.dead_letters :
      it.message_retention_seconds > aws_sqs_queue.input[name].message_retention_seconds
    ])
    error_message = "A dead letter would vanish before the message it was."
  }
}

run "everything_is_encrypted_by_our_key" {
  assert {
    condition = alltrue([
      for it in concat(values(aws_sqs_queue.input), values(aws_sqs_queue.dead_letters)) : it.kms_master_key_id == data.aws_ssm_parameter.key.insecure_value
    ])
    error_message = "A queue with another key, which SNS could not use."
  }

  assert {
    condition     = alltrue([for it in aws_sns_topic.events : it.kms_master_key_id == data.aws_ssm_parameter.key.insecure_value])
    error_message = "A topic with another key."
  }
}

run "each_subscription_filters_and_has_a_way_out" {
  assert {
    condition = alltrue([
      for key, it in aws_sns_topic_subscription.this :
      it.raw_message_delivery && length(jsondecode(it.filter_policy).type) > 0 && can(jsondecode(it.redrive_policy).deadLetterTargetArn)
    ])
    error_message = "A subscription that hears everything, wraps it, or loses it."
  }

  assert {
    condition = toset(jsondecode(aws_sns_topic_subscription.this["orders-catalog"].filter_policy).type) == toset([
      "orders.order.placed.v1", "orders.order.cancelled.v1",
    ])
    error_message = "catalog does not hear what it handles."
  }

  assert {
    condition     = !contains(keys(aws_sns_topic_subscription.this), "webhooks-orders")
    error_message = "orders hears the webhooks."
  }
}

run "only_topics_of_the_topology_send_to_a_queue" {
  command = plan

  assert {
    condition = alltrue([
      for it in data.aws_iam_policy_document.queue :
      one([for s in it.statement : one(s.condition).variable if s.sid == "DeliverFromTopics"]) == "aws:SourceArn"
    ])
    error_message = "Anybody's topic could send."
  }
}
