"""Every known way in which Coze fails: what the person reads, and what Coze is asked.

All rows are played at once, each by a person of its own in a chat of its own.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

import pytest

from bridge.coze.emulator import Fault, Play, faults
from bridge.coze.settings import Patience
from bridge.turns.words import ENGLISH

ANSWER = "It will rain tomorrow, so take an umbrella."
NEXT = "You are welcome."
PART = ANSWER[:12]  # of three deltas
HASTE = Patience(backoff=0.05, busy=5.0, settle=0.2, recovery=20.0, silence=5.0)
AT_ONCE = 40  # conversations: more would wait for the machine rather than for Coze
BAD_REQUEST = '{"code":400,"msg":"bad request"}'
CUTS = ("clean", "cut", "reset")


@dataclass(frozen=True, slots=True)
class Row:
    """A failure: the faults of the first attempts, and all that may come of them."""

    name: str
    expected: str  # all that the person reads
    faults: tuple[Fault, ...]
    is_lasting: bool = False  # the last fault meets every further attempt, too
    chats: int = 1  # that Coze begins for the question
    asked: int = 1  # requests that ask the question


def refused(name, sentence, fault, *, asked=1):
    """Coze says no, however often it is asked, and begins nothing."""
    return Row(name, sentence, (fault,), is_lasting=True, chats=0, asked=asked)


def overcome(name, *harms, asked=1):
    """The person gets the whole answer, as if nothing had happened."""
    return Row(name, ANSWER, harms, asked=asked)


def broken(name, sentence, fault, part=""):
    """The chat has begun and fails: what was written stays, with one sentence below."""
    return Row(name, f"{part}\n\n{sentence}" if part else sentence, (fault,))


def both(first, second):
    """A fault of the run that the wire hides."""
    return Fault(run=first.run, wire=second.wire)


W = ENGLISH
CODES = {
    4000: W.refused,
    4001: W.failed,
    4002: W.refused,
    4003: W.refused,
    4004: W.refused,
    4005: W.refused,
    4006: W.misconfigured,
    4007: W.failed,
    4008: W.slow_down,
    4009: W.slow_down,
    4010: W.too_long,
    4011: W.used_up,
    4012: W.misconfigured,
    4013: W.slow_down,
    4014: W.empty,
    4015: W.misconfigured,
    4016: W.occupied,
    4019: W.used_up,
    4020: W.slow_down,
    4021: W.misconfigured,
    4022: W.used_up,
    4027: W.used_up,
    4028: W.used_up,
    4033: W.failed,
    4100: W.misconfigured,
    4101: W.misconfigured,
    4102: W.slow_down,
    4105: W.sensitive,
    4200: W.misconfigured,
    4302: W.too_large,
    4303: W.file_refused,
    4304: W.file_refused,
    5000: W.unavailable,
    6006: W.failed,
    103000001: W.failed,
    103200002: W.failed,
    700012006: W.misconfigured,
    720702204: W.failed,
    788788103: W.used_up,
}
REPEATED = {4002: 2, 4009: 3, 4013: 3, 4020: 3, 5000: 3}  # requests, where there is more than one
SHAPES = {
    "JSON": faults.json_error,
    "JSON of a gateway": lambda code: faults.json_error(code, status=401),
    "JSON called a stream": faults.mislabelled_json,
    "error event": faults.error_event,
}
NAMED = (4002, 4028, 4100, 5000)  # in every shape

ROWS = (
    *(
        refused(f"{code}", sentence, faults.json_error(code), asked=REPEATED.get(code, 1))
        for code, sentence in CODES.items()
        if code != 4016
    ),
    *(
        refused(f"{code} as {shape}", CODES[code], make(code), asked=REPEATED.get(code, 1))
        for code in NAMED
        for shape, make in SHAPES.items()
        if shape != "JSON"
    ),
    *(
        overcome(f"{code} once, as {shape}", make(code), asked=2)
        for code in (4002, 4009, 4013, 4016, 4020, 5000)
        for shape, make in SHAPES.items()
    ),
    # --- the run fails
    *(
        broken(
            f"chat failed with {code}, as {shape}", CODES[code], faults.failed(code, shape=shape)
        )
        for code in (4002, 4016, 4028, 4100, 5000)
        for shape in ("chat", "bare", "text")
    ),
    broken("chat failed midway", W.used_up, faults.failed(4028, after=3), PART),
    broken("error event midway", W.failed, faults.error_midway(), ANSWER[:4]),
    broken("cancelled at Coze", W.stopped, faults.cancelled()),
    broken("cancelled at Coze midway", W.stopped, faults.cancelled(after=3), PART),
    broken("local plugins wanted", W.action, faults.tools_required()),
    overcome("a question at the end", faults.reply_required()),
    # --- gateways and self-hosted servers
    overcome("502 once", faults.http_error(502), asked=2),
    overcome("503 once", faults.http_error(503), asked=2),
    overcome("504 once", faults.http_error(504), asked=2),
    overcome("429 once", faults.http_error(429), asked=2),
    overcome("500 in plain text once", faults.http_error(500, "oops", "text/plain"), asked=2),
    overcome("504 after the start", faults.http_error(504, is_started=True)),
    overcome("500 after the start", faults.http_error(500, "", "text/plain", is_started=True)),
    refused("504", W.unavailable, faults.http_error(504), asked=3),
    refused("500 in plain text", W.unavailable, faults.http_error(500, "", "text/plain"), asked=3),
    refused("400 in JSON", W.failed, faults.http_error(400, BAD_REQUEST, "application/json")),
    refused("404 in HTML", W.failed, faults.http_error(404)),
    # --- nothing, or not all
    overcome("error event without a code", faults.error_event(None), asked=2),
    overcome("empty stream", faults.empty_stream(is_started=False), asked=2),
    overcome("empty stream of a chat", faults.empty_stream()),
    overcome("reset before the start", faults.reset(is_started=False), asked=2),
    overcome("reset after the start", faults.reset(is_started=True)),
    refused("resets", W.unavailable, faults.reset(is_started=False), asked=3),
    overcome("no response", faults.unanswered(8.0, is_started=False), asked=2),
    overcome("no response to a chat", faults.unanswered(8.0, is_started=True)),
    overcome("silence after the headers", faults.hangs(8.0, after=0)),
    overcome("silence after created", faults.hangs(8.0, after=1)),
    overcome("silence midway", faults.hangs(8.0, after=5)),
    overcome("a pause", faults.hangs(0.2, after=3)),
    *(overcome(f"{how} before created", faults.ends(0, how)) for how in CUTS),
    *(overcome(f"{how} after created", faults.ends(1, how)) for how in CUTS),
    *(overcome(f"{how} after two deltas", faults.ends(4, how)) for how in CUTS),
    *(overcome(f"{how} inside a delta", faults.ends_midway(2, how)) for how in CUTS),
    *(
        broken(
            f"{how}, and the chat failed", W.used_up, both(faults.failed(4028), faults.ends(1, how))
        )
        for how in CUTS
    ),
    # --- odd, but whole
    overcome("answers completed twice", faults.answers_completed_twice()),
    overcome("events of other kinds", faults.noticed("conversation.audio.delta", "{}", 2)),
    overcome("pings", faults.noticed("PING", "", 2)),
    overcome("comments between events", faults.interspersed(b": ping\n\nid: 7\nretry: 9\n")),
    overcome("CRLF", faults.rewritten(b"\n", b"\r\n")),
    overcome("byte by byte", faults.dribbled()),
    overcome("done without a stop", faults.done_as(data=None)),
    overcome("done in JSON", faults.done_as("done", '"[DONE]"')),
)


async def played(stage, platform):
    """Play all rows beside one another: all texts, the chats begun, and the requests made."""
    left = {row.name: list(row.faults) for row in ROWS}
    lasting = {row.name: row.faults[-1] for row in ROWS if row.is_lasting}

    def play_for(asked):
        if asked.text not in left:
            return Play(answers=(NEXT,))
        waiting = left[asked.text]
        fault = waiting.pop(0) if waiting else lasting.get(asked.text)
        return Play(answers=(ANSWER,), fault=fault)

    stage.coze.otherwise(play_for)
    async with stage.open(), stage.bridge(patience=HASTE):
        talks = {row.name: stage.talk(platform) for row in ROWS}
        some = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(speak(stage, talks[row.name], row.name, some) for row in ROWS))
    began = Counter(chat.asked.text for chat in stage.coze.chats.values())
    asked = Counter(one.body["additional_messages"][0]["content"] for one in stage.asked())
    return {row.name: (talks[row.name].replies, began[row.name], asked[row.name]) for row in ROWS}


async def speak(stage, talk, question, some):
    """Ask, and say thanks after the first reply; the row shows what is missing."""
    async with some:
        with suppress(TimeoutError):
            await talk.say(question)
            await stage.until(lambda: talk.replies)
            await talk.say("Thank you!")
            await stage.until(lambda: NEXT in talk.replies)


@pytest.fixture(
    scope="module",
    # All rows of a platform are played once, so they belong to one process of the test run.
    params=[
        pytest.param(platform, marks=pytest.mark.xdist_group(f"failures of {platform}"))
        for platform in ("telegram", "discord")
    ],
)
def outcomes(request, new_stage, tmp_path_factory):
    """What became of each row on one platform."""
    stage = new_stage(tmp_path_factory.mktemp("failures"))
    return asyncio.run(played(stage, request.param))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_failure_of_coze(outcomes, row):
    """The answer or one sentence, never both; nothing hangs, and the next message is answered."""
    expected = [row.expected, NEXT], row.chats, row.asked

    assert expected == outcomes[row.name]
