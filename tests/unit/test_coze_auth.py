"""Tokens: one that is given, and those of a service identity, kept fresh."""

import asyncio
from dataclasses import dataclass

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bridge.coze.auth import ENDPOINT, FixedToken, ServiceToken
from bridge.coze.client import CozeClient
from bridge.coze.emulator import CozeEmulator, End, OAuthApp, Reply, faults
from bridge.coze.settings import CozeSettings, Patience, ServiceIdentity
from bridge.errors import BackendRejected, BackendUnavailable, ConfigError
from bridge.model import ChatCompleted, CozeUserId, Question, Session, Text, TurnId

BOT = "7379462189365198898"
DAY = 86_399


@dataclass
class TestClock:
    """A clock that is set by hand."""

    __test__ = False
    time: float = 1_700_000_000.0

    def now(self):
        return self.time

    def monotonic(self):
        return self.time


@pytest.fixture(scope="session")
def pair():
    """A private and a public key, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


@pytest.fixture
def clock():
    return TestClock()


@pytest.fixture
def identity(pair):
    return ServiceIdentity("app", "kid", pair[0])


@pytest.fixture
def coze(pair, clock):
    return CozeEmulator("pat", BOT, clock=clock, oauth=OAuthApp("app", "kid", pair[1]))


@pytest.fixture
async def url(coze):
    async with coze.open() as base:
        yield base


@pytest.fixture
async def tokens(identity, url, clock):
    async with httpx.AsyncClient() as http:
        yield ServiceToken(identity, http, url, clock)


def exchanges(coze):
    return [request for request in coze.requests if request.path == ENDPOINT]


async def test_fixed():
    """A given token is the token; there is no other."""
    tokens = FixedToken("pat")

    assert ("pat", "pat") == (await tokens.token(), await tokens.renewed("pat"))


async def test_assertion(tokens, coze, url, clock):
    """The signed request says who asks whom, for ten minutes, and never twice the same."""
    await tokens.renewed(await tokens.token())
    signed = [request.headers["Authorization"].split()[1] for request in exchanges(coze)]
    claims = [jwt.decode(one, options={"verify_signature": False}) for one in signed]

    assert {"alg": "RS256", "typ": "JWT", "kid": "kid"} == jwt.get_unverified_header(signed[0])
    assert {"iss": "app", "aud": url.removeprefix("http://")} == {
        key: claims[0][key] for key in ("iss", "aud")
    }
    assert (clock.time, 600) == (claims[0]["iat"], claims[0]["exp"] - claims[0]["iat"])
    assert 2 == len({one["jti"] for one in claims if len(one["jti"]) > 32})
    assert DAY == exchanges(coze)[0].body["duration_seconds"]


async def test_refresh(tokens, coze, clock):
    """A token is used for four fifths of its life."""
    first = await tokens.token()
    clock.time += 0.79 * DAY
    assert first == await tokens.token()
    clock.time += 0.02 * DAY
    second = await tokens.token()

    assert first != second
    assert 2 == len(exchanges(coze))


async def test_one_at_a_time(tokens, coze):
    """Whoever asks at the same time gets the same token, of one exchange."""
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(tokens.token()) for _ in range(20)]

    assert 1 == len({task.result() for task in asking})
    assert 1 == len(exchanges(coze))


async def test_refused(tokens, coze):
    """A refused token is replaced once, however many report it."""
    first = await tokens.token()
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(tokens.renewed(first)) for _ in range(20)]
    (second,) = {task.result() for task in asking}

    assert first != second
    assert 2 == len(exchanges(coze))


@pytest.mark.parametrize(
    "trouble",
    [
        End("reset"),
        Reply(504, "text/html", "<html>"),
        Reply(500, body='{"error_code":"internal_error","error_message":"x"}'),
        Reply(200, body="{}"),
        Reply(200, body='{"access_token":"czs_x"}'),
    ],
)
async def test_trouble(tokens, coze, clock, trouble):
    """While Coze gives no new token, the old one serves to its end, and no longer."""
    first = await tokens.token()
    coze.fail(ENDPOINT, trouble, times=2)
    clock.time += 0.9 * DAY
    assert first == await tokens.token()
    clock.time += DAY
    with pytest.raises(BackendUnavailable):
        await tokens.token()

    assert first != await tokens.token()


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Reply(400, body='{"error_code":"invalid_client","error_message":"no"}'), 401),
        (Reply(200, body='{"code":4100,"msg":"no"}'), 4100),
    ],
)
async def test_refused_identity(tokens, coze, refusal, code):
    """An identity that Coze does not know is a refusal, with a code that means the token."""
    coze.fail(ENDPOINT, refusal)
    with pytest.raises(BackendRejected) as caught:
        await tokens.token()

    assert code == caught.value.code
    assert "no token" in caught.value.reason


@pytest.mark.parametrize("key", ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END"])
async def test_no_key(key, clock):
    """A private key that is none is an error of the configuration that does not show it."""
    async with httpx.AsyncClient() as http:
        with pytest.raises(ConfigError) as caught:
            ServiceToken(ServiceIdentity("app", "kid", key), http, "http://x", clock)

    assert "coze.oauth.private_key" == caught.value.key
    assert not key or key not in str(caught.value)


async def test_public_key_for_a_private_one(pair, clock):
    """A public key cannot sign, and that is told before anything is asked."""
    async with httpx.AsyncClient() as http:
        with pytest.raises(ConfigError):
            ServiceToken(ServiceIdentity("app", "kid", pair[1]), http, "http://x", clock)


@pytest.mark.parametrize("code", [4100, 4101, 700012006])
@pytest.mark.parametrize("status", [200, 401])
async def test_client_renews(identity, coze, url, clock, code, status):
    """A chat whose token is refused is asked again with a fresh one, once."""
    settings = CozeSettings(
        bot_id=BOT, credentials=identity, base_url=url, patience=Patience(backoff=0.01)
    )
    question = Question(TurnId("t"), Session(CozeUserId("u")), (Text("hi"),))
    coze.fail("/v3/chat", faults.refusal(code, status=status))
    async with CozeClient(settings, clock) as client:
        async with client.ask(question) as events:
            ending = [event async for event in events][-1]

        assert ChatCompleted(614, 19) == ending
        assert 2 == len(exchanges(coze))

        coze.fail("/v3/chat", faults.refusal(code, status=status), times=9)
        with pytest.raises(BackendRejected):
            async with client.ask(question):
                pass

        assert 3 == len(exchanges(coze))
