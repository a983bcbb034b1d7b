"""Decides who may call: the personal token, and tokens exchanged for a signed JWT.

https://www.coze.com/docs/developer_guides/oauth_jwt
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import jwt
import msgspec

from bridge.clock import Clock

LIFE, LONGEST = 900, 86_399  # seconds that a token is valid: by default, at most
SKEW = 60.0  # seconds that the signer's clock may be ahead
CLAIMS = ["iss", "aud", "iat", "exp", "jti"]


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """A service application: its id, and the public key its JWTs are signed for."""

    app_id: str
    key_id: str
    public_key: str  # PEM


@dataclass(frozen=True, slots=True)
class Granted:
    """A new token, and the moment it ends."""

    token: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Denied:
    """Why there is none, in the words of the API."""

    code: str
    reason: str


class Exchange(msgspec.Struct, frozen=True):
    """The body of a token request."""

    grant_type: Literal["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    duration_seconds: int = LIFE


class Tokens:
    """All valid tokens."""

    def __init__(self, token: str, app: OAuthApp | None, clock: Clock) -> None:
        self._token = token
        self._app = app
        self._clock = clock
        self._issued: dict[str, int] = {}
        self._used: set[str] = set()

    def is_valid(self, authorization: str) -> bool:
        """Whether the value of an Authorization header opens the account."""
        scheme, _, token = authorization.partition(" ")
        expires_at = self._issued.get(token, 0)
        return scheme == "Bearer" and (token == self._token or self._clock.now() < expires_at)

    def exchange(self, authorization: str, body: object, host: str) -> Granted | Denied:
        """Give a token for a JWT that was signed for this host and not used before."""
        try:
            wanted = msgspec.convert(body, Exchange)
        except msgspec.ValidationError as error:
            return Denied("unsupported_grant_type", str(error))
        if not 0 < wanted.duration_seconds <= LONGEST:
            return Denied("invalid_request", f"duration_seconds is 1 to {LONGEST}")
        problem = self._problem(authorization.removeprefix("Bearer "), host)
        if problem:
            return Denied("invalid_client", problem)
        token = f"czs_{secrets.token_urlsafe(32)}"
        expires_at = int(self._clock.now()) + wanted.duration_seconds
        self._issued[token] = expires_at
        return Granted(token, expires_at)

    def _problem(self, assertion: str, host: str) -> str | None:
        if self._app is None:
            return "no such application"
        try:
            header = jwt.get_unverified_header(assertion)
            claims = _verified(assertion, self._app, host)
        except jwt.PyJWTError as error:
            return f"the JWT is not valid: {error}"
        if header.get("typ") != "JWT" or header.get("kid") != self._app.key_id:
            return "typ or kid does not fit"
        return self._problem_of_time(claims)

    def _problem_of_time(self, claims: Mapping[str, object]) -> str | None:
        now, iat, exp = self._clock.now(), claims["iat"], claims["exp"]
        if not isinstance(iat, int) or not isinstance(exp, int):
            return "iat and exp are whole seconds"
        if not iat <= now + SKEW or not now < exp:
            return "the JWT is not valid now"
        jti = str(claims["jti"])
        if len(jti) < 32 or jti in self._used:
            return "jti is too short, or used before"
        self._used.add(jti)
        return None


def _verified(assertion: str, app: OAuthApp, host: str) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(
        assertion,
        app.public_key,
        algorithms=["RS256"],
        audience=[host, host.partition(":")[0]],
        issuer=app.app_id,
        # The times are checked against our own clock.
        options={"require": CLAIMS, "verify_exp": False, "verify_iat": False},
    )
    return claims
