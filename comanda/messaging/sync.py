"""Publish one envelope at a time on an SNS topic, for the edge, which is synchronous."""

from typing import Any

from comanda.envelope import Envelope
from comanda.messaging.ports import MessagingUnavailable


class SNSPublisher:
    """Publish on one topic through a boto3 client; the type and source are attributes."""

    def __init__(self, client: Any, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, envelope: Envelope) -> None:
        """Publish, and return once SNS has taken it; raise `MessagingUnavailable` otherwise."""
        # botocore is heavy: it is loaded with the first client, never when an app is imported.
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Message=envelope.to_json(),
                # Each shop has its turn: SQS serves the groups of a standard queue fairly.
                MessageGroupId=str(envelope.event.shop_id),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in envelope.attributes.items()
                },
            )
        except (BotoCoreError, ClientError, TimeoutError, OSError) as exc:
            raise MessagingUnavailable(f"cannot publish: {type(exc).__name__}") from exc
