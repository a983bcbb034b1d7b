"""The editor against a strict chat: what is on the platform at the end, whatever went wrong."""

import asyncio
import functools
import inspect
import random
import selectors
from collections import defaultdict, deque
from dataclasses import dataclass, field

import pytest

from bridge.errors import (
    LeaseLost,
    MessageGone,
    NotPermitted,
    PlatformUnavailable,
    RateLimited,
    Refused,
    StoreError,
)
from bridge.model import Capabilities, Limit, MessageId, TurnId
from bridge.reply.editor import ReplyEditor
from bridge.reply.split import split

LENGTH = 200
CHAT = Limit("chat:1", 1.0, 5)
BOT = Limit("", 0.04, 30)


class SkippingSelector(selectors.DefaultSelector):
    """Never waits: time jumps to the next timer instead."""

    skipped = 0.0

    def select(self, timeout=None):
        ready = super().select(0 if timeout else timeout)
        if not ready and timeout:
            self.skipped += timeout
        return ready


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop in whose time hours pass in no time."""

    def __init__(self) -> None:
        self.jumps = SkippingSelector()
        super().__init__(self.jumps)

    def time(self) -> float:
        return super().time() + self.jumps.skipped


class LoopClock:
    """The loop's time."""

    def now(self) -> float:
        return 1_700_000_000 + self.monotonic()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def timeless(test):
    """Run an asynchronous test in skipping time."""

    @functools.wraps(test)
    def run(*arguments, **named):
        with asyncio.Runner(loop_factory=SkippingLoop) as runner:
            runner.run(test(*arguments, **named))

    run.__signature__ = inspect.signature(test)
    del run.__wrapped__
    return run


@dataclass
class Ambiguous:
    """The call is carried out, its answer is lost."""


@dataclass
class Chat:
    """A surface with Discord's strictness: lengths, floods, nonces, one call at a time."""

    messages: dict[MessageId, str] = field(default_factory=dict)
    nonces: dict[str, MessageId] = field(default_factory=dict)
    faults: dict[str, deque] = field(default_factory=lambda: defaultdict(deque))
    calls: list[tuple[float, str, str]] = field(default_factory=list)
    latency: float = 0.05
    dedupes: bool = True
    edit_interval: float = 1.25
    is_busy: bool = False
    times: deque = field(default_factory=lambda: deque(maxlen=8))
    minted: int = 0

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            max_length=LENGTH,
            fits=lambda chunk: len(chunk) <= LENGTH,
            edit_interval=self.edit_interval,
            typing_lasts=10.0,
            limits=(CHAT, BOT),
        )

    @property
    def shown(self) -> list[str]:
        return list(self.messages.values())

    def count(self, kind: str) -> int:
        return sum(call[1] == kind for call in self.calls)

    async def post(self, markdown: str, *, nonce: str) -> MessageId:
        assert 0 < len(nonce) <= 25
        assert nonce.isalnum()
        return await self._call("post", markdown, lambda: self._posted(markdown, nonce))

    async def edit(self, message: MessageId, markdown: str) -> None:
        await self._call("edit", markdown, lambda: self._edited(message, markdown))

    async def delete(self, message: MessageId) -> None:
        await self._call("delete", "x", lambda: self.messages.pop(message, None))

    async def typing(self) -> None:
        self.calls.append((LoopClock().monotonic(), "typing", ""))
        if self.faults["typing"]:
            raise self.faults["typing"].popleft()

    async def _call(self, kind, markdown, carry_out):
        assert not self.is_busy, "one call at a time"
        self.is_busy = True
        try:
            return await self._serve(kind, markdown, carry_out)
        finally:
            self.is_busy = False

    async def _serve(self, kind, markdown, carry_out):
        await asyncio.sleep(self.latency)
        now = LoopClock().monotonic()
        self.calls.append((now, kind, markdown))
        fault = self.faults[kind].popleft() if self.faults[kind] else None
        if isinstance(fault, Exception):
            raise fault
        if not markdown.strip() or len(markdown) > LENGTH:
            raise Refused("length")
        if len(self.times) == self.times.maxlen and now < self.times[0] + 5:
            raise RateLimited(self.times[0] + 5 - now)
        self.times.append(now)
        result = carry_out()
        if isinstance(fault, Ambiguous):
            raise PlatformUnavailable("lost", is_ambiguous=True)
        if fault == "hang":
            await asyncio.sleep(3600)
        return result

    def _posted(self, markdown, nonce):
        if self.dedupes and nonce in self.nonces:
            return self.nonces[nonce]
        self.minted += 1
        message = MessageId(f"m{self.minted}")
        self.nonces[nonce] = message
        self.messages[message] = markdown
        return message

    def _edited(self, message, markdown):
        if message not in self.messages:
            raise MessageGone("gone")
        self.messages[message] = markdown


