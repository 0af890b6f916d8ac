"""The sink for what handlers publish: the Query protocol of SNS, and who was published for what."""

from urllib.parse import parse_qsl

_RESULT = (
    '<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult>'
    "<Successful>{}</Successful><Failed/></PublishBatchResult></PublishBatchResponse>"
)
_MEMBER = "<member><Id>{0}</Id><MessageId>{0}</MessageId></member>"
_ONE = (
    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
    "<MessageId>1</MessageId></PublishResult></PublishResponse>"
)


class SNSSink:
    """Take everything; count it, and remember which events caused something."""

    def __init__(self) -> None:
        self.published = 0
        self.causes: set[str] = set()

    def handle(self, body: bytes) -> bytes:
        """Answer `Publish` or `PublishBatch`."""
        ids: list[str] = []
        fields = parse_qsl(body.decode(), keep_blank_values=True)
        for name, value in fields:
            if name.endswith(".Id"):
                ids.append(value)
            elif name == "Message" or name.endswith(".Message"):
                self._take(value)
        if ids:
            return _RESULT.format("".join(_MEMBER.format(i) for i in ids)).encode()
        return _ONE.encode()

    def _take(self, text: str) -> None:
        self.published += 1
        cause = text.partition('"causationid":"')[2].partition('"')[0]
        if cause:
            self.causes.add(cause)
