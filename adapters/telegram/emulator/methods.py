"""The table of methods; names are matched without regard to case, as the service does."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from adapters.telegram.emulator import account, editing, looking, sending
from adapters.telegram.emulator.parameters import Parameters
from adapters.telegram.emulator.world import World

Method = Callable[[World, Parameters], object]
"""Carries out a call and returns its result, or an awaitable of it; raises Refusal."""

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "getme": account.get_me,
        "logout": account.log_out,
        "close": account.log_out,
        "getupdates": account.get_updates,
        "setwebhook": account.set_webhook,
        "deletewebhook": account.delete_webhook,
        "getwebhookinfo": account.get_webhook_info,
        "setmycommands": account.set_my_commands,
        "getmycommands": account.get_my_commands,
        "deletemycommands": account.delete_my_commands,
        "setmyname": partial(account.set_words, name="name", most=64),
        "getmyname": partial(account.get_words, name="name"),
        "setmydescription": partial(account.set_words, name="description", most=512),
        "getmydescription": partial(account.get_words, name="description"),
        "setmyshortdescription": partial(account.set_words, name="short_description", most=120),
        "getmyshortdescription": partial(account.get_words, name="short_description"),
        "sendmessage": sending.send_message,
        "sendphoto": sending.send_photo,
        "senddocument": sending.send_document,
        "sendmediagroup": sending.send_media_group,
        "sendchataction": sending.send_chat_action,
        "sendmessagedraft": sending.send_message_draft,
        "editmessagetext": editing.edit_message_text,
        "editmessagecaption": editing.edit_message_caption,
        "editmessagereplymarkup": editing.edit_message_reply_markup,
        "deletemessage": editing.delete_message,
        "deletemessages": editing.delete_messages,
        "answercallbackquery": editing.answer_callback_query,
        "getfile": looking.get_file,
        "getchat": looking.get_chat,
        "getchatmember": looking.get_chat_member,
        "getchatadministrators": looking.get_chat_administrators,
        "getchatmembercount": looking.get_chat_member_count,
        "leavechat": looking.leave_chat,
    }
)
