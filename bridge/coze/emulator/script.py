"""Writes a play out as the steps of its run."""

import json
from collections.abc import Iterator

from bridge.coze.emulator.play import Answer, Play, Tool
from bridge.coze.emulator.steps import Completed, Delta, Done, Status, Step, Steps

OPENING = (Status("created"), Status("in_progress"))


def steps_of(play: Play) -> Steps:
    """Everything that happens in the run, the fault included."""
    steps = (*OPENING, *_middle(play), Status("completed"), Done())
    return play.fault.run(steps) if play.fault else steps


def refused(code: int, reason: str) -> Steps:
    """What follows the opening when Coze cannot use what it was given."""
    return (Status("failed", code, reason), Done())


def _middle(play: Play) -> Iterator[Step]:
    number = 0
    for tool in play.tools:
        yield from _use(tool, number)
        number += 2
    for text in play.reasoning:
        # Reasoning travels under the id of the first answer.
        yield Delta(number, reasoning=text)
    for position, answer in enumerate(play.answers):
        reasoning = "" if position else "".join(play.reasoning)
        yield from _say(answer, play.cut, number, reasoning)
        number += 1
    finish = {"msg_type": "generate_answer_finish", "data": "", "from_module": None}
    yield Completed(number, "verbose", _json({**finish, "from_unit": None}))
    for text in play.follow_ups:
        number += 1
        yield Completed(number, "follow_up", text)


def _use(tool: Tool, number: int) -> Iterator[Step]:
    call = {
        "name": tool.name,
        "arguments": json.loads(tool.arguments),
        "plugin_id": 7379227414322217010,
        "api_id": 7379227414322233394,
        "plugin_type": 1,
        "thought": tool.thought,
    }
    response = {"content_type": 1, "response_for_model": tool.response, "type_for_model": 1}
    yield Completed(number, "function_call", _json(call))
    yield Completed(number + 1, "tool_response", _json(response))


def _say(answer: Answer | str, cut: int, number: int, reasoning: str) -> Iterator[Step]:
    if isinstance(answer, str):
        answer = Answer(answer)
    deltas = answer.deltas
    if deltas is None:
        deltas = tuple(answer.text[at : at + cut] for at in range(0, len(answer.text), cut))
    for text in deltas:
        yield Delta(number, text)
    content = answer.text if answer.completed is None else answer.completed
    yield Completed(number, "answer", content, answer.content_type, reasoning)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
