"""How long a message takes from its arrival to the request that leaves for Coze."""

import asyncio
import statistics
import time

from adapters.telegram.emulator import TelegramEmulator
from bridge import app, config
from bridge.coze.emulator import CozeEmulator, Play
from bridge.sandbox.world import BOT_ID, TOKEN, running

MESSAGES = 60


async def test_from_arrival_to_the_request(tmp_path):
    """Median and 99th percentile, one idle process, embedded store, everything on this machine."""
    telegram, coze = TelegramEmulator(flood=None), CozeEmulator(TOKEN, BOT_ID)
    coze.otherwise(lambda _asked: Play(answers=("Yes.",)))
    async with telegram.open() as section, coze.open() as url:
        tables = {
            "coze": {"base_url": url, "token": TOKEN},
            "bots": {"bench": {"bot_id": BOT_ID, "telegram": section}},
            "redis": {"data_dir": str(tmp_path)},
        }
        async with app.opened(config.parse(tables, {})) as application, running(application):
            waits = [await one(telegram, coze, number) for number in range(MESSAGES)]
    waits = sorted(waits[1:])  # the first opens the conversation
    print(
        f"\narrival to request: median {statistics.median(waits) * 1000:.1f} ms, "
        f"p99 {waits[int(len(waits) * 0.99)] * 1000:.1f} ms over {len(waits)} messages"
    )


async def one(telegram, coze, number):
    """Seconds from the message to the request, over HTTP on both sides."""
    started = time.perf_counter()
    await telegram.say(f"question {number}")
    while len(coze.chats) <= number:
        await coze.changed()
    waited = time.perf_counter() - started
    while sum(shown.is_bot for shown in telegram.transcript()) <= number:
        await asyncio.sleep(0.005)
    return waited
