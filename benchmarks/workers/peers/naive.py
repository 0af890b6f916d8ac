"""The loop of every tutorial: receive ten, handle one by one, delete. `naive.py [batch]`."""

import sys

import boto3
from handlers import QUEUE_URL, handle


def main(*, is_batched):
    """Consume for ever."""
    sqs = boto3.client("sqs")
    while True:
        answer = sqs.receive_message(QueueUrl=QUEUE_URL, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        messages = answer.get("Messages", [])
        for message in messages:
            handle(message["Body"])
            if not is_batched:
                sqs.delete_message(QueueUrl=QUEUE_URL, ReceiptHandle=message["ReceiptHandle"])
        if messages and is_batched:
            entries = [
                {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]}
                for i, message in enumerate(messages)
            ]
            sqs.delete_message_batch(QueueUrl=QUEUE_URL, Entries=entries)


if __name__ == "__main__":
    main(is_batched="batch" in sys.argv)
