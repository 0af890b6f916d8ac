mock_provider "aws" {
  source = "../testing"
}

variables {
  stage      = "dev"
  repository = "somebody/comanda"
}

run "state_is_versioned_encrypted_and_private" {
  command = plan

  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "A broken state could not be taken back."
  }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.state.block_public_acls && aws_s3_bucket_public_access_block.state.block_public_policy &&
      aws_s3_bucket_public_access_block.state.restrict_public_buckets && aws_s3_bucket_public_access_block.state.ignore_public_acls
    )
    error_message = "The state can be made public."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.state.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
    error_message = "The state is not encrypted by our key."
  }
}

run "ci_is_one_repository_and_one_environment" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for it in data.aws_iam_policy_document.ci_trust : [
        for c in it.statement[0].condition : c.test == "StringEquals" && alltrue([for value in c.values : !strcontains(value, "*")])
      ]
    ]))
    error_message = "Any repository could sign in."
  }
}

run "a_pull_request_reads_no_customer" {
  command = plan

  assert {
    condition = contains(flatten([
      for s in data.aws_iam_policy_document.plan.statement : s.actions if s.effect == "Deny"
    ]), "secretsmanager:GetSecretValue")
    error_message = "A pull request could read secrets."
  }
}

run "the_boundary_never_lets_a_workload_destroy" {
  command = plan

  assert {
    condition = alltrue([
      for action in ["sqs:PurgeQueue", "dynamodb:DeleteTable", "secretsmanager:DeleteSecret", "iam:*"] :
      contains(flatten([for s in data.aws_iam_policy_document.boundary.statement : s.actions if s.effect == "Deny"]), action)
    ])
    error_message = "The boundary has a hole."
  }
}

run "a_repository_with_a_wildcard_is_refused" {
  command = plan

  variables {
    repository = "somebody/*"
  }

  expect_failures = [var.repository]
}