@dataclass
class Leave:
    """Permits with a bucket for each limit, and a lease that can be taken away."""

    is_lost: bool = False
    held: dict[str, float] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    async def ask(self, limits, *, is_final):
        if self.is_lost:
            raise LeaseLost("taken over")
        now = LoopClock().monotonic()
        wait = 0.0
        for limit in limits:
            reserve = 0 if is_final else 1
            ready = self.spent[limit.scope] - (limit.burst - 1 - reserve) * limit.interval
            wait = max(wait, ready - now, self.held.get(limit.scope, 0.0) - now)
        if wait > 0:
            return wait
        for limit in limits:
            self.spent[limit.scope] = max(self.spent[limit.scope], now) + limit.interval
        return 0.0

    async def hold(self, limit, seconds):
        self.held[limit.scope] = LoopClock().monotonic() + seconds


@dataclass
class Book:
    """A journal that remembers every entry."""

    entries: list = field(default_factory=list)
    faults: deque = field(default_factory=deque)

    async def record(self, replies):
        await asyncio.sleep(0.01)
        if self.faults:
            raise self.faults.popleft()
        self.entries.append(replies)


@dataclass
class Scene:
    """A chat, its permits and its journal."""

    chat: Chat = field(default_factory=Chat)
    leave: Leave = field(default_factory=Leave)
    book: Book = field(default_factory=Book)

    def editor(self, replies=(), **more) -> ReplyEditor:
        return ReplyEditor(
            self.chat, self.leave, self.book, LoopClock(), TurnId("turn-1"), replies, **more
        )


def sentences(count: int, word: str = "Sentence") -> str:
    return " ".join(f"{word} number {n} is about right." for n in range(count))


def chunks(text: str) -> list[str]:
    return list(split(text, lambda chunk: len(chunk) <= LENGTH, LENGTH))


async def stream(editor: ReplyEditor, text: str, *, step: int = 7, every: float = 0.05) -> None:
    for end in range(step, len(text) + step, step):
        editor.show([text[:end]])
        await asyncio.sleep(every)


@timeless
async def test_a_long_answer_becomes_several_messages():
    """Over as many messages as it takes, the chat ends up with exactly the chunks, in order."""
    scene, text = Scene(), sentences(16)
    async with scene.editor() as editor:
        await stream(editor, text)
        await editor.finish([text])

    assert len(chunks(text)) >= 3
    assert chunks(text) == scene.chat.shown
    assert [tuple(scene.chat.messages)] == list(scene.book.entries[-1])


@timeless
async def test_several_answers_become_several_replies():
    """Each answer has messages of its own, and the journal tells which."""
    scene, first, second = Scene(), sentences(9, "First"), "Second."
    async with scene.editor() as editor:
        await stream(editor, first)
        editor.show([first, second])
        await asyncio.sleep(3)
        await editor.finish([first, second])

    assert [*chunks(first), second] == scene.chat.shown
    assert [len(chunks(first)), 1] == [len(reply) for reply in scene.book.entries[-1]]


@timeless
async def test_a_short_answer_is_one_call():
    """An answer that is complete at once is posted at once, and never edited."""
    scene = Scene()
    async with scene.editor() as editor:
        editor.show(["Yes."])
        await editor.finish(["Yes."])

    assert ["Yes."] == scene.chat.shown
    assert (1, 0) == (scene.chat.count("post"), scene.chat.count("edit"))


