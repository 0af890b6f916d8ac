# --- CloudFront before the pods; sign-ins and webhooks never pass it -----------------------------

# CloudFront takes certificates and web ACLs from one region only.
provider "aws" {
  alias  = "global"
  region = "us-east-1"
}

resource "aws_acm_certificate" "global" {
  count    = local.has_cdn && local.has_domain ? 1 : 0
  provider = aws.global

  domain_name       = var.domain
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

# The record that proves the regional certificate proves this one as well: same account, same name.
resource "aws_acm_certificate_validation" "global" {
  count    = local.has_cdn && local.has_domain ? 1 : 0
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

data "aws_lb" "pods" {
  count = local.has_cdn ? 1 : 0

  name = var.load_balancer_name
}

# The load balancer stays internal: CloudFront alone comes in, by an interface of its own.
resource "aws_cloudfront_vpc_origin" "pods" {
  count = local.has_cdn ? 1 : 0

  vpc_origin_endpoint_config {
    name      = "${local.prefix}-pods"
    arn       = data.aws_lb.pods[0].arn
    http_port = 80
    # Not used: the gateway listens without TLS, and nobody but CloudFront reaches it.
    https_port             = 443
    origin_protocol_policy = "http-only"

    origin_ssl_protocols {
      items    = ["TLSv1.2"]
      quantity = 1
    }
  }
}

resource "aws_cloudfront_distribution" "this" {
  count = local.has_cdn ? 1 : 0

  enabled         = true
  comment         = "${local.prefix}: the public API and the screens"
  aliases         = local.has_domain ? [var.domain] : []
  web_acl_id      = aws_wafv2_web_acl.global[0].arn
  http_version    = "http2and3"
  is_ipv6_enabled = true
  price_class     = "PriceClass_All"

  origin {
    origin_id   = "pods"
    domain_name = data.aws_lb.pods[0].dns_name

    vpc_origin_config {
      vpc_origin_id = aws_cloudfront_vpc_origin.pods[0].id
      # A board's stream says something every 15 seconds.
      origin_read_timeout = 60
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

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = !local.has_domain
    acm_certificate_arn            = one(aws_acm_certificate_validation.global[*].certificate_arn)
    # Under its own name CloudFront takes no other word than this one; it offers TLS 1.3 all the same.
    minimum_protocol_version = local.has_domain ? "TLSv1.2_2021" : "TLSv1"
    ssl_support_method       = local.has_domain ? "sni-only" : null
  }
}

resource "aws_route53_record" "public" {
  for_each = local.has_cdn && local.has_domain ? toset(["A", "AAAA"]) : toset([])

  zone_id = data.aws_route53_zone.this[0].zone_id
  name    = var.domain
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.this[0].domain_name
    zone_id                = aws_cloudfront_distribution.this[0].hosted_zone_id
    evaluate_target_health = false
  }
}
