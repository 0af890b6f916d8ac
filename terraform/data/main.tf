locals {
  topology   = jsondecode(file("${path.module}/../../topology.json"))
  settings   = jsondecode(file("${path.module}/../profiles.json"))[var.profile]
  prefix     = "${local.topology.prefix}-${var.stage}"
  parameters = "/comanda/${var.stage}/data"
  tables = merge([
    for it in local.topology.contexts : it.tables if can(it.tables)
  ]...)
  # The names of buckets are the world's, so they end in our account.
  buckets = merge([
    for it in local.topology.contexts : it.buckets if can(it.buckets)
  ]...)
  # Contexts with a database of their own share one server, and no more than that.
  databases     = [for name, it in local.topology.contexts : it.database if can(it.database)]
  database_logs = ["postgresql", "upgrade"]
  subnets       = split(",", data.aws_ssm_parameter.network["isolated_subnet_ids"].insecure_value)
  has_cache     = coalesce(var.cache_enabled, local.settings.cache)
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_ssm_parameter" "key" {
  name = "/comanda/${var.stage}/security/data_key_arn"
}

data "aws_ssm_parameter" "network" {
  for_each = toset(["isolated_subnet_ids", "database_security_group_id", "cache_security_group_id"])

  name = "/comanda/${var.stage}/network/${each.key}"
}

# --- tables ---------------------------------------------------------------------------------

resource "aws_dynamodb_table" "this" {
  for_each = local.tables

  name                        = "${local.prefix}-${each.key}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value.hash_key
  range_key                   = each.value.range_key
  deletion_protection_enabled = var.deletion_protection

  # DynamoDB wants the keys of the table and of its indexes, and no other attribute.
  dynamic "attribute" {
    for_each = toset(flatten([
      for it in concat([each.value], values(each.value.indexes)) : [it.hash_key, it.range_key]
    ]))

    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.indexes

    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value.hash_key
      range_key       = global_secondary_index.value.range_key
      projection_type = global_secondary_index.value.projection
    }
  }

  ttl {
    attribute_name = each.value.ttl_attribute
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = data.aws_ssm_parameter.key.insecure_value
  }
}

# --- buckets --------------------------------------------------------------------------------

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_21:Whoever is erased would live on in old versions
  for_each = local.buckets

  bucket        = "${local.prefix}-${each.key}-${data.aws_caller_identity.current.account_id}"
  force_destroy = !var.deletion_protection
}

# No versions: whoever is erased would live on in the old ones.
resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = data.aws_ssm_parameter.key.insecure_value
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    id     = "forget"
    status = "Enabled"

    filter {
      prefix = ""
    }

    expiration {
      days = each.value.expire_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }
}

data "aws_iam_policy_document" "bucket" {
  for_each = local.buckets

  statement {
    sid       = "RefusePlainHttp"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.this[each.key].arn, "${aws_s3_bucket.this[each.key].arn}/*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id
  policy = data.aws_iam_policy_document.bucket[each.key].json
}

# --- the read cache, off unless it was measured to be needed ---------------------------------

resource "aws_elasticache_subnet_group" "this" {
  count = local.has_cache ? 1 : 0

  name       = local.prefix
  subnet_ids = local.subnets
}

resource "aws_elasticache_user" "this" {
  for_each = local.has_cache ? { catalog = "on ~catalog:* +@read +@write", default = "off -@all" } : {}

  user_id       = "${local.prefix}-${each.key}"
  user_name     = each.key == "default" ? "default" : "${local.prefix}-catalog"
  access_string = each.value
  engine        = "valkey"

  authentication_mode {
    type = each.key == "default" ? "no-password-required" : "iam"
  }
}

resource "aws_elasticache_user_group" "this" {
  count = local.has_cache ? 1 : 0

  engine        = "valkey"
  user_group_id = local.prefix
  user_ids      = [for user in aws_elasticache_user.this : user.user_id]
}

resource "aws_elasticache_replication_group" "this" {
  count = local.has_cache ? 1 : 0

  replication_group_id       = local.prefix
  description                = "Copies of menus; losing it costs nothing but time"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = local.settings.cache_node_type
  num_cache_clusters         = local.settings.database.multi_az ? 2 : 1
  automatic_failover_enabled = local.settings.database.multi_az
  multi_az_enabled           = local.settings.database.multi_az
  subnet_group_name          = aws_elasticache_subnet_group.this[0].name
  security_group_ids         = [data.aws_ssm_parameter.network["cache_security_group_id"].insecure_value]
  user_group_ids             = [aws_elasticache_user_group.this[0].user_group_id]
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  kms_key_id                 = data.aws_ssm_parameter.key.insecure_value
}

# --- for the other layers -------------------------------------------------------------------

resource "aws_ssm_parameter" "this" {
  for_each = merge(
    {
      database_address     = aws_db_instance.this.address
      database_port        = tostring(aws_db_instance.this.port)
      database_resource_id = aws_db_instance.this.resource_id
      database_identifier  = aws_db_instance.this.identifier
      database_secret_arn  = try(aws_db_instance.this.master_user_secret[0].secret_arn, "none")
    },
    { for name, table in aws_dynamodb_table.this : "${name}_table" => table.name },
    { for name, bucket in aws_s3_bucket.this : "${name}_bucket" => bucket.bucket },
  )

  name  = "${local.parameters}/${each.key}"
  type  = "String"
  value = each.value
}
