# --- CloudFront before the public API; webhooks never pass it ------------------------------------

# CloudFront takes certificates and web ACLs from one region only.
provider "aws" {
  alias  = "global"
  region = "us-east-1"
}

resource "aws_acm_certificate" "global" {
  count    = local.has_cdn ? 1 : 0
  provider = aws.global

  domain_name       = var.domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

# The record that proves the regional certificate proves this one as well: same account, same name.
resource "aws_acm_certificate_validation" "global" {
  count    = local.has_cdn ? 1 : 0
  provider = aws.global

  certificate_arn         = aws_acm_certificate.global[0].arn
  validation_record_fqdns = [aws_route53_record.validation[0].fqdn]
}

data "aws_cloudfront_cache_policy" "disabled" {
  count = local.has_cdn ? 1 : 0

  name = "Managed-CachingDisabled"
}

data "aws_cloudfront_origin_request_policy" "all" {
  count = local.has_cdn ? 1 : 0

  name = "Managed-AllViewerExceptHostHeader"
}

data "aws_cloudfront_response_headers_policy" "security" {
  count = local.has_cdn ? 1 : 0

  name = "Managed-SecurityHeadersPolicy"
}

resource "aws_cloudfront_distribution" "this" {
  count = local.has_cdn ? 1 : 0

  enabled         = true
  comment         = "${local.prefix}: the public API"
  aliases         = [var.domain]
  http_version    = "http2and3"
  is_ipv6_enabled = true
  price_class     = "PriceClass_All"

  origin {
    origin_id   = "pods"
    domain_name = var.load_balancer_domain

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }
  }

  origin {
    origin_id   = "auth"
    domain_name = local.hosts["auth_lambda"]

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }
  }

  # Answers belong to whoever asked, so nothing is kept; what CloudFront gives is TLS near the
  # shop, HTTP/3 and a shield.
  default_cache_behavior {
    target_origin_id           = "pods"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = data.aws_cloudfront_cache_policy.disabled[0].id
    origin_request_policy_id   = data.aws_cloudfront_origin_request_policy.all[0].id
    response_headers_policy_id = data.aws_cloudfront_response_headers_policy.security[0].id
  }

  ordered_cache_behavior {
    path_pattern               = "/apis/auth/*"
    target_origin_id           = "auth"
    viewer_protocol_policy     = "https-only"
    allowed_methods            = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = data.aws_cloudfront_cache_policy.disabled[0].id
    origin_request_policy_id   = data.aws_cloudfront_origin_request_policy.all[0].id
    response_headers_policy_id = data.aws_cloudfront_response_headers_policy.security[0].id
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn      = aws_acm_certificate_validation.global[0].certificate_arn
    minimum_protocol_version = "TLSv1.2_2021"
    ssl_support_method       = "sni-only"
  }
}

resource "aws_route53_record" "public" {
  for_each = local.has_cdn ? toset(["A", "AAAA"]) : toset([])

  zone_id = data.aws_route53_zone.this[0].zone_id
  name    = var.domain
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.this[0].domain_name
    zone_id                = aws_cloudfront_distribution.this[0].hosted_zone_id
    evaluate_target_health = false
  }
}
