output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "subnet_ids" {
  description = "Subnets by tier and zone."
  value       = { for key, subnet in aws_subnet.this : key => subnet.id }
}

output "nat_gateways" {
  description = "How many ways out are paid for."
  value       = length(aws_nat_gateway.this)
}
