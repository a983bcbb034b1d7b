"""What a code of Coze's means for whoever might ask again."""

import pytest

from bridge.coze.errors import has_ended, is_auth, is_busy, is_gone, is_transient

OFFICIAL = (
    *(0, 4000, 4001, 4002, 4003, 4004, 4005, 4006, 4007, 4008, 4009, 4010, 4011, 4012, 4013),
    *(4014, 4015, 4016, 4019, 4020, 4021, 4022, 4027, 4028, 4033, 4100, 4101, 4102, 4104, 4105),
    *(4200, 4201, 4300, 4301, 4302, 4303, 4304, 4314, 4315, 5000, 6006, 700012006, 720702204),
    *(788788103, 103000000, 103000001, 103000002, 103100002, 103200002, 103200003, 103200005),
)


def where(predicate):
    return {code for code in OFFICIAL if predicate(code)}


def test_tables():
    """Of all known codes, exactly these mean a token, trouble, a wait, a loss, an end."""
    assert {4100, 4101, 700012006} == where(is_auth)
    assert {4009, 4013, 4020, 5000} == where(is_transient)
    assert {4016} == where(is_busy)
    assert {4002, 103000002} == where(is_gone)
    assert {4104, 103200005} == where(has_ended)


def test_http():
    """A bare HTTP status is understood, too."""
    assert is_auth(401)
    assert {429, 503} == {code for code in (400, 404, 413, 429, 503) if is_transient(code)}


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (4200, "Requested resource conversation_id=1 does not exist", True),
        (4200, "Requested resource bot_id=1 does not exist", False),
        (4101, "no permission for this Conversation", True),
        (4101, "The token you entered is incorrect", False),
        (103000001, "unauthorized access : user not match", True),
        (103000001, "unauthorized access : agent not match", False),
        (4000, "conversation", False),
    ],
)
def test_gone_by_its_sentence(code, reason, expected):
    """Codes with several meanings tell of a lost conversation only where their sentence does."""
    assert expected is is_gone(code, reason)
