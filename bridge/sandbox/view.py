"""The world as the page shows it: plain values, ready to become JSON."""

from collections.abc import Mapping, Sequence

from bridge.coze.emulator import Download, Request
from bridge.model import Platform
from bridge.ports import Emulator, Shown
from bridge.sandbox.plays import PLAYS
from bridge.sandbox.world import World

REQUESTS_SHOWN = 40

Json = Mapping[str, object]


def described(world: World) -> Json:
    """Everything there is to see now; of a real agent nothing but where it is."""
    coze = world.coze
    return {
        "platforms": {name: chat(name, emulator) for name, emulator in world.platforms.items()},
        "agent": {
            "url": world.coze_url,
            "is_emulated": coze is not None,
            "plays": list(PLAYS),
            "next_play": world.next_play.name,
        },
        "requests": requests(coze.requests, coze.downloads) if coze else [],
    }


def chat(platform: Platform, emulator: Emulator) -> Json:
    """One platform's chat, the oldest message first."""
    return {
        "is_typing": emulator.is_typing,
        "messages": [message(platform, shown) for shown in emulator.transcript()],
    }


def message(platform: Platform, shown: Shown) -> Json:
    """One message, with its images as addresses rather than inside each state."""
    return {
        "id": shown.id,
        "is_bot": shown.is_bot,
        "html": shown.html,
        "edits": shown.edits,
        "images": [f"/image/{platform}/{shown.id}/{number}" for number in range(len(shown.images))],
    }


def requests(made: Sequence[Request], downloads: Sequence[Download]) -> list[Json]:
    """The latest requests to Coze, the newest first, each with what Coze fetched because of it."""
    latest = list(enumerate(made))[-REQUESTS_SHOWN:]
    return [
        {
            "id": number,
            "method": request.method,
            "path": request.path,
            "query": dict(request.query),
            "body": request.body,
            "fetched": fetched(request, downloads),
        }
        for number, request in reversed(latest)
    ]


def fetched(request: Request, downloads: Sequence[Download]) -> list[Json]:
    """The files whose URL is in a request, once each."""
    found = {
        download.url: {
            "address": f"/fetched/{number}",
            "type": download.media_type,
            "bytes": len(download.content),
        }
        for number, download in enumerate(downloads)
        if download.url.encode() in request.raw
    }
    return list(found.values())
