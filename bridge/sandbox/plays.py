"""What the emulated agent can be asked to do next, by the names the page shows."""

from collections.abc import Callable, Mapping

from bridge.coze.emulator import Asked, Play, faults
from bridge.coze.emulator.seeds import seed_play

SHOWCASE = """## 一个小小的示例

Here is **bold**, *italic*, ~~struck~~ and `inline code`, and 中文 beside English. 🎉

1. First, a list
2. with numbers
   - and points inside

```python
def greet(name: str) -> str:
    return f"你好，{name}!"
```

> A quotation, and a [link](https://www.coze.com/docs).

| Dish | 价格 |
|------|-----:|
| 面条 | 18 |
| Tea | 5 |
"""


def long_answer() -> str:
    """Over 12,000 characters: prose, code, Chinese, emoji."""
    parts = []
    for number in range(1, 41):
        words = (
            f"This is paragraph {number} of a long answer, 第{number}段。它有中文、emoji 👩‍👩‍👧 🇨🇳 "
            "和 **bold words**, and it goes on for a while. "
        )
        code = f"for step in range({number}):\n    print('步骤', step)"
        parts.append(f"### Part {number}\n\n{words * 3}\n\n```python\n{code}\n```\n")
    return "\n".join(parts)


def always(play: Play) -> Callable[[Asked], Play]:
    """The same, whatever is asked."""
    return lambda _asked: play


USUAL = "The usual example"

PLAYS: Mapping[str, Callable[[Asked], Play]] = {
    USUAL: seed_play,
    "Everything Markdown can": always(Play(answers=(SHOWCASE,), cut=6, pace=0.08)),
    "A very long answer": always(Play(answers=(long_answer(),), cut=40, pace=0.04)),
    "Two answers": always(Play(answers=("First thing.", "And a second one."), cut=3, pace=0.2)),
    "The stream breaks off": always(Play(fault=faults.ends(after=7))),
    "Credits are used up": always(Play(fault=faults.failed(4028, "credits exhausted"))),
    "Coze is overloaded": always(Play(fault=faults.http_error(504))),
}


class NextPlay:
    """What the agent does with the next question: the play of that name, then the usual again."""

    def __init__(self) -> None:
        self.name = USUAL

    def __call__(self, asked: Asked) -> Play:
        """Take the play of this chat."""
        name, self.name = self.name, USUAL
        return PLAYS[name](asked)
