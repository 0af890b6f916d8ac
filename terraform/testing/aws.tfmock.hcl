# What the provider parses must look like the real thing, also when nothing is real.

mock_data "aws_caller_identity" {
  defaults = { account_id = "111122223333" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_availability_zones" {
  defaults = { names = ["sa-east-1a", "sa-east-1b", "sa-east-1c"] }
}

mock_data "aws_iam_policy_document" {
  defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
}

mock_data "aws_ssm_parameters_by_path" {
  defaults = { names = [], values = [] }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:sa-east-1:111122223333:key/00000000-0000-0000-0000-000000000000" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::111122223333:role/mocked" }
}

mock_resource "aws_iam_policy" {
  defaults = { arn = "arn:aws:iam::111122223333:policy/mocked" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:sa-east-1:111122223333:mocked" }
}

mock_resource "aws_sqs_queue" {
  defaults = {
    arn = "arn:aws:sqs:sa-east-1:111122223333:mocked"
    id  = "https://sqs.sa-east-1.amazonaws.com/111122223333/mocked"
    url = "https://sqs.sa-east-1.amazonaws.com/111122223333/mocked"
  }
}

mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::mocked", id = "mocked" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:sa-east-1:111122223333:log-group:mocked" }
}

mock_resource "aws_wafv2_ip_set" {
  defaults = { arn = "arn:aws:wafv2:sa-east-1:111122223333:regional/ipset/mocked/00000000-0000-0000-0000-000000000000" }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = { arn = "arn:aws:wafv2:sa-east-1:111122223333:regional/webacl/mocked/00000000-0000-0000-0000-000000000000" }
}

mock_resource "aws_acm_certificate" {
  defaults = { arn = "arn:aws:acm:sa-east-1:111122223333:certificate/00000000-0000-0000-0000-000000000000" }
}

mock_resource "aws_acm_certificate_validation" {
  defaults = { certificate_arn = "arn:aws:acm:us-east-1:111122223333:certificate/00000000-0000-0000-0000-000000000000" }
}

mock_resource "aws_db_instance" {
  defaults = { address = "mocked.sa-east-1.rds.amazonaws.com", port = 5432, resource_id = "db-MOCKED" }
}

mock_resource "aws_cognito_user_pool" {
  defaults = {
    arn = "arn:aws:cognito-idp:sa-east-1:111122223333:userpool/sa-east-1_Mocked123"
    id  = "sa-east-1_Mocked123"
  }
}
