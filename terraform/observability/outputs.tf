output "alarm_topic_arn" {
  description = "Where alarms are announced."
  value       = aws_sns_topic.alarms.arn
}

output "alarm_names" {
  description = "All alarms."
  value = sort(concat(
    [for it in aws_cloudwatch_metric_alarm.dead_letters : it.alarm_name],
    [for it in aws_cloudwatch_metric_alarm.age : it.alarm_name],
    [for it in aws_cloudwatch_metric_alarm.functions : it.alarm_name],
    [for it in aws_cloudwatch_metric_alarm.database : it.alarm_name],
    [for it in aws_cloudwatch_metric_alarm.tables : it.alarm_name],
  ))
}