@timeless
async def test_what_was_completed_overrules_what_was_streamed():
    """A final text that is shorter and different rewrites messages and deletes the surplus."""
    scene = Scene()
    async with scene.editor() as editor:
        await stream(editor, sentences(16), every=0.2)
        await editor.finish(["Short after all."])

    assert ["Short after all."] == scene.chat.shown
    assert scene.chat.count("delete") >= 2


@timeless
async def test_nothing_is_left_of_an_answer_without_text():
    """White space is never posted, and an answer that turns out empty leaves no message."""
    scene = Scene()
    async with scene.editor() as editor:
        editor.show(["  \n"])
        await asyncio.sleep(5)
        editor.show(["Something of some length that is worth a notification."])
        await asyncio.sleep(5)
        await editor.finish(["\n"])

    assert [] == scene.chat.shown


@timeless
async def test_a_429_is_waited_out():
    """Silence for as long as the platform asks, in the middle and at the end; nothing is lost."""
    scene, text = Scene(), sentences(16)
    scene.chat.faults["edit"] += [None, RateLimited(7.0)]
    async with scene.editor() as editor:
        await stream(editor, text, every=0.15)
        scene.chat.faults["edit"].append(RateLimited(40.0))
        scene.chat.faults["post"] += [RateLimited(11.0, is_global=True)]
        await editor.finish([text])

    assert chunks(text) == scene.chat.shown
    assert {"chat:1", ""} == set(scene.leave.held)


@timeless
async def test_silence_is_kept_after_a_429():
    """Between a 429 and the end of its wait nothing is sent at all."""
    scene, text = Scene(), sentences(6)
    scene.chat.faults["post"].append(RateLimited(30.0))
    async with scene.editor() as editor:
        await editor.finish([text])
    first, second = (call[0] for call in scene.chat.calls[-len(chunks(text)) - 1 :][:2])

    assert chunks(text) == scene.chat.shown
    assert second - first >= 30.0


@timeless
async def test_an_ambiguous_post_is_repeated_under_the_same_nonce():
    """A post whose answer was lost appears once, and still ends with the final text."""
    scene, text = Scene(), sentences(5)
    scene.chat.faults["post"].append(Ambiguous())
    async with scene.editor() as editor:
        await stream(editor, text)
        await editor.finish([text])

    assert chunks(text) == scene.chat.shown


@timeless
async def test_a_call_without_answer_is_given_up_and_repeated():
    """A platform that hangs counts as unavailable; the final text arrives all the same."""
    scene, text = Scene(), sentences(5)
    scene.chat.faults["post"].append("hang")
    scene.chat.faults["edit"].append("hang")
    async with scene.editor() as editor:
        await editor.finish([text])

    assert chunks(text) == scene.chat.shown


@timeless
async def test_an_ambiguous_edit_is_not_trusted():
    """After an edit that may have been carried out, the final text is written even if it is old."""
    scene, text = Scene(), "A first text that is long enough to be posted right away."
    async with scene.editor() as editor:
        editor.show([text])
        await asyncio.sleep(3)
        scene.chat.faults["edit"].append(Ambiguous())
        editor.show([f"{text} And then some more that is taken back in the end."])
        await asyncio.sleep(2)
        await editor.finish([text])

    assert [text] == scene.chat.shown


@timeless
async def test_a_deleted_message_is_left_alone_until_the_end():
    """Previews stop for a message that a person deleted; the final text is posted anew."""
    scene, text = Scene(), sentences(4)
    async with scene.editor() as editor:
        await stream(editor, text[:80])
        await asyncio.sleep(3)
        scene.chat.messages.clear()
        await stream(editor, text)
        await asyncio.sleep(3)
        during = scene.chat.shown
        await editor.finish([text])

    assert [] == during
    assert chunks(text) == scene.chat.shown


