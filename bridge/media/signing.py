"""Links to a file that carry their own proof: signed, expiring, with nothing to look up."""

import base64
import binascii
import hashlib
import hmac

import msgspec

from bridge.errors import LinkExpired, LinkForged
from bridge.model import MediaRef


class Link(msgspec.Struct, frozen=True, array_like=True):
    """What a link says; an array, so that it stays short."""

    expires: int  # seconds since 1970
    ref: MediaRef


def sign(ref: MediaRef, *, expires: float, key: bytes) -> str:
    """A token that lets its bearer fetch `ref` until `expires` (seconds since 1970)."""
    payload = encoded(msgspec.msgpack.encode(Link(int(expires), ref)))
    return f"{payload}.{encoded(proof(payload, key))}"


def verify(token: str, *, now: float, key: bytes) -> MediaRef:
    """What a token stands for; LinkForged if it is not ours, LinkExpired if it is past."""
    if not token.isascii():
        raise LinkForged("the link is not ours")
    payload, _, signature = token.partition(".")
    if not hmac.compare_digest(encoded(proof(payload, key)).encode(), signature.encode()):
        raise LinkForged("the link is not ours")
    try:
        link = msgspec.msgpack.decode(decoded(payload), type=Link)
    except (binascii.Error, msgspec.MsgspecError) as error:
        # Signed by us, yet unreadable: by a version of this program that wrote another form.
        raise LinkForged("the link cannot be read") from error
    if now >= link.expires:
        raise LinkExpired("the link has expired")
    return link.ref


def proof(payload: str, key: bytes) -> bytes:
    """The signature of a payload."""
    return hmac.new(key, b"media:" + payload.encode(), hashlib.sha256).digest()


def encoded(data: bytes) -> str:
    """Bytes as they may stand in a URL."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of `encoded`."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
