mock_provider "aws" {
  source = "../testing"
}

override_data {
  target = data.aws_ssm_parameter.subnets
  values = { insecure_value = "subnet-1,subnet-2" }
}

override_data {
  target = data.aws_ssm_parameter.key
  values = { insecure_value = "arn:aws:kms:sa-east-1:111122223333:key/00000000-0000-0000-0000-000000000000" }
}

override_data {
  target = data.aws_ssm_parameter.role
  values = { insecure_value = "arn:aws:iam::111122223333:role/mocked" }
}

variables {
  stage = "dev"
}

run "the_api_server_is_private_and_knows_people_by_entries" {
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "The API server is reached from the internet."
  }

  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "Whoever made the cluster administers it for ever."
  }
}

run "the_internet_as_a_network_is_refused" {
  command = plan

  variables {
    public_endpoint_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.public_endpoint_cidrs]
}

run "auto_mode_is_whole" {
  assert {
    condition = (
      aws_eks_cluster.this.compute_config[0].enabled &&
      aws_eks_cluster.this.kubernetes_network_config[0].elastic_load_balancing[0].enabled &&
      aws_eks_cluster.this.storage_config[0].block_storage[0].enabled
    )
    error_message = "EKS wants all three of Auto Mode's parts or none."
  }
}

run "each_pod_has_an_identity_of_its_own" {
  assert {
    condition     = toset([for it in aws_eks_pod_identity_association.workload : it.service_account]) == toset(keys(local.pods))
    error_message = "A pod would run as its node."
  }

  assert {
    condition     = aws_eks_pod_identity_association.workload["orders-worker"].namespace == "comanda-dev"
    error_message = "Not the namespace of the overlay."
  }
}

run "a_tag_of_an_image_is_never_moved" {
  assert {
    condition     = alltrue([for it in aws_ecr_repository.this : it.image_tag_mutability == "IMMUTABLE" && it.image_scanning_configuration[0].scan_on_push])
    error_message = "What runs could be replaced under its name."
  }
}

run "the_deployer_has_no_right_but_its_groups" {
  assert {
    condition     = aws_eks_access_entry.deployer.kubernetes_groups == toset(["comanda-dev-deployers"])
    error_message = "CI comes into the cluster as somebody else."
  }

  assert {
    condition     = !contains([for it in aws_eks_access_policy_association.admin : it.principal_arn], aws_eks_access_entry.deployer.principal_arn)
    error_message = "CI administers the whole cluster."
  }
}

run "logs_of_pods_are_kept_and_end" {
  assert {
    condition     = alltrue([for it in aws_cloudwatch_log_group.pods : it.retention_in_days == 14]) && contains(keys(aws_cloudwatch_log_group.pods), "application")
    error_message = "What a pod wrote goes with it, or stays for ever."
  }

  assert {
    condition     = [for it in aws_eks_addon.logs.pod_identity_association : it.role_arn] == [aws_iam_role.agent.arn]
    error_message = "The agent would write as the node."
  }
}
