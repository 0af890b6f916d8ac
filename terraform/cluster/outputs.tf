output "name" {
  description = "For `aws eks update-kubeconfig`."
  value       = aws_eks_cluster.this.name
}

output "repository_urls" {
  description = "Where images are pushed."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}
