output "table_names" {
  description = "DynamoDB tables."
  value       = { for name, table in aws_dynamodb_table.this : name => table.name }
}

output "bucket_names" {
  description = "S3 buckets."
  value       = { for name, bucket in aws_s3_bucket.this : name => bucket.bucket }
}

output "database_address" {
  description = "Where PostgreSQL listens."
  value       = aws_db_instance.this.address
}

output "has_cache" {
  description = "Whether a read cache is paid for."
  value       = local.has_cache
}
