"""Powertools BatchProcessor in 8 threads: receive, process the batch, delete what passed."""

import threading

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from botocore.config import Config
from handlers import QUEUE_URL, handle

THREADS = 8


def consume(sqs):
    """Consume for ever, in the shape that a Lambda event source would hand over."""
    while True:
        answer = sqs.receive_message(QueueUrl=QUEUE_URL, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        records = [_record(message) for message in answer.get("Messages", [])]
        if not records:
            continue
        processor = BatchProcessor(event_type=EventType.SQS)
        with processor(records, handler=lambda record: handle(record.body)):
            processor.process()
        failed = {entry["itemIdentifier"] for entry in processor.response()["batchItemFailures"]}
        entries = [
            {"Id": str(i), "ReceiptHandle": record["receiptHandle"]}
            for i, record in enumerate(records)
            if record["messageId"] not in failed
        ]
        if entries:
            sqs.delete_message_batch(QueueUrl=QUEUE_URL, Entries=entries)


def _record(message):
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }


if __name__ == "__main__":
    client = boto3.client("sqs", config=Config(max_pool_connections=THREADS))
    threads = [threading.Thread(target=consume, args=(client,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
