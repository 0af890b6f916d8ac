locals {
  settings   = jsondecode(file("${path.module}/../profiles.json"))[var.profile]
  workloads  = jsondecode(file("${path.module}/../identity/workloads.json"))
  prefix     = "comanda-${var.stage}"
  parameters = "/comanda/${var.stage}/cluster"
  partition  = data.aws_partition.current.partition
  subnets    = split(",", data.aws_ssm_parameter.subnets.insecure_value)
  pods       = { for name, it in local.workloads : name => it if it.runs_on == "pod" }
  images     = toset(["workers"])
  managed    = "arn:${local.partition}:iam::aws:policy"
  cluster_policies = toset([
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSClusterPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
  ])
  # A node pulls images and joins; whatever a workload may do, its own role says.
  node_policies = toset(["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodeMinimalPolicy"])
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_ssm_parameter" "subnets" {
  name = "/comanda/${var.stage}/network/private_subnet_ids"
}

data "aws_ssm_parameter" "key" {
  name = "/comanda/${var.stage}/security/secrets_key_arn"
}

data "aws_ssm_parameter" "role" {
  for_each = local.pods

  name = "/comanda/${var.stage}/identity/roles/${each.key}"
}

# --- roles of the cluster itself --------------------------------------------------------------

data "aws_iam_policy_document" "cluster_trust" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["eks.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "node_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "cluster" {
  name               = "${local.prefix}-cluster"
  assume_role_policy = data.aws_iam_policy_document.cluster_trust.json
}

resource "aws_iam_role_policy_attachment" "cluster" {
  for_each = local.cluster_policies

  role       = aws_iam_role.cluster.name
  policy_arn = "${local.managed}/${each.key}"
}

resource "aws_iam_role" "node" {
  name               = "${local.prefix}-node"
  assume_role_policy = data.aws_iam_policy_document.node_trust.json
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = local.node_policies

  role       = aws_iam_role.node.name
  policy_arn = "${local.managed}/${each.key}"
}

# --- EKS Auto Mode: nodes, their scaling, load balancers, disks and DNS are AWS's work --------

resource "aws_cloudwatch_log_group" "cluster" {
  name              = "/aws/eks/${local.prefix}/cluster"
  retention_in_days = local.settings.log_retention_days
}

resource "aws_eks_cluster" "this" {
  name                          = local.prefix
  role_arn                      = aws_iam_role.cluster.arn
  version                       = var.kubernetes_version
  bootstrap_self_managed_addons = false
  enabled_cluster_log_types     = ["api", "audit", "authenticator"]

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = false
  }

  compute_config {
    enabled       = true
    node_pools    = ["general-purpose", "system"]
    node_role_arn = aws_iam_role.node.arn
  }

  kubernetes_network_config {
    ip_family = "ipv4"

    elastic_load_balancing {
      enabled = true
    }
  }

  storage_config {
    block_storage {
      enabled = true
    }
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = data.aws_ssm_parameter.key.insecure_value
    }
  }

  vpc_config {
    subnet_ids              = local.subnets
    endpoint_private_access = true
    endpoint_public_access  = length(var.public_endpoint_cidrs) > 0
    public_access_cidrs     = length(var.public_endpoint_cidrs) > 0 ? var.public_endpoint_cidrs : null
  }

  upgrade_policy {
    support_type = "STANDARD"
  }

  zonal_shift_config {
    enabled = true
  }

  depends_on = [aws_cloudwatch_log_group.cluster, aws_iam_role_policy_attachment.cluster]
}

resource "aws_eks_addon" "metrics_server" {
  cluster_name = aws_eks_cluster.this.name
  addon_name   = "metrics-server"
}

# --- people and CI -----------------------------------------------------------------------------

resource "aws_eks_access_entry" "admin" {
  for_each = toset(var.admin_role_arns)

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.key
}

resource "aws_eks_access_policy_association" "admin" {
  for_each = toset(var.admin_role_arns)

  cluster_name  = aws_eks_cluster.this.name
  principal_arn = each.key
  policy_arn    = "arn:${local.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

  access_scope {
    type = "cluster"
  }

  depends_on = [aws_eks_access_entry.admin]
}

# The group has no right but those that `python -m k8s access` gives it: the kinds of a release, in
# our namespace. EKS's own policies know neither custom resources nor priority classes.
resource "aws_eks_access_entry" "deployer" {
  cluster_name = aws_eks_cluster.this.name
  # As `k8s.access` has it.
  kubernetes_groups = ["${local.prefix}-deployers"]
  principal_arn     = "arn:${local.partition}:iam::${data.aws_caller_identity.current.account_id}:role/${local.prefix}-ci-deploy"
}

# --- who a pod is ------------------------------------------------------------------------------

resource "aws_eks_pod_identity_association" "workload" {
  for_each = local.pods

  cluster_name    = aws_eks_cluster.this.name
  namespace       = lookup(each.value, "namespace", local.prefix)
  service_account = each.key
  role_arn        = data.aws_ssm_parameter.role[each.key].insecure_value
}

# --- images ------------------------------------------------------------------------------------

resource "aws_ecr_repository" "this" {
  for_each = local.images

  name                 = "${local.prefix}/${each.key}"
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = local.images

  repository = aws_ecr_repository.this[each.key].name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Thirty deploys to go back to"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 30 }
      action       = { type = "expire" }
    }]
  })
}

# --- for the other layers ----------------------------------------------------------------------

resource "aws_ssm_parameter" "this" {
  for_each = merge(
    { name = aws_eks_cluster.this.name, endpoint = aws_eks_cluster.this.endpoint },
    { for name, repository in aws_ecr_repository.this : "repositories/${name}" => repository.repository_url },
  )

  name  = "${local.parameters}/${each.key}"
  type  = "String"
  value = each.value
}
