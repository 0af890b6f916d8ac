mock_provider "aws" {
  source = "../testing"
}

variables {
  stage = "dev"
}

run "stores_and_nodes_have_no_public_address" {
  assert {
    condition     = alltrue([for it in aws_subnet.this : !it.map_public_ip_on_launch])
    error_message = "A subnet gives public addresses."
  }

  assert {
    condition     = length(aws_route_table.isolated.route) == 0
    error_message = "Stores have a way out."
  }

  assert {
    condition = alltrue([
      for it in aws_vpc_security_group_ingress_rule.store : it.cidr_ipv4 != "0.0.0.0/0" && it.cidr_ipv4 != null
    ])
    error_message = "A store is open to the world."
  }
}

run "lean_has_one_way_out_and_two_zones" {
  assert {
    condition     = output.nat_gateways == 1 && length(aws_subnet.this) == 6
    error_message = "Lean is not lean."
  }

  assert {
    condition     = toset([for it in aws_vpc_endpoint.gateway : it.vpc_endpoint_type]) == toset(["Gateway"]) && length(aws_vpc_endpoint.gateway) == 2
    error_message = "S3 and DynamoDB are reached past the NAT gateway."
  }
}

run "production_outlives_a_zone" {
  variables {
    stage   = "prod"
    profile = "production"
  }

  assert {
    condition     = output.nat_gateways == 3 && length(aws_subnet.this) == 9 && length(aws_vpc_endpoint.interface) > 0
    error_message = "A zone takes others with it."
  }
}

run "subnets_do_not_overlap" {
  assert {
    condition     = length(distinct([for it in aws_subnet.this : it.cidr_block])) == length(aws_subnet.this)
    error_message = "Two subnets have the same addresses."
  }

  # Private subnets begin where the first /20 ends; the /24 of the other tiers lie inside it.
  assert {
    condition = alltrue([
      for key, it in local.subnets : it.tier == "private" ? tonumber(split(".", it.cidr)[2]) >= 16 : tonumber(split(".", it.cidr)[2]) < 16
    ])
    error_message = "Tiers overlap."
  }
}

run "the_layers_above_are_told_of_the_ways_out" {
  assert {
    condition     = alltrue([for it in ["nat_addresses", "nat_gateway_ids", "private_subnet_ids"] : contains(keys(aws_ssm_parameter.this), it)])
    error_message = "The walls and the alarms of other layers ask for these."
  }
}
