"""The README is true: its Python runs, its commands parse, its files exist."""

import re
import shlex
from pathlib import Path

import pytest

from deepmotif import cli

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
pytestmark = pytest.mark.skipif(not README.exists(), reason="tests were copied without the README")


def blocks(language):
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_python_runs_from_top_to_bottom(tmp_path, monkeypatch):
    import matplotlib

    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    found = blocks("python")
    assert found
    namespace = {}
    for code in found:
        exec(compile(code, str(README), "exec"), namespace)
    # The quick start ends with these.
    assert (tmp_path / "dashboard.pdf").stat().st_size > 0
    assert (tmp_path / "cnn.safetensors").stat().st_size > 0


def test_quick_start_has_at_most_twenty_lines():
    assert len([line for line in blocks("python")[0].splitlines() if line.strip()]) <= 20


def test_commands_parse():
    lines = "\n".join(blocks("sh")).replace("\\\n", " ").splitlines()
    commands = [shlex.split(line, comments=True) for line in lines if line.startswith("deepmotif ")]
    assert {words[1] for words in commands} >= {"demo", "train", "predict", "dashboard"}
    for words in commands:
        words = words[: words.index(">")] if ">" in words else words
        cli.build_parser().parse_args(words[1:])


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^make (\S+)", "\n".join(blocks("sh")), re.MULTILINE)
    assert {"demo", "test"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_paths_exist():
    text = README.read_text(encoding="utf-8")
    named = re.findall(r"`((?:Sources|Tests|python|\.ci)/[\w./-]*)`", text) + re.findall(r"\]\(([\w./-]+)\)", text)
    assert named
    for path in named:
        assert (ROOT / path).exists(), path
