"""Finds out what is wrong with a token, a base URL or an agent, and says what to change."""

from collections.abc import Awaitable, Callable

from bridge.coze.decode import Envelope, as_fields, as_text
from bridge.coze.errors import is_auth
from bridge.errors import BackendRejected, BackendUnavailable, ConfigError

Get = Callable[[str], Awaitable[Envelope]]
"""Makes one GET request; raises BackendUnavailable, BackendRejected."""

NOT_PUBLISHED = 4015
NO_SUCH_AGENT = (4006, 4200, 103100002)
LOWEST_CODE = 1000  # of Coze's own; below are HTTP's


async def agent_name(get: Get, base_url: str, bot_id: str, credentials_key: str) -> str:
    """The agent's name, or its id where the token may not read the name.

    Raises ConfigError; what is wrong with a token is said of `credentials_key`.
    """
    try:
        described = await get(f"/v1/bots/{bot_id}")
    except BackendUnavailable as error:
        problem = f"{base_url} does not serve ({error.reason}); see that it is right"
        raise ConfigError(
            "coze.base_url", f"{problem}, and set coze.proxy if you need one"
        ) from error
    except BackendRejected as error:
        if is_auth(error.code) and await is_known(get):
            return bot_id
        if is_auth(error.code):
            raise ConfigError(credentials_key, token_advice(error, base_url)) from error
        raise advice(error, base_url, bot_id) from error
    return as_text(as_fields(described.payload).get("name")) or bot_id


async def is_known(get: Get) -> bool:
    """Whether the token is good, though it may not read the agent; coze-studio cannot tell."""
    try:
        await get("/v1/users/me")
    except (BackendUnavailable, BackendRejected):
        return False
    return True


def token_advice(error: BackendRejected, base_url: str) -> str:
    """What to do about a token that is refused; the most frequent cause is the other region."""
    return (
        f"{base_url} says {error}; use one that was made there, or set coze.base_url to where it "
        "was made (coze.com and coze.cn do not know each other's)"
    )


def advice(error: BackendRejected, base_url: str, bot_id: str) -> ConfigError:
    """What to change, by what Coze said."""
    said = f"{base_url} says {error}"
    if error.code == NOT_PUBLISHED:
        return ConfigError("bot_id", f"{said}; publish the agent {bot_id} to the channel API")
    if error.code in NO_SUCH_AGENT:
        return ConfigError(
            "bot_id", f"{said}; copy the number at the end of the agent's URL, from the same site"
        )
    if error.code < LOWEST_CODE:
        problem = f"{base_url} answers {error.reason}; this is not the address of a Coze API"
        return ConfigError("coze.base_url", problem)
    return ConfigError("coze", f"{said} (log id {error.log_id})")
