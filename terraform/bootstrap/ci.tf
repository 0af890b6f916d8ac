# --- CI signs in by OIDC; no key of ours lies anywhere ----------------------------------------

resource "aws_iam_openid_connect_provider" "github" {
  count = var.has_github_provider ? 0 : 1

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  provider = "arn:${local.partition}:iam::${local.account}:oidc-provider/token.actions.githubusercontent.com"
}

data "aws_iam_policy_document" "ci_trust" {
  for_each = local.subjects

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.provider]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = [each.value]
    }
  }
}

resource "aws_iam_role" "ci" {
  for_each = local.subjects

  name                 = "${local.prefix}-ci-${each.key}"
  description          = "GitHub Actions, ${each.value}"
  assume_role_policy   = data.aws_iam_policy_document.ci_trust[each.key].json
  max_session_duration = each.key == "apply" ? 7200 : 3600
}

# A plan reads everything and writes nothing; without a lock it needs no write to the bucket.
resource "aws_iam_role_policy_attachment" "plan" {
  role       = aws_iam_role.ci["plan"].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/ReadOnlyAccess"
}

data "aws_iam_policy_document" "plan" {
  statement {
    sid       = "ReadState"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.state.arn]
  }

  # ReadOnlyAccess would read customers, orders and secrets.
  statement {
    sid    = "NoDataOfCustomers"
    effect = "Deny"
    actions = [
      "cognito-idp:AdminGetUser",
      "cognito-idp:ListUsers*",
      "dynamodb:BatchGetItem",
      "dynamodb:GetItem",
      "dynamodb:PartiQLSelect",
      "dynamodb:Query",
      "dynamodb:Scan",
      "secretsmanager:GetSecretValue",
      "sqs:ReceiveMessage",
    ]
    resources = ["*"]
  }
}

# The archive's bucket holds what every customer ordered.
data "aws_iam_policy_document" "plan_objects" {
  statement {
    sid           = "NoObjectsButStates"
    effect        = "Deny"
    actions       = ["s3:GetObject*"]
    not_resources = ["${aws_s3_bucket.state.arn}/*"]
  }
}

resource "aws_iam_role_policy" "plan_objects" {
  name   = "objects"
  role   = aws_iam_role.ci["plan"].name
  policy = data.aws_iam_policy_document.plan_objects.json
}

resource "aws_iam_role_policy" "plan" {
  name   = "plan"
  role   = aws_iam_role.ci["plan"].name
  policy = data.aws_iam_policy_document.plan.json
}

# Applying makes roles, so in the end it is as strong as an administrator; that is why a person
# approves each run, and why it cannot touch the boundary, nor the roles of CI itself.
resource "aws_iam_role_policy_attachment" "apply" {
  role       = aws_iam_role.ci["apply"].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/PowerUserAccess"
}

