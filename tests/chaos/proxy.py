"""TCP links to a unix socket, each of which can be hurt. One thread carries all of them.

    links = Links(path)
    link = links.add()          # listens on 127.0.0.1:link.port
    link.mode = "halfopen"      # ok, cut, reset, halfopen, delay, slow
"""

from __future__ import annotations

import asyncio
import pathlib
import socket
import struct
import threading

DELAY_S = 0.4
SLOW_BYTES = 256     # each SLOW_S
SLOW_S = 0.02
LOOK_S = 0.01


class Link:
    def __init__(self) -> None:
        self.mode = "ok"
        self.port = 0
        self.open: set[asyncio.StreamWriter] = set()


class Links:
    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def add(self) -> Link:
        link = Link()

        async def listen() -> None:
            server = await asyncio.start_server(lambda r, w: self.carry(link, r, w), "127.0.0.1")
            link.port = server.sockets[0].getsockname()[1]
        asyncio.run_coroutine_threadsafe(listen(), self.loop).result(10)
        return link

    def hurt(self, link: Link, mode: str) -> None:
        link.mode = mode
        if mode in ("cut", "reset"):
            self.loop.call_soon_threadsafe(self.drop, link, mode == "reset")

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)

    @staticmethod
    def drop(link: Link, reset: bool) -> None:
        for writer in list(link.open):
            end = writer.get_extra_info("socket")
            if reset and end is not None and end.family == socket.AF_INET:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def carry(self, link: Link, reader: asyncio.StreamReader,
                    writer: asyncio.StreamWriter) -> None:
        if link.mode in ("cut", "reset"):
            writer.transport.abort()
            return
        try:
            below_reader, below = await asyncio.open_unix_connection(str(self.path))
        except OSError:
            writer.transport.abort()
            return
        link.open |= {writer, below}
        await asyncio.gather(self.pump(link, reader, below), self.pump(link, below_reader, writer),
                             return_exceptions=True)
        link.open -= {writer, below}

    async def pump(self, link: Link, reader: asyncio.StreamReader,
                   writer: asyncio.StreamWriter) -> None:
        """What has come in before a link is hurt goes on when it is whole again."""
        try:
            while data := await reader.read(65536):
                if link.mode == "delay":
                    await asyncio.sleep(DELAY_S)
                while link.mode == "halfopen":
                    await asyncio.sleep(LOOK_S)
                while link.mode == "slow" and len(data) > SLOW_BYTES:
                    writer.write(data[:SLOW_BYTES])
                    data = data[SLOW_BYTES:]
                    await asyncio.sleep(SLOW_S)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            while link.mode == "halfopen": # the end is not heard of either
                await asyncio.sleep(LOOK_S)
            writer.transport.abort() if link.mode in ("cut", "reset") else writer.close()
