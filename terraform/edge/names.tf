# --- names --------------------------------------------------------------------------------------

data "aws_route53_zone" "this" {
  count = local.has_domain ? 1 : 0

  name = var.domain
}

resource "aws_acm_certificate" "regional" {
  count = local.has_domain ? 1 : 0

  domain_name               = var.domain
  subject_alternative_names = ["*.${var.domain}"]
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

# Both names of the certificate are proved by one and the same record.
resource "aws_route53_record" "validation" {
  count = local.has_domain ? 1 : 0

  zone_id         = data.aws_route53_zone.this[0].zone_id
  name            = one([for it in aws_acm_certificate.regional[0].domain_validation_options : it.resource_record_name if it.domain_name == var.domain])
  type            = one([for it in aws_acm_certificate.regional[0].domain_validation_options : it.resource_record_type if it.domain_name == var.domain])
  records         = [one([for it in aws_acm_certificate.regional[0].domain_validation_options : it.resource_record_value if it.domain_name == var.domain])]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "regional" {
  count = local.has_domain ? 1 : 0

  certificate_arn         = aws_acm_certificate.regional[0].arn
  validation_record_fqdns = [aws_route53_record.validation[0].fqdn]
}

resource "aws_api_gateway_domain_name" "this" {
  for_each = local.hosts

  domain_name              = each.value
  regional_certificate_arn = aws_acm_certificate_validation.regional[0].certificate_arn
  security_policy          = "TLS_1_2"

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_base_path_mapping" "this" {
  for_each = local.hosts

  api_id      = local.apis[each.key]
  stage_name  = local.api_stage
  domain_name = aws_api_gateway_domain_name.this[each.key].domain_name
}

resource "aws_route53_record" "api" {
  for_each = local.hosts

  zone_id = data.aws_route53_zone.this[0].zone_id
  name    = each.value
  type    = "A"

  alias {
    name                   = aws_api_gateway_domain_name.this[each.key].regional_domain_name
    zone_id                = aws_api_gateway_domain_name.this[each.key].regional_zone_id
    evaluate_target_health = true
  }
}
