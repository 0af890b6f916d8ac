mock_provider "aws" {
  source = "../testing"
}

override_data {
  target = data.aws_ssm_parameter.key
  values = { insecure_value = "arn:aws:kms:sa-east-1:111122223333:key/00000000-0000-0000-0000-000000000000" }
}

override_data {
  target = data.aws_ssm_parameter.network
  values = { insecure_value = "subnet-1,subnet-2" }
}

variables {
  stage = "dev"
}

run "stores_are_closed_encrypted_and_kept" {
  assert {
    condition     = !aws_db_instance.this.publicly_accessible && aws_db_instance.this.storage_encrypted && aws_db_instance.this.deletion_protection
    error_message = "The database is open, readable or easily lost."
  }

  assert {
    condition     = aws_db_instance.this.iam_database_authentication_enabled && aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null
    error_message = "A password of the database lies somewhere."
  }

  assert {
    condition     = one([for it in aws_db_parameter_group.this.parameter : it.value if it.name == "rds.force_ssl"]) == "1"
    error_message = "PostgreSQL takes plain connections."
  }

  assert {
    condition     = aws_db_instance.this.backup_retention_period >= 7
    error_message = "Fewer than seven days to go back to."
  }

  assert {
    condition = alltrue([
      for it in aws_dynamodb_table.this :
      one(it.point_in_time_recovery).enabled && one(it.server_side_encryption).enabled && it.deletion_protection_enabled
    ])
    error_message = "A table that can be lost or read."
  }
}

run "tables_are_what_the_topology_says" {
  command = plan

  assert {
    condition     = toset([for it in aws_dynamodb_table.this : it.name]) == toset([for name in keys(local.tables) : "comanda-dev-${name}"])
    error_message = "Not the tables of the topology."
  }

  assert {
    condition = alltrue([
      for name, it in local.tables :
      toset([for index in aws_dynamodb_table.this[name].global_secondary_index : index.name]) == toset(keys(it.indexes))
    ])
    error_message = "Not the indexes of the topology."
  }
}

run "lean_pays_for_one_zone_and_no_cache" {
  assert {
    condition     = !aws_db_instance.this.multi_az && !output.has_cache
    error_message = "Lean is not lean."
  }
}

run "production_outlives_a_zone" {
  variables {
    stage   = "prod"
    profile = "production"
  }

  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.backup_retention_period == 35
    error_message = "Production depends on one zone."
  }
}

run "the_cache_is_a_switch" {
  variables {
    cache_enabled = true
  }

  assert {
    condition     = aws_elasticache_replication_group.this[0].transit_encryption_enabled && aws_elasticache_replication_group.this[0].engine == "valkey"
    error_message = "The cache speaks in plain text."
  }
}

run "buckets_are_closed_encrypted_and_forget" {
  command = plan

  assert {
    condition     = toset([for it in aws_s3_bucket.this : it.bucket]) == toset([for name in keys(local.buckets) : "comanda-dev-${name}-${data.aws_caller_identity.current.account_id}"])
    error_message = "Not the buckets of the topology."
  }

  assert {
    condition = alltrue([
      for it in aws_s3_bucket_public_access_block.this :
      it.block_public_acls && it.block_public_policy && it.ignore_public_acls && it.restrict_public_buckets
    ])
    error_message = "A bucket could be opened to the world."
  }

  assert {
    condition = alltrue([
      for name, it in local.buckets :
      one(one(aws_s3_bucket_lifecycle_configuration.this[name].rule).expiration).days == it.expire_days
    ])
    error_message = "A bucket keeps for another time than the topology says."
  }
}

run "logs_of_the_database_have_an_end" {
  command = plan

  assert {
    condition     = alltrue([for it in aws_db_instance.this.enabled_cloudwatch_logs_exports : aws_cloudwatch_log_group.database[it].retention_in_days == 14])
    error_message = "RDS makes a group of its own, which keeps everything for ever."
  }
}
