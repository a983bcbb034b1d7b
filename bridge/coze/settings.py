"""What is configured for one agent, and the requests that follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.coze.request import TURN, ChatRequest, ShortcutCommand, meta_data_problem, question_of
from bridge.errors import ConfigError
from bridge.model import Question


@dataclass(frozen=True, slots=True)
class ServiceIdentity:
    """An OAuth application of the type JWT, https://www.coze.com/docs/developer_guides/oauth_jwt."""

    app_id: str
    key_id: str  # the public key's fingerprint
    private_key: str  # PEM


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long and how often what may still succeed is tried, in seconds."""

    attempts: int = 3  # of one request
    backoff: float = 0.5  # before the second attempt; doubled after, and jittered
    busy: float = 60.0  # for another chat in the conversation to end
    settle: float = 5.0  # until a question of unknown fate must be in the list of messages
    poll: float = 1.0  # between two looks at a chat: Coze allows no more
    recovery: float = 900.0  # for a chat whose stream was lost
    silence: float = 240.0  # between two bytes of a stream: a tool may take long
    linger: float = 1.0  # for the end of a stream that has told all, to use its connection again


@dataclass(frozen=True, slots=True, kw_only=True)
class CozeSettings:
    """One agent: where it is, who asks, and what goes along with each question.

    ConfigError where Coze would refuse every question.
    """

    bot_id: str
    credentials: str | ServiceIdentity = field(repr=False)  # a string is the token itself
    base_url: str = "https://api.coze.com"
    proxy: str = ""
    custom_variables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    extra_params: Mapping[str, str] = field(default_factory=dict)
    meta_data: Mapping[str, str] = field(default_factory=dict)
    shortcut_command: ShortcutCommand | None = None
    auto_save_history: bool = True
    enable_card: bool | None = None
    connector_id: str = ""
    bot_version: str = ""
    publish_status: str = ""
    patience: Patience = Patience()

    def __post_init__(self) -> None:
        """Check what can be checked."""
        # The turn's id takes one of the pairs.
        if problem := meta_data_problem({**self.meta_data, TURN: "-"}):
            raise ConfigError("coze.meta_data", f"{problem}, {TURN} among them")
        if self.bot_version and self.publish_status == "unpublished_draft":
            raise ConfigError("coze.bot_version", "a draft has no version: leave one of them out")


def request_for(settings: CozeSettings, question: Question, *, stream: bool = True) -> ChatRequest:
    """The request that asks a question; BackendRejected where Coze would refuse it."""
    return ChatRequest(
        bot_id=settings.bot_id,
        user_id=question.session.user_id,
        stream=stream,
        conversation_id=question.session.conversation_id,
        additional_messages=question_of(question.contents, question.turn),
        custom_variables=settings.custom_variables,
        auto_save_history=settings.auto_save_history,
        meta_data={**settings.meta_data, TURN: question.turn},
        extra_params=settings.extra_params,
        shortcut_command=settings.shortcut_command,
        parameters=settings.parameters,
        publish_status=settings.publish_status,
        bot_version=settings.bot_version,
        connector_id=settings.connector_id,
        enable_card=settings.enable_card,
    )
