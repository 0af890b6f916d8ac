mock_provider "aws" {
  source = "../testing"
}

variables {
  stage = "dev"
  shops = ["lanchonete-da-ana", "cantina-do-beto"]
}

run "keys_rotate_and_have_names" {
  assert {
    condition     = alltrue([for key in aws_kms_key.this : key.enable_key_rotation])
    error_message = "A key that never rotates."
  }

  assert {
    condition     = toset(keys(aws_kms_alias.this)) == toset(["data", "messaging", "secrets"])
    error_message = "A purpose without a key."
  }
}

run "only_the_messaging_key_is_lent_to_services" {
  command = plan

  assert {
    condition     = length(data.aws_iam_policy_document.key["messaging"].statement) == 3
    error_message = "SNS and CloudWatch cannot encrypt what they deliver."
  }

  assert {
    condition = alltrue([
      for name in ["data", "secrets"] : length(data.aws_iam_policy_document.key[name].statement) == 1
    ])
    error_message = "A key is lent to somebody who does not need it."
  }

  assert {
    condition = alltrue([
      for it in slice(tolist(data.aws_iam_policy_document.key["messaging"].statement), 1, 3) :
      one(it.condition).variable == "aws:SourceAccount"
    ])
    error_message = "Another account could use our key through a service."
  }
}

run "each_shop_has_a_secret_of_its_own" {
  assert {
    condition = toset(output.secret_names) == toset([
      "comanda/dev/cantina-do-beto/mercadopago",
      "comanda/dev/console/forwarding-keys",
      "comanda/dev/console/keys",
      "comanda/dev/cpf-key",
      "comanda/dev/guest-signing-key",
      "comanda/dev/lanchonete-da-ana/mercadopago",
    ])
    error_message = "The secrets are not those that the code reads."
  }
}

run "a_stage_with_odd_signs_is_refused" {
  command = plan

  variables {
    stage = "Dev_1"
  }

  expect_failures = [var.stage]
}
