"""All links between parts: who calls whom is found in the environment that each part is given."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from local.proxy.link import Link


class Network:
    """Make a link for each pair of a caller and a target, when the caller first hears of it."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        places = {name: urlsplit(url).netloc.rpartition("@")[2] for name, url in urls.items()}
        self._places = {name: place for name, place in places.items() if ":" in place}
        self._serving: set[asyncio.Task[None]] = set()
        self.links: dict[str, Link] = {}

    def lead(self, caller: str, text: str) -> str:
        """Give the text with each target's address replaced by that of the caller's link to it."""
        for target, place in self._places.items():
            if target != caller and place in text:
                text = text.replace(place, f"127.0.0.1:{self._link(caller, target).port}")
        return text

    async def close(self) -> None:
        """Cut all links."""
        await asyncio.gather(*self._serving)
        for link in self.links.values():
            await link.close()

    def _link(self, caller: str, target: str) -> Link:
        name = f"{caller} to {target}"
        if name not in self.links:
            host, _, port = self._places[target].rpartition(":")
            self.links[name] = Link(host=host, port=int(port))
            self._serving.add(asyncio.create_task(self.links[name].serve()))
        return self.links[name]
