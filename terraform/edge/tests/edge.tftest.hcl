mock_provider "aws" {
  source = "../testing"
}

mock_provider "aws" {
  alias  = "global"
  source = "../testing"
}

override_data {
  target = data.aws_ssm_parameter.api
  values = { insecure_value = "abcdef1234" }
}

override_data {
  target = data.aws_ssm_parameter.pool
  values = { insecure_value = "sa-east-1_Mocked123" }
}

variables {
  stage = "dev"
}

run "cognito_alone_calls_the_triggers" {
  assert {
    condition     = length(aws_lambda_permission.cognito) == 5
    error_message = "Four triggers for customers, one for staff."
  }

  assert {
    condition = alltrue([
      for it in aws_lambda_permission.cognito : it.principal == "cognito-idp.amazonaws.com" && endswith(it.source_arn, ":userpool/sa-east-1_Mocked123")
    ])
    error_message = "Any pool could call them."
  }
}

run "each_api_has_a_limit_and_a_wall" {
  assert {
    condition     = length(aws_wafv2_web_acl_association.this) == 2 && alltrue([for it in aws_api_gateway_method_settings.this : it.settings[0].throttling_rate_limit > 0])
    error_message = "An API without a limit."
  }

  assert {
    condition     = alltrue([for it in aws_api_gateway_method_settings.this : !it.settings[0].data_trace_enabled])
    error_message = "Bodies of requests would be logged."
  }

  assert {
    condition     = alltrue([for it in aws_wafv2_web_acl_association.this : endswith(it.resource_arn, "/restapis/abcdef1234/stages/dev")])
    error_message = "The wall stands before another stage."
  }
}

run "without_a_domain_there_is_nothing_to_name" {
  assert {
    condition     = length(aws_acm_certificate.regional) == 0 && !output.has_cdn && endswith(output.webhook_url, "/dev/webhooks/mercadopago/")
    error_message = "A certificate for nobody."
  }
}

run "with_a_domain_the_webhooks_stay_off_cloudfront" {
  variables {
    stage                = "prod"
    profile              = "production"
    domain               = "comanda.example"
    load_balancer_domain = "pods.comanda.example"
  }

  override_resource {
    target = aws_acm_certificate.regional
    values = {
      domain_validation_options = [
        { domain_name = "comanda.example", resource_record_name = "_x.comanda.example.", resource_record_type = "CNAME", resource_record_value = "_y.acm-validations.aws." },
        { domain_name = "*.comanda.example", resource_record_name = "_x.comanda.example.", resource_record_type = "CNAME", resource_record_value = "_y.acm-validations.aws." },
      ]
    }
  }

  assert {
    condition     = output.has_cdn && output.webhook_url == "https://hooks.comanda.example/webhooks/mercadopago/"
    error_message = "Webhooks pass CloudFront, or nothing does."
  }

  assert {
    condition     = alltrue([for it in aws_cloudfront_distribution.this[0].origin : it.domain_name != "hooks.comanda.example"])
    error_message = "CloudFront serves the webhooks."
  }

  assert {
    condition     = aws_cloudfront_distribution.this[0].viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021"
    error_message = "Old TLS."
  }
}
