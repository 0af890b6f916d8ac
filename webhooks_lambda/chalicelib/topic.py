"""Publish one envelope on the SNS topic of this context: envelopes arrive, `Publish` leaves."""

from urllib.parse import urlencode

from comanda.envelope import Envelope
from comanda.messaging.ports import MessagingUnavailable

from .aws import AWSClient, AWSRefused, AWSUnavailable

_HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


class Topic:
    """One SNS topic; the type and source of an event are message attributes."""

    def __init__(self, client: AWSClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, envelope: Envelope) -> None:
        """Publish, and return once SNS has taken it; raise `MessagingUnavailable` otherwise."""
        form = {
            "Action": "Publish",
            "Version": "2010-03-31",
            "TopicArn": self._arn,
            "Message": envelope.to_json(),
        }
        for number, (name, value) in enumerate(envelope.attributes.items(), start=1):
            entry = f"MessageAttributes.entry.{number}"
            form[f"{entry}.Name"] = name
            form[f"{entry}.Value.DataType"] = "String"
            form[f"{entry}.Value.StringValue"] = value
        try:
            self._client.post(urlencode(form).encode(), _HEADERS)
        except (AWSRefused, AWSUnavailable) as exc:
            raise MessagingUnavailable(f"cannot publish: {exc}") from exc
