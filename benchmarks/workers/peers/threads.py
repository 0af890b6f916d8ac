"""boto3 in 32 threads, each with its own loop and batched deletes."""

import sys
import threading

import boto3
from botocore.config import Config
from handlers import QUEUE_URL, handle


def consume(sqs):
    """Consume for ever; clients are safe to share once they are built."""
    while True:
        answer = sqs.receive_message(QueueUrl=QUEUE_URL, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        messages = answer.get("Messages", [])
        for message in messages:
            handle(message["Body"])
        if messages:
            entries = [
                {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]}
                for i, message in enumerate(messages)
            ]
            sqs.delete_message_batch(QueueUrl=QUEUE_URL, Entries=entries)


if __name__ == "__main__":
    count = int(sys.argv[1])
    client = boto3.client("sqs", config=Config(max_pool_connections=count))
    threads = [threading.Thread(target=consume, args=(client,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
