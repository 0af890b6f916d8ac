# --- what pods write, in CloudWatch: a pod that died takes its log with it otherwise --------------

data "aws_iam_policy_document" "agent_trust" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:eks:${var.region}:${data.aws_caller_identity.current.account_id}:cluster/${local.prefix}"]
    }
  }
}

resource "aws_iam_role" "agent" {
  name               = "${local.prefix}-cloudwatch-agent"
  assume_role_policy = data.aws_iam_policy_document.agent_trust.json
}

resource "aws_iam_role_policy_attachment" "agent" {
  role       = aws_iam_role.agent.name
  policy_arn = "${local.managed}/CloudWatchAgentServerPolicy"
}

# The agent would make these groups itself, without an end to what they keep.
resource "aws_cloudwatch_log_group" "pods" {
  for_each = toset(["application", "dataplane", "host", "performance"])

  name              = "/aws/containerinsights/${local.prefix}/${each.key}"
  retention_in_days = local.settings.log_retention_days
}

resource "aws_eks_addon" "logs" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "amazon-cloudwatch-observability"

  # Logs of containers. Metrics are Prometheus's, and priced by the observation here.
  configuration_values = jsonencode({
    containerLogs = { enabled = true }
    agent = {
      config = {
        logs = { metrics_collected = { kubernetes = { enhanced_container_insights = false } } }
      }
    }
  })

  pod_identity_association {
    role_arn        = aws_iam_role.agent.arn
    service_account = "cloudwatch-agent"
  }

  depends_on = [aws_cloudwatch_log_group.pods, aws_iam_role_policy_attachment.agent]
}
