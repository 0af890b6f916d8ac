# --- customers: a one-time code, no password -------------------------------------------------

# `make deploy-edge` names the functions here once they are there; until then the pool has none,
# so the first and every later apply are the same command.
data "aws_ssm_parameters_by_path" "functions" {
  path      = "/comanda/${var.stage}/functions"
  recursive = true
}

locals {
  trigger_arns = {
    for index, name in data.aws_ssm_parameters_by_path.functions.names :
    element(split("/", name), length(split("/", name)) - 1) => nonsensitive(data.aws_ssm_parameters_by_path.functions.values[index])
  }
  has_triggers = length(setsubtract([
    "define_auth_challenge", "create_auth_challenge", "verify_auth_challenge", "pre_token_generation",
  ], keys(local.trigger_arns))) == 0
}

resource "aws_cognito_user_pool" "customers" {
  name                = "${local.prefix}-customers"
  user_pool_tier      = "ESSENTIALS"
  deletion_protection = var.deletion_protection ? "ACTIVE" : "INACTIVE"

  admin_create_user_config {
    # Nobody signs up past our own API, where sign-ups are checked and counted.
    allow_admin_create_user_only = true
  }

  password_policy {
    minimum_length                   = 12
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = false
    require_uppercase                = true
    temporary_password_validity_days = 3
  }

  schema {
    name                = "shop"
    attribute_data_type = "String"
    mutable             = false

    string_attribute_constraints {}
  }

  dynamic "lambda_config" {
    for_each = local.has_triggers ? [local.trigger_arns] : []

    content {
      define_auth_challenge          = lambda_config.value.define_auth_challenge
      create_auth_challenge          = lambda_config.value.create_auth_challenge
      verify_auth_challenge_response = lambda_config.value.verify_auth_challenge

      pre_token_generation_config {
        lambda_arn     = lambda_config.value.pre_token_generation
        lambda_version = "V2_0"
      }
    }
  }
}

resource "aws_cognito_user_pool_client" "customers" {
  name         = "comanda"
  user_pool_id = aws_cognito_user_pool.customers.id

  explicit_auth_flows           = ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true
  auth_session_validity         = 5
  access_token_validity         = 15
  id_token_validity             = 15
  refresh_token_validity        = 7

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }
}

# --- staff: passwords and groups -------------------------------------------------------------

resource "aws_cognito_user_pool" "staff" {
  name                = "${local.prefix}-staff"
  user_pool_tier      = "ESSENTIALS"
  deletion_protection = var.deletion_protection ? "ACTIVE" : "INACTIVE"
  mfa_configuration   = "OPTIONAL"

  # An app's one-time passwords beside one's own; customers have no passwords at all.
  software_token_mfa_configuration {
    enabled = true
  }

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  password_policy {
    minimum_length                   = 12
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = false
    require_uppercase                = true
    temporary_password_validity_days = 3
  }

  schema {
    name                = "shop"
    attribute_data_type = "String"
    mutable             = false

    string_attribute_constraints {}
  }

  dynamic "lambda_config" {
    for_each = local.has_triggers ? [local.trigger_arns] : []

    content {
      pre_token_generation_config {
        lambda_arn     = lambda_config.value.pre_token_generation
        lambda_version = "V2_0"
      }
    }
  }
}

resource "aws_cognito_user_pool_client" "staff" {
  name         = "comanda"
  user_pool_id = aws_cognito_user_pool.staff.id

  explicit_auth_flows           = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true
  auth_session_validity         = 5
  access_token_validity         = 15
  id_token_validity             = 15
  refresh_token_validity        = 7

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }
}

resource "aws_cognito_user_group" "staff" {
  for_each = toset(["kitchen", "manager", "owner"])

  name         = each.key
  user_pool_id = aws_cognito_user_pool.staff.id
}
