"""How gateway payloads travel: as text, or in one compressed stream per connection.

https://discord.com/developers/docs/events/gateway#transport-compression
"""

import importlib
import json
import zlib
from collections.abc import Callable, Mapping

Encode = Callable[[Mapping[str, object]], str | bytes]


def encoder(compress: str | None) -> Encode | None:
    """Start the stream of a connection; None when it cannot be compressed that way here."""
    match compress:
        case None:
            return json.dumps
        case "zlib-stream":
            return zlib_stream()
        case "zstd-stream":
            return zstd_stream()
    return None


def zlib_stream() -> Encode:
    """One zlib context for all payloads, each ending with 00 00 ff ff."""
    stream = zlib.compressobj()

    def encode(payload: Mapping[str, object]) -> bytes:
        written = json.dumps(payload).encode()
        return stream.compress(written) + stream.flush(zlib.Z_SYNC_FLUSH)

    return encode


def zstd_stream() -> Encode | None:
    """One zstd frame for all payloads; it is flushed after each and never ends."""
    compress = installed_zstd() or standard_zstd()
    if compress is None:
        return None
    return lambda payload: compress(json.dumps(payload).encode())


def installed_zstd() -> Callable[[bytes], bytes] | None:
    """The stream of the `zstandard` package, which need not be there."""
    try:
        zstandard = importlib.import_module("zstandard")
    except ImportError:
        return None
    stream = zstandard.ZstdCompressor().compressobj()
    flush = zstandard.COMPRESSOBJ_FLUSH_BLOCK
    return lambda written: bytes(stream.compress(written) + stream.flush(flush))


def standard_zstd() -> Callable[[bytes], bytes] | None:
    """The stream of Python's own module, from 3.14 on."""
    try:
        zstd = importlib.import_module("compression.zstd")
    except ImportError:
        return None
    stream = zstd.ZstdCompressor()
    return lambda written: bytes(stream.compress(written, mode=stream.FLUSH_BLOCK))
