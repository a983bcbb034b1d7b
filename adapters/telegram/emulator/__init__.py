"""A stand-in for Telegram that is as strict as the service."""

from adapters.telegram.emulator.api import Call
from adapters.telegram.emulator.emulator import TelegramEmulator
from adapters.telegram.emulator.flood import FloodRules
from adapters.telegram.emulator.post import Entity, Person, Post

__all__ = ["Call", "Entity", "FloodRules", "Person", "Post", "TelegramEmulator"]
