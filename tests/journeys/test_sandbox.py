"""The sandbox as a person sees it: its page in a real browser, its world in this process."""

import asyncio
import base64
import contextlib
import io
import json
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE

import httpx
import pytest
from PIL import Image
from playwright.async_api import async_playwright, expect

from bridge.coze.emulator import CozeEmulator, Play
from bridge.sandbox.page import Page
from bridge.sandbox.world import BOT_ID, TOKEN, world
from bridge.serving import serving

PLATFORMS = ("telegram", "discord")
WEDNESDAY = "2024 年 10 月 1 日是星期三。"
PATIENCE = 30_000  # milliseconds that anything awaited in the browser may take

BROWSERS = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

# Every text that the newest reply of each pane has shown, in order.
WATCH = """() => {
  window.shown = {};
  for (const section of document.querySelectorAll("section[data-platform]")) {
    const texts = window.shown[section.dataset.platform] = [];
    new MutationObserver(() => {
      const text = [...section.querySelectorAll(".bot .body")].at(-1)?.textContent;
      if (text && texts.at(-1) !== text) texts.push(text);
    }).observe(section, { subtree: true, childList: true, characterData: true });
  }
}"""

DROP = """(section, content) => {
  const bytes = Uint8Array.from(atob(content), character => character.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], "photo.png", { type: "image/png" }));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    section.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer }));
  }
}"""


class Pane:
    """One chat on the page."""

    def __init__(self, page, platform):
        self.section = page.locator(f"section[data-platform={platform}]")
        self.field = self.section.locator("textarea")
        self.reply = self.section.locator(".bot").last
        self.text = self.reply.locator(".body")

    async def write(self, text):
        await self.field.fill(text)
        await self.field.press("Enter")

    async def drop(self, content):
        await self.section.evaluate(DROP, base64.b64encode(content).decode())

    async def choose(self, content):
        async with self.section.page.expect_file_chooser() as chooser:
            await self.section.get_by_label("Send a photo").click()
        file = {"name": "photo.png", "mimeType": "image/png", "buffer": content}
        await (await chooser.value).set_files(file)

    async def answers(self, text):
        """Wait until the newest reply is this."""
        await expect(self.text).to_have_text(text, timeout=PATIENCE)


@contextlib.asynccontextmanager
async def sandbox(home, agent=None):
    """The whole sandbox; yields its world and its address."""
    async with (
        world(home, agent) as surroundings,
        serving(Page(surroundings).application(), "127.0.0.1:0") as url,
    ):
        yield surroundings, url


@pytest.fixture
async def browser():
    """A headless Chromium of this machine."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def opened(tmp_path, browser):
    """The sandbox's world, and its page."""
    async with sandbox(tmp_path) as (surroundings, url):
        page = await browser.new_page()
        await page.goto(url)
        await expect(page.locator("#link")).to_have_text("connected")
        yield surroundings, page
        await page.close()


def photo(color):
    """A small picture."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(file, "PNG")
    return file.getvalue()


async def test_text_is_answered_before_ones_eyes(opened):
    """In each pane a text's answer is edited three times or more, and ends as Coze completed it."""
    _, page = opened
    await page.evaluate(WATCH)
    panes = [Pane(page, platform) for platform in PLATFORMS]
    for pane in panes:
        await pane.write("2024年10月1日是星期几")
    for pane in panes:
        await pane.answers(WEDNESDAY)
    shown = await page.evaluate("window.shown")
    edits = [int(await pane.reply.get_attribute("data-edits")) for pane in panes]

    assert [WEDNESDAY] * 2 == [await pane.text.text_content() for pane in panes]
    assert min(edits) >= 3
    assert min(len(shown[platform]) for platform in PLATFORMS) >= 1 + 3


async def test_photo_reaches_coze(opened):
    """A photo, dropped or chosen, is an image part whose file_url gives Coze the same bytes."""
    surroundings, page = opened
    surroundings.coze.play(Play(pace=0.0), Play(pace=0.0))
    telegram, discord = (Pane(page, platform) for platform in PLATFORMS)
    photos = [photo("teal"), photo("orange")]
    await telegram.drop(photos[0])
    await telegram.write("帮我看看这张图片里都有什么")
    await telegram.answers(WEDNESDAY)
    await discord.choose(photos[1])
    await discord.write("")
    await discord.answers(WEDNESDAY)
    proofs = page.locator("#requests .fetched")
    await expect(proofs).to_have_count(2)
    asked = [one.body for one in surroundings.coze.requests if one.path == "/v3/chat"]
    parts = [json.loads(body["additional_messages"][0]["content"])[0] for body in asked]
    downloads = surroundings.coze.downloads

    assert photos == [download.content for download in downloads]
    assert [{"type": "image", "file_url": one.url} for one in downloads] == parts
    assert parts[0]["file_url"] in await page.locator("#requests .is-chat").last.text_content()
    for pane in (telegram, discord):
        assert 64 == await pane.section.locator(".person img").evaluate("it => it.naturalWidth")


