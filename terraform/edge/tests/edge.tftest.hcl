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

override_data {
  target = data.aws_ssm_parameter.nat_addresses
  values = { insecure_value = "203.0.113.7,203.0.113.8" }
}

override_data {
  target = data.aws_lb.pods
  values = {
    arn      = "arn:aws:elasticloadbalancing:sa-east-1:111122223333:loadbalancer/app/pods/0123456789abcdef"
    dns_name = "internal-pods.sa-east-1.elb.amazonaws.com"
  }
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

run "our_own_screens_are_not_one_person" {
  assert {
    condition     = aws_wafv2_ip_set.ours.addresses == toset(["203.0.113.7/32", "203.0.113.8/32"])
    error_message = "The limit of an address would count all screens of a stage as one."
  }
}

run "without_a_domain_there_is_nothing_to_name" {
  assert {
    condition     = length(aws_acm_certificate.regional) == 0 && !output.has_cdn && endswith(output.webhook_url, "/dev/webhooks/mercadopago/")
    error_message = "A certificate for nobody."
  }
}

run "without_a_domain_the_pods_have_a_door_under_cloudfronts_own_name" {
  variables {
    load_balancer_name = "pods"
  }

  override_resource {
    target = aws_cloudfront_distribution.this
    values = { domain_name = "d111111abcdef8.cloudfront.net" }
  }

  assert {
    condition     = output.public_url == "https://d111111abcdef8.cloudfront.net" && length(aws_acm_certificate.global) == 0 && length(aws_route53_record.public) == 0
    error_message = "Without a domain nobody finds the screens."
  }
}

run "with_a_domain_sign_ins_and_webhooks_stay_off_cloudfront" {
  variables {
    stage              = "prod"
    profile            = "production"
    domain             = "comanda.example"
    load_balancer_name = "pods"
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
    condition     = output.has_cdn && output.public_url == "https://comanda.example" && output.webhook_url == "https://hooks.comanda.example/webhooks/mercadopago/"
    error_message = "Webhooks pass CloudFront, or nothing does."
  }

  # Their limits go by the caller's address, and behind CloudFront all callers would share its own.
  assert {
    condition     = [for it in aws_cloudfront_distribution.this[0].origin : it.domain_name] == ["internal-pods.sa-east-1.elb.amazonaws.com"]
    error_message = "CloudFront serves a Lambda."
  }

  assert {
    condition     = alltrue([for it in aws_cloudfront_distribution.this[0].origin : length(it.vpc_origin_config) == 1 && length(it.custom_origin_config) == 0])
    error_message = "CloudFront asks an internal load balancer by the internet."
  }

  assert {
    condition     = aws_cloudfront_distribution.this[0].viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021"
    error_message = "Old TLS."
  }

  assert {
    condition     = aws_cloudfront_distribution.this[0].web_acl_id == aws_wafv2_web_acl.global[0].arn && aws_wafv2_web_acl.global[0].scope == "CLOUDFRONT"
    error_message = "Nothing stands before the pods."
  }
}
