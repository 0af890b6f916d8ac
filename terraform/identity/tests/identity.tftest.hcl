mock_provider "aws" {
  source = "../testing"
}

override_data {
  target = data.aws_ssm_parameter.key
  values = { insecure_value = "arn:aws:kms:sa-east-1:111122223333:key/00000000-0000-0000-0000-000000000000" }
}

override_data {
  target = data.aws_ssm_parameter.database
  values = { insecure_value = "db-MOCKED" }
}

variables {
  stage       = "dev"
  mail_domain = "comanda.example"
}

run "each_workload_has_one_role_and_one_policy_inside_the_boundary" {
  assert {
    condition     = toset(keys(aws_iam_role_policy.workload)) == toset([for file in fileset("policies", "*.json") : trimsuffix(file, ".json")])
    error_message = "A workload without a policy, or a policy without a workload."
  }

  assert {
    condition     = alltrue([for it in aws_iam_role.workload : endswith(it.permissions_boundary, ":policy/comanda-dev-boundary")])
    error_message = "A role without the boundary."
  }
}

run "no_policy_names_everything" {
  assert {
    condition = alltrue(flatten([
      for it in aws_iam_role_policy.workload : [
        for statement in jsondecode(it.policy).Statement : [
          for resource in flatten([statement.Resource]) : resource != "*"
        ]
      ]
    ]))
    error_message = "A resource is a star."
  }

  assert {
    condition = alltrue(flatten([
      for it in aws_iam_role_policy.workload : [
        for statement in jsondecode(it.policy).Statement : [for action in statement.Action : !strcontains(action, "*")]
      ]
    ]))
    error_message = "An action is a pattern."
  }
}

run "a_pod_is_known_by_cluster_namespace_and_service_account" {
  command = plan

  assert {
    condition = alltrue([
      for it in data.aws_iam_policy_document.pod_trust :
      toset([for c in it.statement[0].condition : c.variable]) == toset([
        "aws:SourceAccount", "aws:SourceArn", "aws:RequestTag/kubernetes-namespace", "aws:RequestTag/kubernetes-service-account",
      ])
    ])
    error_message = "Another pod could be this one."
  }
}

run "nobody_signs_up_past_our_api" {
  assert {
    condition = alltrue([
      for pool in [aws_cognito_user_pool.customers, aws_cognito_user_pool.staff] : one(pool.admin_create_user_config).allow_admin_create_user_only
    ])
    error_message = "Cognito takes sign-ups."
  }

  assert {
    condition     = aws_cognito_user_pool_client.customers.access_token_validity == 15 && aws_cognito_user_pool_client.customers.enable_token_revocation
    error_message = "Tokens live too long."
  }
}

run "before_the_first_deploy_pools_have_no_triggers" {
  assert {
    condition     = length(aws_cognito_user_pool.customers.lambda_config) == 0
    error_message = "A trigger is attached that is not there."
  }
}

run "after_the_deploy_triggers_are_attached" {
  override_data {
    target = data.aws_ssm_parameters_by_path.functions
    values = {
      names = [
        for name in ["define_auth_challenge", "create_auth_challenge", "verify_auth_challenge", "pre_token_generation"] : "/comanda/dev/functions/${name}"
      ]
      values = [
        for name in ["define_auth_challenge", "create_auth_challenge", "verify_auth_challenge", "pre_token_generation"] :
        "arn:aws:lambda:sa-east-1:111122223333:function:auth_lambda-dev-${name}"
      ]
    }
  }

  assert {
    condition     = endswith(one(aws_cognito_user_pool.customers.lambda_config).create_auth_challenge, ":auth_lambda-dev-create_auth_challenge")
    error_message = "Codes are not sent."
  }

  assert {
    condition     = one(one(aws_cognito_user_pool.staff.lambda_config).pre_token_generation_config).lambda_version == "V2_0"
    error_message = "Access tokens do not name the shop."
  }
}

run "logs_of_functions_end" {
  assert {
    condition     = alltrue([for it in aws_cloudwatch_log_group.function : it.retention_in_days == 14]) && length(aws_cloudwatch_log_group.function) == length(local.functions)
    error_message = "A log is kept for ever."
  }
}
