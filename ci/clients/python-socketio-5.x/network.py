"""Passes bytes between clients and a server until it is told to do worse."""

import asyncio
from urllib.parse import urlsplit


class Network:
    @classmethod
    async def start(cls, url):
        network = cls()
        network.target = urlsplit(url)
        network.writers = set()
        network.down = False
        network.open = asyncio.Event()
        network.open.set()
        network.server = await asyncio.start_server(network._carry, "127.0.0.1", 0)
        return network

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    def hold(self):
        """Ends every connection at once, as a network that goes away does, and lets none through until it is released."""
        self.down = True
        for writer in self.writers:
            writer.transport.abort()

    def release(self):
        self.down = False

    def freeze(self):
        """From now on nothing passes, and nobody is told."""
        self.open.clear()

    def close(self):
        self.hold()
        self.open.set()
        self.server.close()

    async def _carry(self, from_client, to_client):
        if self.down:
            return to_client.transport.abort()
        try:
            from_server, to_server = await asyncio.open_connection(self.target.hostname, self.target.port)
        except OSError:
            return to_client.transport.abort()
        pair = {to_client, to_server}
        self.writers |= pair
        await asyncio.gather(self._pass(from_client, to_server), self._pass(from_server, to_client))
        self.writers -= pair
        for writer in pair:
            writer.transport.abort()

    async def _pass(self, reader, writer):
        try:
            while data := await reader.read(65536):
                await self.open.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.transport.abort()
