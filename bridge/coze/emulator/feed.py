"""What a run has said so far, for whoever listens, however late."""

from collections.abc import AsyncIterator

from bridge.coze.emulator.record import Signal
from bridge.coze.emulator.steps import Frame


class Feed:
    """The events of one stream; each listener gets them all."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._is_over = False
        self._grown = Signal()

    def say(self, event: str, data: str) -> None:
        """Add an event."""
        earlier = self._frames[-1].deltas if self._frames else 0
        deltas = earlier + (event == "conversation.message.delta")
        self._frames.append(Frame(event, data, len(self._frames) + 1, deltas))
        self._grown.fire()

    def close(self) -> None:
        """Say no more."""
        self._is_over = True
        self._grown.fire()

    async def listen(self) -> AsyncIterator[Frame]:
        """Every event from the first on, as they come, until the feed is closed."""
        position = 0
        while True:
            while position < len(self._frames):
                yield self._frames[position]
                position += 1
            if self._is_over:
                return
            await self._grown.wait()
