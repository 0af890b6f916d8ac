locals {
  prefix     = "comanda-${var.stage}"
  parameters = "/comanda/${var.stage}/network"
  settings   = jsondecode(file("${path.module}/../profiles.json"))[var.profile]
  zones      = slice(sort(data.aws_availability_zones.open.names), 0, local.settings.zones)
  # /20 for nodes and their pods, /24 for what only balances load or stores.
  tiers = {
    public   = { bits = 8, first = 0 }
    isolated = { bits = 8, first = 8 }
    private  = { bits = 4, first = 1 }
  }
  subnets = merge([
    for tier, shape in local.tiers : {
      for index, zone in local.zones : "${tier}-${zone}" => {
        tier = tier
        zone = zone
        cidr = cidrsubnet(var.cidr, shape.bits, shape.first + index)
      }
    }
  ]...)
  # One gateway is a third of the price; one a zone outlives a zone.
  nat_zones = local.settings.nat_mode == "per_zone" ? local.zones : slice(local.zones, 0, 1)
  interface_services = local.settings.interface_endpoints ? toset([
    "ecr.api", "ecr.dkr", "kms", "logs", "secretsmanager", "sns", "sqs", "sts",
  ]) : toset([])
}

data "aws_availability_zones" "open" {
  state = "available"
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_hostnames = true
  enable_dns_support   = true

  tags = { Name = local.prefix }
}

# The default group is emptied, so that nothing relies on it by accident.
resource "aws_default_security_group" "none" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${local.prefix}-default-unused" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = local.prefix }
}

resource "aws_subnet" "this" {
  for_each = local.subnets

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.value.zone
  cidr_block              = each.value.cidr
  map_public_ip_on_launch = false

  tags = merge(
    { Name = "${local.prefix}-${each.key}", tier = each.value.tier },
    each.value.tier == "public" ? { "kubernetes.io/role/elb" = "1" } : {},
    each.value.tier == "private" ? { "kubernetes.io/role/internal-elb" = "1" } : {},
  )
}

# --- ways out -------------------------------------------------------------------------------

resource "aws_eip" "nat" {
  for_each = toset(local.nat_zones)

  domain = "vpc"

  tags = { Name = "${local.prefix}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = toset(local.nat_zones)

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.this["public-${each.key}"].id

  tags = { Name = "${local.prefix}-${each.key}" }

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this.id
  }

  tags = { Name = "${local.prefix}-public" }
}

resource "aws_route_table" "private" {
  for_each = toset(local.zones)

  vpc_id = aws_vpc.this.id

  route {
    cidr_block     = "0.0.0.0/0"
    nat_gateway_id = aws_nat_gateway.this[contains(local.nat_zones, each.key) ? each.key : local.nat_zones[0]].id
  }

  tags = { Name = "${local.prefix}-private-${each.key}" }
}

# Stores have no way out at all.
resource "aws_route_table" "isolated" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${local.prefix}-isolated" }
}

resource "aws_route_table_association" "this" {
  for_each = local.subnets

  subnet_id = aws_subnet.this[each.key].id
  route_table_id = (
    each.value.tier == "public" ? aws_route_table.public.id :
    each.value.tier == "isolated" ? aws_route_table.isolated.id :
    aws_route_table.private[each.value.zone].id
  )
}

# --- endpoints ------------------------------------------------------------------------------

# Gateway endpoints cost nothing and keep this traffic off the NAT gateway.
resource "aws_vpc_endpoint" "gateway" {
  for_each = toset(["s3", "dynamodb"])

  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for table in aws_route_table.private : table.id]

  tags = { Name = "${local.prefix}-${each.key}" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interface_services

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  security_group_ids  = [aws_security_group.endpoints.id]
  subnet_ids          = [for zone in local.zones : aws_subnet.this["private-${zone}"].id]

  tags = { Name = "${local.prefix}-${each.key}" }
}

resource "aws_security_group" "endpoints" {
  name        = "${local.prefix}-endpoints"
  description = "HTTPS from the VPC to interface endpoints"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  security_group_id = aws_security_group.endpoints.id
  description       = "HTTPS from inside"
  cidr_ipv4         = var.cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# --- the stores' groups: the cluster's subnets alone come in --------------------------------

resource "aws_security_group" "store" {
  for_each = { database = 5432, cache = 6379 }

  name        = "${local.prefix}-${each.key}"
  description = "Port ${each.value} from the private subnets"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "store" {
  for_each = merge([
    for store, port in { database = 5432, cache = 6379 } : {
      for zone in local.zones : "${store}-${zone}" => { store = store, port = port, zone = zone }
    }
  ]...)

  security_group_id = aws_security_group.store[each.value.store].id
  description       = "Pods in ${each.value.zone}"
  cidr_ipv4         = local.subnets["private-${each.value.zone}"].cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
}

# --- flow logs ------------------------------------------------------------------------------

data "aws_iam_policy_document" "flow_logs_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "flow_logs" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
    resources = ["${aws_cloudwatch_log_group.flow_logs.arn}:*"]
  }
}

resource "aws_iam_role" "flow_logs" {
  name               = "${local.prefix}-flow-logs"
  assume_role_policy = data.aws_iam_policy_document.flow_logs_trust.json
}

resource "aws_iam_role_policy" "flow_logs" {
  name   = "write"
  role   = aws_iam_role.flow_logs.id
  policy = data.aws_iam_policy_document.flow_logs.json
}

resource "aws_cloudwatch_log_group" "flow_logs" {
  name              = "/comanda/${var.stage}/flow-logs"
  retention_in_days = local.settings.log_retention_days
}

# Only what was refused: enough to find a wrong rule, at a hundredth of the volume.
resource "aws_flow_log" "refused" {
  vpc_id          = aws_vpc.this.id
  traffic_type    = "REJECT"
  iam_role_arn    = aws_iam_role.flow_logs.arn
  log_destination = aws_cloudwatch_log_group.flow_logs.arn
}

# --- for the other layers -------------------------------------------------------------------

resource "aws_ssm_parameter" "this" {
  for_each = merge(
    { vpc_id = aws_vpc.this.id },
    # What our own screens come from when they ask the APIs of the edge.
    { nat_addresses = join(",", [for it in aws_eip.nat : it.public_ip]) },
    { nat_gateway_ids = join(",", [for it in aws_nat_gateway.this : it.id]) },
    { for store, group in aws_security_group.store : "${store}_security_group_id" => group.id },
    { for tier in keys(local.tiers) : "${tier}_subnet_ids" => join(",", [
      for zone in local.zones : aws_subnet.this["${tier}-${zone}"].id
    ]) },
  )

  name  = "${local.parameters}/${each.key}"
  type  = "String"
  value = each.value
}
