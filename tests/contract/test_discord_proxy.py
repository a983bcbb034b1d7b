"""Reaching Discord through a proxy, for REST and for the gateway alike."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from adapters.discord import plugin
from adapters.discord.emulator import DiscordEmulator
from bridge.model import Address, BotName, ChatId, Message, Platform

BOT = BotName("helper")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Streams:
    """https://www.rfc-editor.org/rfc/rfc1928, without authentication."""
    _, methods = await reader.readexactly(2)
    await reader.readexactly(methods)
    writer.write(b"\x05\x00")
    kind = (await reader.readexactly(4))[3]
    length = 4 if kind == 1 else (await reader.readexactly(1))[0]
    raw = await reader.readexactly(length)
    host = ".".join(map(str, raw)) if kind == 1 else raw.decode()
    (port,) = struct.unpack("!H", await reader.readexactly(2))
    writer.write(b"\x05\x00\x00\x01" + bytes(6))
    return await asyncio.open_connection(host, port)


async def http(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> Streams:
    """Requests in absolute form, https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2."""
    method, url, version = (await reader.readline()).split()
    _, _, host, path = url.split(b"/", 3)
    name, _, port = host.partition(b":")
    streams = await asyncio.open_connection(name.decode(), int(port))
    streams[1].write(b" ".join((method, b"/" + path, version)) + b"\r\n")
    return streams


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)
    writer.close()


@asynccontextmanager
async def proxying(
    meet: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Streams]],
) -> AsyncIterator[tuple[int, list[asyncio.Task]]]:
    """A proxy on a port, and what it does for each of its connections."""
    made: list[asyncio.Task] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await meet(reader, writer)
        made.append(asyncio.current_task())
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], made
        await asyncio.wait(made)


@pytest.mark.parametrize(
    ("scheme", "meet"), [("http", http), ("socks5", socks), ("socks5h", socks)]
)
async def test_everything_goes_through_the_proxy(scheme, meet):
    """A message comes and its answer goes through the configured proxy."""
    emulator = DiscordEmulator(rates=None)
    direct = emulator.direct(ann := emulator.person("Ann"))
    received: asyncio.Queue[Message] = asyncio.Queue()
    async with emulator.open() as section, proxying(meet) as (port, made):
        through = {**section, "proxy": f"{scheme}://127.0.0.1:{port}"}
        async with plugin.open(BOT, through) as adapter, asyncio.timeout(10):
            task = asyncio.create_task(adapter.receive(received.put))
            while not emulator.is_attended:
                await asyncio.sleep(0.01)
            await emulator.send(direct, ann, "hello")
            message = await received.get()
            before = len(made)
            surface = adapter.surface(Address(BOT, Platform("discord"), ChatId(direct.id)), None)
            await surface.post("hi", nonce="1")
            task.cancel()
            await asyncio.wait([task])

    assert message.address.chat == direct.id
    assert 1 <= before < len(made)
    assert emulator.messages(direct)[-1].content == "hi"