@timeless
async def test_deleting_one_of_many_keeps_the_order():
    """When an earlier message is gone, later ones move up and the last chunk is posted anew."""
    scene, text = Scene(), sentences(16)
    async with scene.editor() as editor:
        await stream(editor, text)
        await asyncio.sleep(5)
        del scene.chat.messages[MessageId("m1")]
        await editor.finish([text.replace("Sentence", "Proposal")])

    assert chunks(text.replace("Sentence", "Proposal")) == scene.chat.shown


@timeless
async def test_a_forbidden_chat_ends_the_reply():
    """Previews stop quietly where the bot may not write; finishing says so."""
    scene = Scene()
    scene.chat.faults["post"].append(NotPermitted("blocked"))
    async with scene.editor() as editor:
        await stream(editor, sentences(5))
        with pytest.raises(NotPermitted):
            await editor.finish([sentences(5)])

    assert 1 == scene.chat.count("post")


@timeless
async def test_refused_content_is_reported():
    """A preview that the platform refuses is skipped until it changes; a final one is an error."""
    scene, text = Scene(), sentences(4)
    scene.chat.faults["post"].append(Refused("no"))
    async with scene.editor() as editor:
        editor.show([text])
        await asyncio.sleep(10)
        posts = scene.chat.count("post")
        await stream(editor, f"{text} More.", step=len(text) + 6)
        await asyncio.sleep(10)
        scene.chat.faults["edit"].append(Refused("no"))
        with pytest.raises(Refused):
            await editor.finish(["Other."])

    assert 1 == posts
    assert [*chunks(f"{text} More.")] == scene.chat.shown


@timeless
async def test_a_turn_taken_over_finishes_the_same_messages():
    """Messages of an earlier holder, whose text is unknown, are all made right; none is new."""
    scene, text = Scene(), sentences(14)
    old = chunks(sentences(14, "Stale"))
    for index, chunk in enumerate(old):
        await scene.chat.post(chunk, nonce=f"old{index}")
    async with scene.editor(replies=(tuple(scene.chat.messages),)) as editor:
        editor.show([text])
        await asyncio.sleep(3)
        await editor.finish([text])

    assert chunks(text) == scene.chat.shown
    assert len(old) == scene.chat.minted


@timeless
async def test_a_post_that_was_never_recorded_is_found_again():
    """After a crash between post and journal, the same nonce leads to the same message."""
    scene, text = Scene(), sentences(4)
    scene.book.faults.append(LeaseLost("taken over"))

    async def crash() -> None:
        async with scene.editor() as editor:
            await stream(editor, text)
            await editor.finish([text])

    with pytest.raises(LeaseLost):
        await crash()
    async with scene.editor(is_resumed=True) as editor:
        await editor.finish([text])

    assert chunks(text) == scene.chat.shown
    assert [(tuple(scene.chat.messages),)] == scene.book.entries[-1:]


@timeless
async def test_the_latest_text_wins():
    """Thousands of shows make a few writes, each of the text of its moment."""
    scene, text = Scene(), sentences(5)[:190]
    async with scene.editor() as editor:
        await stream(editor, text, step=1, every=0.04)
        await asyncio.sleep(4)
        latest = scene.chat.shown
        await editor.finish([text])

    assert [text] == latest
    assert len(scene.chat.calls) < 12


@timeless
async def test_a_stalled_stream_is_shown_as_far_as_it_came():
    """Text that came too early for a write is written although nothing follows."""
    scene = Scene()
    async with scene.editor() as editor:
        editor.show(["Short."])
        await asyncio.sleep(0.6)
        early = scene.chat.shown
        await asyncio.sleep(1.4)
        first = scene.chat.shown
        editor.show(["Short. And on."])
        await asyncio.sleep(4)
        second = scene.chat.shown
        await editor.finish(["Short. And on."])

    assert ([], ["Short."], ["Short. And on."]) == (early, first, second)


@timeless
async def test_a_cancelled_editor_finishes_its_call():
    """Cancelling in the middle of a post waits for it and records the message."""
    scene = Scene(chat=Chat(latency=2.0))

    async def answer() -> None:
        async with scene.editor() as editor:
            await editor.finish([sentences(4)])

    task = asyncio.create_task(answer())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert [(tuple(scene.chat.messages),)] == scene.book.entries
    assert 1 == len(scene.chat.messages)


