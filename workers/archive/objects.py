"""One S3 bucket: groups of lines arrive, gzip objects stand there under names by the hour."""

import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiobotocore.session import get_session
from botocore.exceptions import ClientError

from workers.archive.outages import reaching_the_store
from workers.archive.ports import ChangedMeanwhile

# Half of what the best level saves, for a fifth of its time.
_LEVEL = 4
_CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


@asynccontextmanager
async def s3_client() -> AsyncIterator[Any]:
    """Open an S3 client; region, credentials and endpoint come from the environment."""
    async with get_session().create_client("s3") as client:
        yield client


class S3Objects:
    """The objects of one bucket; `client` is aiobotocore's."""

    def __init__(self, client: Any, *, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    async def put(self, key: str, lines: Sequence[str]) -> None:
        """Write a new object."""
        await self._put(key, lines)

    async def get(self, key: str) -> list[str]:
        """Read an object's lines; none when there is no such object."""
        return (await self._read(key))[0]

    async def rewrite(self, key: str, lines: Sequence[str], *, was: Sequence[str]) -> None:
        """Write an object again under the condition that nobody else has: `ChangedMeanwhile`."""
        found, tag = await self._read(key)
        if found != list(was):
            raise ChangedMeanwhile(key)
        try:
            await self._put(key, lines, IfMatch=tag)
        except ClientError as exc:
            if exc.response["Error"]["Code"] not in _CHANGED:
                raise
            raise ChangedMeanwhile(key) from exc

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """Give all names that begin so, in order, a thousand to a call."""
        start: dict[str, str] = {}
        while True:
            async with reaching_the_store():
                page = await self._client.list_objects_v2(
                    Bucket=self._bucket, Prefix=prefix, **start
                )
            for it in page.get("Contents", ()):
                yield it["Key"]
            if not page.get("IsTruncated"):
                return
            start = {"ContinuationToken": page["NextContinuationToken"]}

    async def ping(self) -> None:
        """List one name."""
        async with reaching_the_store():
            await self._client.list_objects_v2(Bucket=self._bucket, MaxKeys=1)

    async def _put(self, key: str, lines: Sequence[str], **conditions: str) -> None:
        async with reaching_the_store():
            await self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=packed(lines),
                ContentType="application/x-ndjson",
                ContentEncoding="gzip",
                **conditions,
            )

    async def _read(self, key: str) -> tuple[list[str], str]:
        try:
            async with reaching_the_store():
                answer = await self._client.get_object(Bucket=self._bucket, Key=key)
                async with answer["Body"] as body:
                    content = await body.read()
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "NoSuchKey":
                raise
            return [], ""
        return unpacked(content), answer["ETag"]


def packed(lines: Sequence[str]) -> bytes:
    """Compress lines; the same lines always give the same bytes."""
    text = "".join(f"{line}\n" for line in lines)
    return gzip.compress(text.encode(), compresslevel=_LEVEL, mtime=0)


def unpacked(content: bytes) -> list[str]:
    """Give the lines of an object; a client may have decompressed it already."""
    plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    # `splitlines` would also break at characters that may stand within a JSON text.
    return plain.decode().split("\n")[:-1]
