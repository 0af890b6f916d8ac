locals {
  topology   = jsondecode(file("${path.module}/../../topology.json"))
  settings   = jsondecode(file("${path.module}/../profiles.json"))[var.profile]
  workloads  = jsondecode(file("${path.module}/workloads.json"))
  prefix     = "${local.topology.prefix}-${var.stage}"
  parameters = "/comanda/${var.stage}/identity"
  account    = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  boundary   = "arn:${local.partition}:iam::${local.account}:policy/comanda-${var.stage}-boundary"
  cluster    = "arn:${local.partition}:eks:${var.region}:${local.account}:cluster/${local.prefix}"
  # The words that the policies use; tests render the same files with the same words.
  words = {
    partition      = local.partition
    region         = var.region
    account        = local.account
    prefix         = local.prefix
    stage          = var.stage
    customers_pool = aws_cognito_user_pool.customers.id
    staff_pool     = aws_cognito_user_pool.staff.id
    mail_domain    = var.mail_domain
    database       = data.aws_ssm_parameter.database.insecure_value
    data_key       = data.aws_ssm_parameter.key["data"].insecure_value
    messaging_key  = data.aws_ssm_parameter.key["messaging"].insecure_value
    secrets_key    = data.aws_ssm_parameter.key["secrets"].insecure_value
  }
  pods      = { for name, it in local.workloads : name => it if it.runs_on == "pod" }
  functions = { for name, it in local.workloads : name => it if it.runs_on == "function" }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_ssm_parameter" "key" {
  for_each = toset(["data", "messaging", "secrets"])

  name = "/comanda/${var.stage}/security/${each.key}_key_arn"
}

data "aws_ssm_parameter" "database" {
  name = "/comanda/${var.stage}/data/database_resource_id"
}

# --- roles of workloads: one policy each, in policies/<workload>.json ------------------------

data "aws_iam_policy_document" "pod_trust" {
  for_each = local.pods

  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.cluster]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-namespace"
      # What is ours lives in the namespace of the stage.
      values = [lookup(each.value, "namespace", local.prefix)]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-service-account"
      values   = [each.key]
    }
  }
}

data "aws_iam_policy_document" "function_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "workload" {
  for_each = local.workloads

  name                 = "${local.prefix}-${each.key}"
  description          = each.value.does
  permissions_boundary = local.boundary
  max_session_duration = 3600

  assume_role_policy = (
    each.value.runs_on == "pod"
    ? data.aws_iam_policy_document.pod_trust[each.key].json
    : data.aws_iam_policy_document.function_trust.json
  )
}

resource "aws_iam_role_policy" "workload" {
  for_each = local.workloads

  name   = "work"
  role   = aws_iam_role.workload[each.key].name
  policy = templatefile("${path.module}/policies/${each.key}.json", local.words)
}

# Lambda would make these without an end to what they keep.
resource "aws_cloudwatch_log_group" "function" {
  for_each = local.functions

  name              = "/aws/lambda/${each.value.app}-${var.stage}${each.value.suffix}"
  retention_in_days = local.settings.log_retention_days
}

# --- the sender of one-time codes ------------------------------------------------------------

resource "aws_ses_domain_identity" "mail" {
  domain = var.mail_domain
}

resource "aws_ses_domain_dkim" "mail" {
  domain = aws_ses_domain_identity.mail.domain
}

# --- for the other layers and for `chalice deploy` -------------------------------------------

resource "aws_ssm_parameter" "this" {
  for_each = merge(
    {
      customer_pool_id   = aws_cognito_user_pool.customers.id
      customer_client_id = aws_cognito_user_pool_client.customers.id
      staff_pool_id      = aws_cognito_user_pool.staff.id
      staff_client_id    = aws_cognito_user_pool_client.staff.id
      email_sender       = "Comanda <nao-responda@${var.mail_domain}>"
    },
    { for name, role in aws_iam_role.workload : "roles/${name}" => role.arn },
  )

  name  = "${local.parameters}/${each.key}"
  type  = "String"
  value = each.value
}
