"""Coze, emulated: an account that answers from plays and is as strict as the real one."""

from bridge.coze.emulator import faults
from bridge.coze.emulator.asked import Asked
from bridge.coze.emulator.emulator import CozeEmulator
from bridge.coze.emulator.play import Answer, Fault, Play, Reply, Tool
from bridge.coze.emulator.record import Download, Request
from bridge.coze.emulator.state import Chat, Conversation, Message, Upload
from bridge.coze.emulator.steps import End
from bridge.coze.emulator.tokens import OAuthApp

__all__ = [
    "Answer",
    "Asked",
    "Chat",
    "Conversation",
    "CozeEmulator",
    "Download",
    "End",
    "Fault",
    "Message",
    "OAuthApp",
    "Play",
    "Reply",
    "Request",
    "Tool",
    "Upload",
    "faults",
]
