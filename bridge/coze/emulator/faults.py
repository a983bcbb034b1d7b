"""Every way in which a chat with Coze is known to go wrong, to be put into a play.

Adding one is one function here. What breaks other endpoints is a `Reply` for `CozeEmulator.fail`.
"""

import json
from typing import Literal

from bridge.coze.emulator.play import LOG_ID, Fault, Reply
from bridge.coze.emulator.steps import (
    Completed,
    Done,
    End,
    Frame,
    Notice,
    Piece,
    Silence,
    Status,
    Steps,
    ToolCall,
    until_delta,
)

SSE = "text/event-stream"
HTML = "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>Tengine</body></html>"


# --- in place of a stream --------------------------------------------------------------------


def json_error(code: int, reason: str = "refused", *, status: int = 200) -> Fault:
    """JSON with a code: HTTP 200 as /v3/chat answers, or the 401 of the gateway."""
    return Fault(instead=refusal(code, reason, status=status))


def http_error(
    status: int, body: str = HTML, content_type: str = "text/html", *, is_started: bool = False
) -> Fault:
    """What a gateway (504, HTML) or a self-hosted server (500, text/plain) answers."""
    return Fault(instead=Reply(status, content_type, body), is_started=is_started)


def mislabelled_json(code: int, reason: str = "refused") -> Fault:
    """An error as one line of JSON that calls itself an event stream."""
    return Fault(instead=Reply(200, SSE, _error(code, reason) + "\n"))


def error_event(code: int | None = 4016, reason: str = "refused") -> Fault:
    """A stream of one `error` event; without a code its data is `{}`."""
    data = "{}" if code is None else _error(code, reason)
    return Fault(instead=Reply(200, SSE, f"event:error\ndata:{data}\n\n"))


def empty_stream(*, is_started: bool = True) -> Fault:
    """A stream that ends before its first event."""
    return Fault(instead=Reply(200, SSE), is_started=is_started)


def reset(*, is_started: bool) -> Fault:
    """The connection breaks before the first byte of the response."""
    return Fault(instead=End("reset"), is_started=is_started)


def unanswered(seconds: float, *, is_started: bool) -> Fault:
    """Not even headers for so long, then a gateway's 504."""
    return Fault(instead=Reply(504, "text/html", HTML, seconds), is_started=is_started)


def refusal(code: int, reason: str = "refused", *, status: int = 200) -> Reply:
    """Coze's JSON for an error, for any endpoint."""
    return Reply(status, "application/json", _error(code, reason))


# --- at Coze -----------------------------------------------------------------------------------


def failed(
    code: int,
    reason: str = "failed",
    *,
    after: int = 0,
    shape: Literal["chat", "bare", "text"] = "chat",
) -> Fault:
    """The run fails after so many deltas.

    The event holds the chat with its `last_error`, a bare code and msg, or those with the code as
    a string.
    """
    bare = {"code": str(code) if shape == "text" else code, "msg": reason}
    return _ending(Status("failed", code, reason, shown=None if shape == "chat" else bare), after)


def cancelled(after: int = 0) -> Fault:
    """Somebody else cancels the chat after so many deltas."""
    return _ending(Status("canceled"), after)


def error_midway(code: int = 103200002, reason: str = "Internal Server Error") -> Fault:
    """The run fails and says so by an `error` event alone."""
    shown = {"code": code, "msg": reason}
    failure = Status("failed", code, reason, shown=shown, event="error")

    def run(steps: Steps) -> Steps:
        return (*until_delta(steps, 1), failure)

    return Fault(run=run)


def tools_required(*calls: ToolCall) -> Fault:
    """The run waits for the output of local plugins, and answers once it is submitted."""
    waiting = Status("requires_action", calls=calls or (ToolCall("call_1", "get_rain", "{}"),))

    def run(steps: Steps) -> Steps:
        return (*steps[:2], waiting, Done(), Status("in_progress"), *steps[2:])

    return Fault(run=run)


def reply_required() -> Fault:
    """The run ends with a question: the person's next message goes on with it."""
    waiting = Status("requires_action", calls=(ToolCall(),))

    def run(steps: Steps) -> Steps:
        return tuple(waiting if step == Status("completed") else step for step in steps)

    return Fault(run=run)


def answers_completed_twice() -> Fault:
    """Each completed answer is sent twice, as coze-studio's workflows do."""

    def run(steps: Steps) -> Steps:
        return tuple(again for step in steps for again in (step, *_repeated(step)))

    return Fault(run=run)


def noticed(event: str, data: str, after: int = 0) -> Fault:
    """An event of another kind after so many deltas: PING, conversation.audio.delta."""

    def run(steps: Steps) -> Steps:
        head = until_delta(steps, after)
        return (*head, Notice(event, data), *steps[len(head) :])

    return Fault(run=run)


# --- on the way ----------------------------------------------------------------------------------


def ends(after: int = 1, how: Literal["clean", "cut", "reset"] = "clean") -> Fault:
    """The stream ends after so many events; 1 is `created`. The run goes on."""
    return Fault(
        wire=lambda frame: (frame.encode(),) if frame.number <= after else (End(how),),
    )


def ends_midway(deltas: int = 2, how: Literal["clean", "cut", "reset"] = "cut") -> Fault:
    """The stream ends inside the JSON of a delta. The run goes on."""

    def wire(frame: Frame) -> tuple[Piece, ...]:
        whole = frame.encode()
        if frame.event != "conversation.message.delta" or frame.deltas != deltas:
            return (whole,)
        return (whole[: len(whole) // 2], End(how))

    return Fault(wire=wire)


def hangs(seconds: float, after: int = 1) -> Fault:
    """Nothing comes for so long after so many events; 0 is after the headers. The run goes on."""
    return Fault(
        wire=lambda frame: (
            (Silence(seconds), frame.encode()) if frame.number == after + 1 else (frame.encode(),)
        ),
    )


def rewritten(old: bytes, new: bytes) -> Fault:
    """Other bytes on the wire; for other line ends, spaces after colons, raw characters."""
    return Fault(wire=lambda frame: (frame.encode().replace(old, new),))


def interspersed(lines: bytes) -> Fault:
    """Lines before each event: comments, `id:` and `retry:` fields, a PING event."""
    return Fault(wire=lambda frame: (lines + frame.encode(),))


def dribbled(size: int = 1) -> Fault:
    """The stream comes in tiny pieces that cut characters in two."""

    def wire(frame: Frame) -> tuple[Piece, ...]:
        whole = frame.encode()
        return tuple(whole[at : at + size] for at in range(0, len(whole), size))

    return Fault(wire=wire)


def done_as(event: str = "done", data: str | None = "[DONE]") -> Fault:
    """Another shape of the last event; `None` is none at all."""
    last = b"" if data is None else f"event:{event}\ndata:{data}\n\n".encode()
    return Fault(
        wire=lambda frame: (
            (last,) if frame.event in {"done", "conversation.stream.done"} else (frame.encode(),)
        ),
    )


def _error(code: int, reason: str) -> str:
    return json.dumps({"code": code, "msg": reason, "detail": {"logid": LOG_ID}})


def _ending(end: Status, after: int) -> Fault:
    return Fault(run=lambda steps: (*until_delta(steps, after), end, Done()))


def _repeated(step: object) -> Steps:
    return (step,) if isinstance(step, Completed) and step.type == "answer" else ()
