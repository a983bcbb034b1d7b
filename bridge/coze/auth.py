"""Where the token of a request comes from: a fixed one, or a service identity's, kept fresh.

https://www.coze.com/docs/developer_guides/oauth_jwt
"""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Protocol

import httpx
import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bridge.clock import Clock
from bridge.coze.decode import Fields, as_fields, as_number, as_text, parse, reason_of
from bridge.coze.settings import ServiceIdentity
from bridge.errors import BackendRejected, BackendUnavailable, ConfigError
from bridge.log import get_logger

log = get_logger(__name__)

ENDPOINT = "/api/permission/oauth2/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT_LIFE = 600  # seconds that the signed request for a token is good
TOKEN_LIFE = 86_399  # seconds that a token is asked for: the most Coze grants
REFRESH_AT = 0.8  # of a token's life
REFUSED = 401
NO_KEY = "is no RSA private key in PEM without a password"


class TokenSource(Protocol):
    """Gives the token of the next request."""

    async def token(self) -> str:
        """Return a token that should be good; raises BackendError, ConfigError."""

    async def renewed(self, refused: str) -> str:
        """Return another token than the one Coze refused, or the same where there is no other."""


@dataclass(frozen=True, slots=True)
class FixedToken:
    """A personal (`pat_`) or service (`sat_`) access token."""

    value: str

    async def token(self) -> str:
        """The token."""
        return self.value

    async def renewed(self, refused: str) -> str:
        """The token: there is no other."""
        del refused
        return self.value


@dataclass(frozen=True, slots=True)
class Granted:
    """A token, and when to ask for the next."""

    value: str
    refresh_at: float
    expires_at: float


class ServiceToken:
    """Exchanges a signed request for a token, ahead of its end, one exchange at a time."""

    def __init__(
        self, identity: ServiceIdentity, http: httpx.AsyncClient, base_url: str, clock: Clock
    ) -> None:
        """Take the key; ConfigError when it is none."""
        self._key = private_key(identity.private_key)
        self._identity = identity
        self._http = http
        self._base_url = base_url
        self._clock = clock
        self._granted: Granted | None = None
        self._exchanging = asyncio.Lock()

    async def token(self) -> str:
        """A token with a fifth of its life ahead, or as long as Coze cannot be asked, any good one.

        Raises BackendRejected when the identity is refused, else BackendUnavailable.
        """
        async with self._exchanging:
            granted = self._granted
            if granted is not None and self._clock.now() < granted.refresh_at:
                return granted.value
            try:
                self._granted = await self._exchange()
            except BackendUnavailable as error:
                if granted is None or self._clock.now() >= granted.expires_at:
                    raise
                log.warning("token not refreshed", reason=error.reason, log_id=error.log_id)
                return granted.value
            return self._granted.value

    async def renewed(self, refused: str) -> str:
        """A token that is not the refused one; who comes second gets what the first was given."""
        async with self._exchanging:
            if self._granted is not None and self._granted.value == refused:
                self._granted = None
        return await self.token()

    async def _exchange(self) -> Granted:
        try:
            response = await self._http.post(
                self._base_url + ENDPOINT,
                headers={"Authorization": f"Bearer {self._assertion()}"},
                json={"grant_type": GRANT, "duration_seconds": TOKEN_LIFE},
            )
        except httpx.RequestError as error:
            raise BackendUnavailable(f"no token: {type(error).__name__}") from error
        fields = as_fields(parse(response.content))
        value, expires = as_text(fields.get("access_token")), as_number(fields.get("expires_in"))
        if value and expires is not None:
            now = self._clock.now()
            return Granted(value, now + REFRESH_AT * (expires - now), expires)
        raise refusal(response.status_code, fields)

    def _assertion(self) -> str:
        now = int(self._clock.now())
        claims = {
            "iss": self._identity.app_id,
            "aud": httpx.URL(self._base_url).netloc.decode("ascii"),
            "iat": now,
            "exp": now + JWT_LIFE,
            "jti": secrets.token_hex(32),
        }
        return jwt.encode(claims, self._key, "RS256", headers={"kid": self._identity.key_id})


def private_key(pem: str) -> RSAPrivateKey:
    """Read an RSA key that can sign; ConfigError for anything else."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError("coze.oauth.private_key", NO_KEY) from error
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError("coze.oauth.private_key", NO_KEY)
    return key


def refusal(status: int, fields: Fields) -> BackendRejected | BackendUnavailable:
    """Why there is no token: who we say we are, or Coze's own trouble."""
    code = as_text(fields.get("error_code")) or as_text(fields.get("code"))
    reason = as_text(fields.get("error_message")) or reason_of(fields)
    if status >= 500 or not code or code == "internal_error":
        return BackendUnavailable(f"no token: HTTP {status} {code} {reason}".rstrip())
    return BackendRejected(as_number(code) or REFUSED, f"no token: {code} {reason}".rstrip())
