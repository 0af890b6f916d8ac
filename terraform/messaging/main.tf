locals {
  topology   = jsondecode(file("${path.module}/../../topology.json"))
  prefix     = "${local.topology.prefix}-${var.stage}"
  parameters = "/comanda/${var.stage}/messaging"
  account    = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  contexts   = local.topology.contexts
  topics     = toset([for name, it in local.contexts : name if it.topic])
  queues = {
    for name, it in local.contexts :
    name => merge(local.topology.queue_defaults, it.queue) if can(it.queue)
  }
  # Who publishes a type; a type that nobody publishes fails the plan here.
  publishers = merge([
    for name, it in local.contexts : { for kind in it.publishes : kind => name } if can(it.publishes)
  ]...)
  wanted = flatten([
    for name, it in local.contexts : [
      for kind in it.subscribes : { publisher = local.publishers[kind], subscriber = name, kind = kind }
    ] if can(it.subscribes)
  ])
  subscriptions = {
    for key, them in { for it in local.wanted : "${it.publisher}-${it.subscriber}" => it... } :
    key => {
      publisher  = them[0].publisher
      subscriber = them[0].subscriber
      types      = them[*].kind
    }
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_ssm_parameter" "key" {
  name = "/comanda/${var.stage}/security/messaging_key_arn"
}

# --- topics ---------------------------------------------------------------------------------

resource "aws_sns_topic" "events" {
  for_each = local.topics

  name              = "${local.prefix}-${each.key}-events"
  kms_master_key_id = data.aws_ssm_parameter.key.insecure_value
}

data "aws_iam_policy_document" "topic" {
  for_each = local.topics

  # Publishing is granted by the roles of workloads (identity), and only inside this account.
  statement {
    sid       = "PublishFromThisAccount"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.events[each.key].arn]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:PrincipalArn"
      values = [
        for name in lookup(var.publishers, each.key, ["${each.key}-*"]) :
        "arn:${local.partition}:iam::${local.account}:role/${local.prefix}-${name}"
      ]
    }
  }

  statement {
    sid       = "RefusePlainHttp"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.events[each.key].arn]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sns_topic_policy" "events" {
  for_each = local.topics

  arn    = aws_sns_topic.events[each.key].arn
  policy = data.aws_iam_policy_document.topic[each.key].json
}

# --- queues ---------------------------------------------------------------------------------

resource "aws_sqs_queue" "dead_letters" {
  for_each = local.queues

  name                      = "${local.prefix}-${each.key}-dlq"
  message_retention_seconds = each.value.dlq_retention_seconds
  kms_master_key_id         = data.aws_ssm_parameter.key.insecure_value
}

resource "aws_sqs_queue" "input" {
  for_each = local.queues

  name                       = "${local.prefix}-${each.key}"
  visibility_timeout_seconds = each.value.visibility_seconds
  message_retention_seconds  = each.value.retention_seconds
  receive_wait_time_seconds  = each.value.receive_wait_seconds
  kms_master_key_id          = data.aws_ssm_parameter.key.insecure_value

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters[each.key].arn
    maxReceiveCount     = each.value.max_receive_count
  })
}

data "aws_iam_policy_document" "queue" {
  for_each = local.queues

  statement {
    sid       = "DeliverFromTopics"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.input[each.key].arn]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values = sort([
        for it in local.subscriptions : aws_sns_topic.events[it.publisher].arn if it.subscriber == each.key
      ])
    }
  }

  statement {
    sid       = "RefusePlainHttp"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.input[each.key].arn]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

data "aws_iam_policy_document" "dead_letters" {
  for_each = local.queues

  # What SNS itself cannot deliver ends here as well, so that no event has a second hiding place.
  statement {
    sid       = "KeepUndeliverable"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters[each.key].arn]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values = sort([
        for it in local.subscriptions : aws_sns_topic.events[it.publisher].arn if it.subscriber == each.key
      ])
    }
  }

  statement {
    sid       = "RefusePlainHttp"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.dead_letters[each.key].arn]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "input" {
  for_each = local.queues

  queue_url = aws_sqs_queue.input[each.key].id
  policy    = data.aws_iam_policy_document.queue[each.key].json
}

resource "aws_sqs_queue_policy" "dead_letters" {
  for_each = local.queues

  queue_url = aws_sqs_queue.dead_letters[each.key].id
  policy    = data.aws_iam_policy_document.dead_letters[each.key].json
}

# --- subscriptions --------------------------------------------------------------------------

resource "aws_sns_topic_subscription" "this" {
  for_each = local.subscriptions

  topic_arn            = aws_sns_topic.events[each.value.publisher].arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.input[each.value.subscriber].arn
  raw_message_delivery = true
  filter_policy        = jsonencode({ type = each.value.types })

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters[each.value.subscriber].arn
  })

  depends_on = [aws_sqs_queue_policy.input, aws_sqs_queue_policy.dead_letters]
}

# --- for the other layers -------------------------------------------------------------------

resource "aws_ssm_parameter" "topic" {
  for_each = local.topics

  name  = "${local.parameters}/${each.key}/topic_arn"
  type  = "String"
  value = aws_sns_topic.events[each.key].arn
}

resource "aws_ssm_parameter" "queue" {
  for_each = local.queues

  name  = "${local.parameters}/${each.key}/queue_url"
  type  = "String"
  value = aws_sqs_queue.input[each.key].url
}

resource "aws_ssm_parameter" "dead_letters" {
  for_each = local.queues

  name  = "${local.parameters}/${each.key}/dlq_url"
  type  = "String"
  value = aws_sqs_queue.dead_letters[each.key].url
}
