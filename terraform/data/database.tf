# --- PostgreSQL -----------------------------------------------------------------------------

resource "aws_db_subnet_group" "this" {
  name       = local.prefix
  subnet_ids = local.subnets
}

resource "aws_db_parameter_group" "this" {
  name   = "${local.prefix}-postgres16"
  family = "postgres16"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  # Whatever is slow enough to be felt at a counter is written down, without its parameters.
  parameter {
    name  = "log_min_duration_statement"
    value = "500"
  }

  parameter {
    name  = "log_parameter_max_length"
    value = "0"
  }

  parameter {
    name  = "idle_in_transaction_session_timeout"
    value = "60000"
  }
}

data "aws_iam_policy_document" "monitoring_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "monitoring" {
  name               = "${local.prefix}-rds-monitoring"
  assume_role_policy = data.aws_iam_policy_document.monitoring_trust.json
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

# RDS would make these groups itself, without an end to what they keep.
resource "aws_cloudwatch_log_group" "database" {
  for_each = toset(local.database_logs)

  name              = "/aws/rds/instance/${local.prefix}/${each.key}"
  retention_in_days = local.settings.log_retention_days
}

resource "aws_db_instance" "this" {
  identifier     = local.prefix
  engine         = "postgres"
  engine_version = "16"
  instance_class = local.settings.database.instance_class
  # The others are made by their migrations.
  db_name = local.databases[0]

  username                            = "comanda_admin"
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = data.aws_ssm_parameter.key.insecure_value
  iam_database_authentication_enabled = true

  allocated_storage     = local.settings.database.storage_gb
  max_allocated_storage = local.settings.database.max_storage_gb
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = data.aws_ssm_parameter.key.insecure_value

  multi_az               = local.settings.database.multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [data.aws_ssm_parameter.network["database_security_group_id"].insecure_value]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  backup_retention_period   = local.settings.database.backup_days
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = !var.deletion_protection
  final_snapshot_identifier = "${local.prefix}-final"

  # Between the last dinner and the first breakfast in Brazil; times are UTC.
  backup_window              = "06:00-06:45"
  maintenance_window         = "tue:07:00-tue:08:00"
  auto_minor_version_upgrade = true
  apply_immediately          = false

  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  performance_insights_enabled    = true
  performance_insights_kms_key_id = data.aws_ssm_parameter.key.insecure_value
  enabled_cloudwatch_logs_exports = local.database_logs

  depends_on = [aws_cloudwatch_log_group.database]
}
