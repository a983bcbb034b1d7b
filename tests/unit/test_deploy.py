"""The files in deploy/, each checked by a validator that knows its format."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from adapters.discord import config as discord
from adapters.telegram import config as telegram
from bridge.config import parse

TOKENS = {
    "TELEGRAM_TOKEN": "123456789:AAE-3xampleT0ken_of-an_Emulated8ot4u",
    "DISCORD_TOKEN": "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDE.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
}
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_dockerfile():
    """Hadolint finds nothing to say about the Dockerfile."""
    done = run(BIN / "hadolint", "deploy/Dockerfile")

    assert (0, "") == (done.returncode, done.stdout)


def test_compose():
    """The compose file is one by the Compose specification's schema."""
    done = run(
        BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml"
    )

    assert 0 == done.returncode, done.stdout


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_unit(tmp_path):
    """Systemd accepts the unit, once its program stands where it says."""
    text = (ROOT / "deploy/coze-bridge.service").read_text()
    unit = tmp_path / "coze-bridge.service"
    unit.write_text(text.replace("/opt/coze-bridge/bin/coze-bridge", str(BIN / "coze-bridge")))
    done = run("systemd-analyze", "verify", unit)

    assert (0, "") == (done.returncode, done.stderr)


def test_example_configuration():
    """config.example.toml is right as it stands and with its comments taken away, to every key."""
    text = (ROOT / "config.example.toml").read_text()
    names = re.findall(r"env:([A-Z_]+)", text)
    whole = re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE)
    whole = re.sub(r"file:/etc[^\"]+", "PEM", whole)
    whole = whole.replace('token = "env:COZE_TOKEN"', "")  # [coze.oauth] stands in its place

    environment = {**dict.fromkeys(names, "x"), **TOKENS}

    for example in (text, whole):
        [bot] = parse(tomllib.loads(example), environment).bots
        telegram.read(bot.name, bot.platforms["telegram"])
        discord.read(bot.name, bot.platforms["discord"])
