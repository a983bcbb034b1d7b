"""Every sentence the bridge itself says to a person, in English and Chinese."""

from dataclasses import dataclass

from bridge.coze import errors


@dataclass(frozen=True, slots=True)
class Words:
    """One language. A sentence says what happened and what the person can do."""

    start: str
    help: str
    new: str
    nothing_to_stop: str
    stopped: str
    empty: str
    busy_mailbox: str
    unavailable: str
    refused: str
    broken_off: str
    occupied: str
    too_long: str
    sensitive: str
    slow_down: str
    used_up: str
    misconfigured: str
    action: str
    too_large: str
    file_refused: str
    file_gone: str
    nothing_readable: str
    failed: str


ENGLISH = Words(
    start="Hello! Write to me, or send me a photo, and I will answer. /help tells what I can do.",
    help=(
        "Write a message or send a photo, and I answer. In a group, mention me or reply to me.\n"
        "\n"
        "/new starts a new conversation: I forget what was said before.\n"
        "/stop stops the answer that is being written.\n"
        "/help shows this text."
    ),
    new="This is a new conversation. What was said before is forgotten.",
    nothing_to_stop="There is no answer being written right now.",
    stopped="⏹ Stopped.",
    empty="I have no answer to that. Please put it in other words.",
    busy_mailbox="Too many messages are waiting here. Please wait for my answers first.",
    unavailable="I cannot reach the agent right now. Please try again in a minute.",
    refused="The agent refused this message. Please rephrase it, or start anew with /new.",
    broken_off="My answer broke off. Please ask again.",
    occupied="I am still busy with your earlier message. Please try again in a minute.",
    too_long="This conversation has become too long for me. Start a new one with /new.",
    sensitive="I cannot talk about this. Please ask something else.",
    slow_down="I am being asked too much at the moment. Please try again in a few minutes.",
    used_up="My allowance is used up. Please tell whoever runs this bot.",
    misconfigured="I am not set up correctly. Please tell whoever runs this bot.",
    action="The agent wants to use a tool that does not exist here. Please ask in another way.",
    too_large="This file is too large for me. Please send a smaller one.",
    file_refused="I cannot read this kind of file. Please send a photo or another format.",
    file_gone="I could not fetch your file. Please send it again.",
    nothing_readable="I cannot do anything with this kind of message. Please send text or a photo.",
    failed="Something went wrong on my side, and I could not answer. Please ask again.",
)

CHINESE = Words(
    start="你好！直接发消息或图片给我，我就会回答。发送 /help 查看我能做什么。",
    help=(
        "发消息或图片，我会在这里回答。在群里请 @ 我或回复我的消息。\n"
        "\n"
        "/new 开始新的对话，忘记之前的内容。\n"
        "/stop 停止正在写的回答。\n"
        "/help 显示这段说明。"
    ),
    new="已开始新的对话，之前的内容已忘记。",
    nothing_to_stop="现在没有正在写的回答。",
    stopped="⏹ 已停止。",
    empty="这个问题我没有得到回答，请换一种说法再试。",
    busy_mailbox="这里等待处理的消息太多了，请等我回答完再发。",
    unavailable="我暂时连不上智能体，请过一分钟再试。",
    refused="智能体拒绝了这条消息，请换一种说法，或用 /new 重新开始。",
    broken_off="回答中断了，请再问一次。",
    occupied="我还在处理你之前的消息，请过一分钟再试。",
    too_long="这个对话太长了，请用 /new 开始新的对话。",
    sensitive="这个话题我不能谈，请问点别的。",
    slow_down="现在提问太多了，请过几分钟再试。",
    used_up="额度已用完，请告诉机器人的管理者。",
    misconfigured="机器人的设置有误，请告诉机器人的管理者。",
    action="智能体想使用这里没有的工具，请换一种方式提问。",
    too_large="这个文件太大了，请发一个小一点的。",
    file_refused="我读不了这种文件，请发图片或其他格式。",
    file_gone="没能取到你的文件，请再发一次。",
    nothing_readable="这种消息我处理不了，请发文字或图片。",
    failed="我这边出了点问题，没能回答，请再问一次。",
)


def words_for(locale: str | None) -> Words:
    """The language of a person, by the tag the platform tells; English where it tells none."""
    return CHINESE if (locale or "").lower().startswith("zh") else ENGLISH


def on_code(words: Words, code: int) -> str:
    """What a person is told of a Coze error; the operator finds the code in the log.

    https://www.coze.com/docs/developer_guides/coze_error_codes
    """
    table = {
        4008: words.slow_down,
        4009: words.slow_down,
        4010: words.too_long,
        4011: words.used_up,
        4013: words.slow_down,
        4014: words.empty,
        4016: words.occupied,
        4019: words.used_up,
        4020: words.slow_down,
        4022: words.used_up,
        4027: words.used_up,
        4028: words.used_up,
        4102: words.slow_down,
        4105: words.sensitive,
        4302: words.too_large,
        4303: words.file_refused,
        4304: words.file_refused,
        788788103: words.used_up,
    }
    if code in table:
        return table[code]
    if errors.is_auth(code) or code in (4006, 4012, 4015, 4021, 4200, 103100002):
        return words.misconfigured
    if code in (4000, 4002, 4003, 4004, 4005):
        return words.refused
    return words.unavailable if errors.is_transient(code) else words.failed
