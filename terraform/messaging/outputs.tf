output "topic_arns" {
  description = "Topics by context."
  value       = { for name, topic in aws_sns_topic.events : name => topic.arn }
}

output "queue_urls" {
  description = "Input queues by context."
  value       = { for name, queue in aws_sqs_queue.input : name => queue.url }
}

output "dlq_urls" {
  description = "Dead-letter queues by context."
  value       = { for name, queue in aws_sqs_queue.dead_letters : name => queue.url }
}