async def test_stop_ends_a_long_answer(opened):
    """The button stops the answer in its pane; what is written stays, and Coze is told."""
    _, page = opened
    pane = Pane(page, "discord")
    await page.select_option("#plays", "A very long answer")
    await pane.write("tell me all")
    await expect(pane.text).to_contain_text("Part 1", timeout=PATIENCE)
    await pane.section.get_by_label("Stop the answer").click()
    await expect(pane.text).to_contain_text("Stopped", timeout=PATIENCE)

    await expect(page.locator("#requests")).to_contain_text("/v3/chat/cancel", timeout=PATIENCE)
    assert "Part 1" in await pane.section.inner_text()
    assert "Part 40" not in await pane.section.inner_text()


async def test_chosen_play_is_played_once(opened):
    """A fault chosen for the next answer is told in the chat; after it, the usual comes again."""
    surroundings, page = opened
    pane, plays = Pane(page, "telegram"), page.locator("#plays")
    await plays.select_option("Credits are used up")
    await pane.write("hello")
    await expect(pane.text).to_contain_text("allowance is used up", timeout=PATIENCE)
    await expect(plays).to_have_value("The usual example")
    surroundings.coze.play(Play(pace=0.0))
    await pane.write("hello again")

    await pane.answers(WEDNESDAY)


async def test_reload_shows_the_same(opened):
    """The chats and the requests are the sandbox's, not the page's: they survive a reload."""
    surroundings, page = opened
    surroundings.coze.play(Play(pace=0.0))
    pane, main = Pane(page, "telegram"), page.locator("main")
    await pane.drop(photo("navy"))
    await pane.write("你好 <b>")
    await pane.answers(WEDNESDAY)
    await expect(page.locator(".fetched")).to_have_count(1)
    before = await main.inner_text()
    await page.reload()
    await pane.answers(WEDNESDAY)
    await expect(page.locator(".fetched")).to_have_count(1)

    assert "你好 <b>" in before
    assert before == await main.inner_text()


async def test_only_photos_are_taken(opened):
    """What is no photo is refused with a sentence, and nothing is sent."""
    surroundings, page = opened
    pane = Pane(page, "telegram")
    text = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"words"}
    await pane.section.locator("input[type=file]").set_input_files(text)

    await expect(pane.section.get_by_role("alert")).to_contain_text("Only photos")
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{page.url}say/telegram", files={"image": ("a.txt", b"words")})
    assert 415 == answer.status_code
    assert () == surroundings.platforms["telegram"].transcript()


async def test_real_agent_answers(tmp_path, browser):
    """Another Coze answers in the chats: photos are uploaded, and the page says where it is."""
    coze = CozeEmulator(TOKEN, BOT_ID)
    async with coze.open() as coze_url:
        agent = {"bot_id": BOT_ID, "token": TOKEN, "base_url": coze_url}
        async with sandbox(tmp_path, agent) as (_, url):
            page = await browser.new_page()
            await page.goto(url)
            pane = Pane(page, "telegram")
            await pane.drop(photo("plum"))
            await pane.write("what is this?")
            await expect(pane.text).to_contain_text("森林", timeout=PATIENCE)
            panel = page.locator("section.coze")

            await expect(panel).to_contain_text(f"Requests go to {coze_url}")
            await expect(page.locator("#plays")).to_be_hidden()
            assert [photo("plum")] == [upload.content for upload in coze.uploads]
            await page.close()


# --- the command -----------------------------------------------------------------------------


async def command(home, *arguments):
    """Start the command, with nothing but its own home."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "sandbox", *arguments),
        env={"PATH": os.environ["PATH"], "TMPDIR": str(home)},
        stdout=PIPE,
        stderr=PIPE,
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--coze", TOKEN], "--bot-id"),
        (["--coze", "env:NOT_SET", "--bot-id", BOT_ID], "NOT_SET is not set"),
        (["--coze", "pat_wrong", "--bot-id", BOT_ID], "coze.token"),
    ],
)
async def test_wrong_agent_is_one_sentence(tmp_path, arguments, sentence):
    """A real agent that cannot be asked ends the command at once, with status 2."""
    async with CozeEmulator(TOKEN, BOT_ID).open() as coze_url:
        process = await command(tmp_path, *arguments, "--base-url", coze_url)
        _, stderr = await process.communicate()

    assert 2 == process.returncode
    assert 1 == len(stderr.decode().splitlines())
    assert sentence in stderr.decode()
    assert "pat_wrong" not in stderr.decode()


async def test_ctrl_c_ends_cleanly(tmp_path):
    """Interrupted while a page is open, the sandbox ends without a word and leaves nothing."""
    process = await command(tmp_path, "--bind", "127.0.0.1:0")
    url = (await process.stdout.readline()).decode().split()[4]
    async with httpx.AsyncClient(timeout=PATIENCE) as client, client.stream("GET", f"{url}state"):
        process.send_signal(signal.SIGINT)
        _, stderr = await process.communicate()

    assert (0, b"") == (process.returncode, stderr)
    assert [] == list(tmp_path.iterdir())
