"""What the emulated agent can be asked to do next, by the names the page shows."""

from bridge.coze.emulator import Play, faults

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
    parts = [
        f"### Part {number}\n\nThis is paragraph {number} of a long answer, 第{number}段。"
        "它有中文、emoji 👩‍👩‍👧 🇨🇳 和 **bold words**, and it goes on for a while. "
        * 3
        + f"\n\n```python\nfor step in range({number}):\n    print('步骤', step)\n```\n"
        for number in range(1, 41)
    ]
    return "\n".join(parts)


PLAYS: dict[str, Play] = {
    "Everything Markdown can": Play(answers=(SHOWCASE,), cut=6, pace=0.08),
    "A very long answer": Play(answers=(long_answer(),), cut=40, pace=0.04),
    "Two answers": Play(answers=("First thing.", "And a second one."), cut=3, pace=0.2),
    "The stream breaks off": Play(fault=faults.ends(after=7)),
    "Credits are used up": Play(fault=faults.failed(4028, "credits exhausted")),
    "Coze is overloaded": Play(fault=faults.http_error(504)),
}