@timeless
async def test_a_lost_lease_ends_the_block_at_once():
    """Whatever the block waits for, it ends with LeaseLost, and nothing more is written."""
    scene = Scene()

    async def answer() -> None:
        async with scene.editor() as editor:
            await stream(editor, sentences(3))
            scene.leave.is_lost = True
            editor.show([sentences(12)])
            await asyncio.sleep(3600)

    with pytest.raises(LeaseLost):
        await answer()
    calls = len(scene.chat.calls)
    await asyncio.sleep(60)

    assert calls == len(scene.chat.calls)


@timeless
async def test_an_error_in_the_block_comes_out_as_it_is():
    """The editor adds nothing to errors of its caller."""

    async def fail() -> None:
        async with Scene().editor():
            await asyncio.sleep(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()


@timeless
async def test_typing_is_shown_until_there_is_text():
    """Typing is repeated while nothing is posted, and stops then; its failure hurts nothing."""
    scene = Scene()
    async with scene.editor() as editor:
        await asyncio.sleep(30)
        before = scene.chat.count("typing")
        await stream(editor, sentences(4))
        await asyncio.sleep(30)
        after = scene.chat.count("typing")
        await editor.finish([sentences(4)])
    failing = Scene()
    failing.chat.faults["typing"].append(PlatformUnavailable("no"))
    async with failing.editor() as editor:
        await asyncio.sleep(30)
        await editor.finish(["Still here."])

    assert (4, 4) == (before, after)
    assert ["Still here."] == failing.chat.shown


@timeless
async def test_an_outage_is_sat_out():
    """Minutes without the platform, or without the store, only delay the final text."""
    scene, text = Scene(), sentences(9)
    scene.chat.faults["post"] += [PlatformUnavailable("down") for _ in range(12)]
    scene.book.faults += [StoreError("down") for _ in range(5)]
    async with scene.editor() as editor:
        await stream(editor, text)
        await editor.finish([text])

    assert chunks(text) == scene.chat.shown
    assert (tuple(scene.chat.messages),) == scene.book.entries[-1]


@timeless
async def test_an_outage_without_end_is_reported():
    """After a quarter of an hour of failures the caller hears of it."""
    scene = Scene()
    scene.chat.faults["post"] += [PlatformUnavailable("down") for _ in range(1000)]
    started = LoopClock().monotonic()
    async with scene.editor() as editor:
        with pytest.raises(PlatformUnavailable):
            await editor.finish(["Lost."])

    assert 800 < LoopClock().monotonic() - started < 1000


@timeless
async def test_previews_are_well_formed():
    """While it grows, an open fence is closed in what the chat shows."""
    scene, text = Scene(), "Some code to look at, long enough:\n\n```py\nprint(1)\nprint("
    async with scene.editor() as editor:
        editor.show([text])
        await asyncio.sleep(3)
        during = scene.chat.shown
        await editor.finish([f"{text}2)\n```"])

    assert [f"{text}\n```"] == during
    assert [f"{text}2)\n```"] == scene.chat.shown


@pytest.mark.parametrize("seed", range(40))
@timeless
async def test_whatever_goes_wrong_the_end_is_right(seed):
    """Under random faults of every kind the chat ends with the final chunks, once each."""
    chance, scene = random.Random(seed), Scene()
    count = chance.randrange(1, 20)
    text, draft = sentences(count), sentences(chance.randint(1, count), "Draft")
    trouble = [None, None, Ambiguous(), RateLimited(3.0), PlatformUnavailable("down"), "hang"]
    for kind in ("post", "edit", "delete"):
        scene.chat.faults[kind] += chance.choices(trouble, k=6)
    scene.chat.faults["typing"].append(RateLimited(1.0))
    scene.book.faults += [StoreError("down")] * chance.randrange(3)
    async with scene.editor() as editor:
        await stream(editor, draft, every=0.1)
        await editor.finish([text])

    assert chunks(text) == scene.chat.shown
    assert set(scene.chat.messages) <= set(scene.book.entries[-1][0])
