"""What a media reference on Discord says: which attachment, and where it was to be had."""

from urllib.parse import parse_qs, urlsplit

import msgspec

from bridge.errors import MediaUnavailable


class Handle(msgspec.Struct, frozen=True):
    """One attachment; with its ids a fresh URL can be asked for when this one has expired."""

    channel: str
    message: str
    attachment: str
    url: str


def write(handle: Handle) -> str:
    """The text that a `MediaRef` carries."""
    return msgspec.json.encode(handle).decode()


def read(text: str) -> Handle:
    """Read what `write` wrote; raises MediaUnavailable for anything else."""
    try:
        return msgspec.json.decode(text, type=Handle)
    except msgspec.MsgspecError as error:
        raise MediaUnavailable("not the handle of a Discord attachment") from error


def expires_at(url: str) -> float | None:
    """Seconds since 1970 at which a signed URL ends, or None where it does not say.

    https://docs.discord.com/developers/reference#signed-attachment-cdn-urls
    """
    try:
        return float(int(parse_qs(urlsplit(url).query)["ex"][0], 16))
    except (KeyError, ValueError):
        return None
