locals {
  prefix    = "comanda-${var.stage}"
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  bucket    = "${local.prefix}-state-${local.account}"
  # What a role of CI is allowed to be assumed from: one repository, one environment of it.
  subjects = {
    plan   = "repo:${var.repository}:pull_request"
    apply  = "repo:${var.repository}:environment:${var.stage}-infrastructure"
    deploy = "repo:${var.repository}:environment:${var.stage}"
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# --- state ----------------------------------------------------------------------------------

resource "aws_kms_key" "state" {
  description             = "Terraform's state of ${local.prefix}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_s3_bucket" "state" {
  bucket        = local.bucket
  force_destroy = false

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.state.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket = aws_s3_bucket.state.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    id     = "forget-old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 180
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }
}

data "aws_iam_policy_document" "state" {
  statement {
    sid       = "RefusePlainHttp"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]

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

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id
  policy = data.aws_iam_policy_document.state.json
}

# --- the boundary: no workload ever exceeds it, whatever its own policy says ------------------

data "aws_iam_policy_document" "boundary" {
  statement {
    sid = "WorkOfWorkloads"
    actions = [
      "cognito-idp:Admin*",
      "cognito-idp:ListUsers",
      "dynamodb:BatchGetItem",
      "dynamodb:BatchWriteItem",
      "dynamodb:ConditionCheckItem",
      "dynamodb:DeleteItem",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
      "dynamodb:Query",
      "dynamodb:Scan",
      "dynamodb:UpdateItem",
      "kms:Decrypt",
      "kms:GenerateDataKey",
      "lambda:InvokeFunction",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "rds-db:connect",
      "s3:GetObject",
      "s3:ListBucket",
      "s3:PutObject",
      "secretsmanager:GetSecretValue",
      "ses:SendEmail",
      "sns:Publish",
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:GetQueueUrl",
      "sqs:ReceiveMessage",
      "sqs:SendMessage",
    ]
    resources = ["*"]
  }

  # Named, though nothing above allows it: no later edit of the list may let it in.
  statement {
    sid    = "NeverDestroy"
    effect = "Deny"
    actions = [
      "cognito-idp:DeleteUserPool",
      "dynamodb:DeleteTable",
      "iam:*",
      "kms:ScheduleKeyDeletion",
      "secretsmanager:DeleteSecret",
      "sns:DeleteTopic",
      "sqs:DeleteQueue",
      "sqs:PurgeQueue",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_policy" "boundary" {
  name        = "${local.prefix}-boundary"
  description = "The most that any workload of ${local.prefix} can ever do"
  policy      = data.aws_iam_policy_document.boundary.json
}
