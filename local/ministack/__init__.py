"""DynamoDB, Cognito, Secrets Manager and SES on the laptop: ministack, made safe to kill."""