data "aws_iam_policy_document" "apply" {
  statement {
    sid = "ManageOurRoles"
    actions = [
      "iam:AttachRolePolicy",
      "iam:CreateRole",
      "iam:DeleteRole",
      "iam:DeleteRolePolicy",
      "iam:DetachRolePolicy",
      "iam:GetRole",
      "iam:GetRolePolicy",
      "iam:ListAttachedRolePolicies",
      "iam:ListInstanceProfilesForRole",
      "iam:ListRolePolicies",
      "iam:PassRole",
      "iam:PutRolePolicy",
      "iam:TagRole",
      "iam:UpdateAssumeRolePolicy",
      "iam:UpdateRole",
    ]
    resources = ["arn:${local.partition}:iam::${local.account}:role/${local.prefix}-*"]
  }

  statement {
    sid    = "LeaveBoundaryAndCiAlone"
    effect = "Deny"
    actions = [
      "iam:CreatePolicyVersion",
      "iam:DeletePolicy",
      "iam:DeletePolicyVersion",
      "iam:DeleteRolePermissionsBoundary",
      "iam:PutRolePermissionsBoundary",
      "iam:SetDefaultPolicyVersion",
    ]
    resources = ["*"]
  }

  statement {
    sid       = "LeaveRolesOfCiAlone"
    effect    = "Deny"
    actions   = ["iam:*"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/${local.prefix}-ci-*"]
  }
}

resource "aws_iam_role_policy" "apply" {
  name   = "apply"
  role   = aws_iam_role.ci["apply"].name
  policy = data.aws_iam_policy_document.apply.json
}

# Deploying pushes images, replaces the code of our functions, and talks to Kubernetes.
data "aws_iam_policy_document" "deploy" {
  statement {
    sid       = "SignInToRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid = "PushImages"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:DescribeImages",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = ["arn:${local.partition}:ecr:${var.region}:${local.account}:repository/${local.prefix}/*"]
  }

  statement {
    sid       = "FindCluster"
    actions   = ["eks:DescribeCluster"]
    resources = ["arn:${local.partition}:eks:${var.region}:${local.account}:cluster/${local.prefix}"]
  }

  # EC2 knows no narrower resource; the release asks for the address ranges of two tiers.
  statement {
    sid       = "FindSubnets"
    actions   = ["ec2:DescribeSubnets"]
    resources = ["*"]
  }

  statement {
    sid = "DeployFunctions"
    actions = [
      "lambda:AddPermission",
      "lambda:CreateFunction",
      "lambda:DeleteFunction",
      "lambda:GetFunction",
      "lambda:GetFunctionConfiguration",
      "lambda:GetPolicy",
      "lambda:ListTags",
      "lambda:RemovePermission",
      "lambda:TagResource",
      "lambda:UntagResource",
      "lambda:UpdateFunctionCode",
      "lambda:UpdateFunctionConfiguration",
    ]
    resources = [
      for app in ["auth_lambda", "webhooks_lambda"] :
      "arn:${local.partition}:lambda:${var.region}:${local.account}:function:${app}-${var.stage}*"
    ]
  }

  # The schedule of `finish_what_broke`; Chalice names the rule after the function.
  statement {
    sid = "DeploySchedules"
    actions = [
      "events:DeleteRule",
      "events:PutRule",
      "events:PutTargets",
      "events:RemoveTargets",
    ]
    resources = ["arn:${local.partition}:events:${var.region}:${local.account}:rule/auth_lambda-${var.stage}-*"]
  }

  statement {
    sid     = "PassRolesOfFunctions"
    actions = ["iam:PassRole"]
    resources = [
      for app in ["auth", "webhooks"] :
      "arn:${local.partition}:iam::${local.account}:role/${local.prefix}-${app}-*"
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["lambda.amazonaws.com"]
    }
  }

  statement {
    sid       = "DeployApis"
    actions   = ["apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT"]
    resources = ["arn:${local.partition}:apigateway:${var.region}::/restapis", "arn:${local.partition}:apigateway:${var.region}::/restapis/*"]
  }

  # What Chalice deployed is noted beside Terraform's state.
  statement {
    sid       = "KeepChaliceState"
    actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = ["${aws_s3_bucket.state.arn}/chalice/*"]
  }

  statement {
    sid       = "FindChaliceState"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.state.arn]
  }

  statement {
    sid       = "EncryptChaliceState"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.state.arn]
  }

  statement {
    sid       = "ReadAddresses"
    actions   = ["ssm:GetParameter", "ssm:GetParametersByPath"]
    resources = ["arn:${local.partition}:ssm:${var.region}:${local.account}:parameter/comanda/${var.stage}/*"]
  }

  statement {
    sid     = "NoteFunctions"
    actions = ["ssm:DeleteParameter", "ssm:PutParameter"]
    resources = [
      for name in ["functions", "chalice"] :
      "arn:${local.partition}:ssm:${var.region}:${local.account}:parameter/comanda/${var.stage}/${name}/*"
    ]
  }
}

resource "aws_iam_role_policy" "deploy" {
  name   = "deploy"
  role   = aws_iam_role.ci["deploy"].name
  policy = data.aws_iam_policy_document.deploy.json
}
