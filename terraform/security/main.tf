locals {
  prefix     = "comanda-${var.stage}"
  parameters = "/comanda/${var.stage}/security"
  account    = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  root       = "arn:${local.partition}:iam::${local.account}:root"
  keys = {
    data      = "Tables, the database and its snapshots"
    messaging = "Topics, queues and dead letters"
    secrets   = "Secrets of the stage and of its shops"
  }
  # One secret a shop: access token, user id and webhook secrets. Values are put by hand or by a
  # rotation, never by Terraform: they would lie in its state.
  secret_names = concat(
    ["cpf-key", "guest-signing-key", "console/keys", "console/forwarding-keys"],
    [for shop in var.shops : "${shop}/mercadopago"],
  )
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_iam_policy_document" "key" {
  for_each = local.keys

  statement {
    sid       = "LetIamDecide"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [local.root]
    }
  }

  # SNS encrypts what it delivers to an encrypted queue; the AWS-managed key cannot allow that.
  dynamic "statement" {
    for_each = each.key == "messaging" ? ["sns.amazonaws.com", "cloudwatch.amazonaws.com"] : []

    content {
      sid       = "Deliver${title(split(".", statement.value)[0])}"
      actions   = ["kms:GenerateDataKey*", "kms:Decrypt"]
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = [statement.value]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [local.account]
      }
    }
  }
}

resource "aws_kms_key" "this" {
  for_each = local.keys

  description             = each.value
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key[each.key].json
}

resource "aws_kms_alias" "this" {
  for_each = local.keys

  name          = "alias/${local.prefix}-${each.key}"
  target_key_id = aws_kms_key.this[each.key].key_id
}

resource "aws_secretsmanager_secret" "this" {
  for_each = toset(local.secret_names)

  name                    = "comanda/${var.stage}/${each.key}"
  kms_key_id              = aws_kms_key.this["secrets"].arn
  recovery_window_in_days = 30
}

resource "aws_ssm_parameter" "key" {
  for_each = local.keys

  name  = "${local.parameters}/${each.key}_key_arn"
  type  = "String"
  value = aws_kms_key.this[each.key].arn
}
