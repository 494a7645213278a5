"""The package as a whole: quick to import, lazy about the rest, complete."""

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import deepmotif as dm

ROOT = Path(__file__).parent.parent.parent

# Names of the interface that exist so far.
NAMES = [
    *("encode", "decode", "one_hot", "read_fasta", "read_table", "read_peaks", "reverse_complement"),
    *("dinucleotide_shuffle", "make_dataset", "simulate", "synthetic_xor", "synthetic_classes", "Sequences"),
    *("CNN", "RNN", "CNNRNN", "Network", "load", "evaluate", "layers", "open_array"),
    *("saliency", "input_gradients", "temporal_scores", "class_optimization", "TemporalScores", "ClassOptimization"),
    *("Motif", "read_meme", "write_meme"),
    *("plot_logo", "plot_saliency", "plot_temporal", "plot_history", "plot_attribution", "plot_dashboard"),
    *("DeepMotifError", "InvalidArgumentError", "ShapeError", "FileFormatError", "FileNotFound", "FileWriteError"),
    *("MissingDependencyError", "OutOfMemoryError", "InternalError", "NotFittedError"),
]


def child(code):
    """What a fresh interpreter prints for the code."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("name", NAMES)
def test_name_is_public(name):
    assert getattr(dm, name) is not None
    assert name in dm.__all__
    assert name in dir(dm)


def test_everything_in_all_resolves():
    assert len(set(dm.__all__)) == len(dm.__all__)
    for name in dm.__all__:
        assert getattr(dm, name) is not None


def test_every_public_function_and_class_is_documented():
    for name in dm.__all__:
        value = getattr(dm, name)
        if callable(value):
            first = (value.__doc__ or "").strip().splitlines()[:1]
            assert first, name
            assert first[0].endswith("."), name


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = dm.no_such_name


def test_star_import_brings_everything():
    assert child("from deepmotif import *; print(CNN.__name__, plot_logo.__name__)") == "CNN plot_logo"


def test_version_is_that_of_the_project():
    try:
        importlib.metadata.version("deepmotif")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("runs from the source tree, not installed")
    assert dm.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_import_brings_no_heavy_library():
    heavy = "matplotlib pandas scipy sklearn torch dnaio jinja2 tqdm safetensors"
    loaded = child(f"import sys, deepmotif; print([m for m in {heavy.split()!r} if m in sys.modules])")
    assert loaded == "[]"


@pytest.mark.parametrize("use", ["", "dm.CNN, dm.encode"])
def test_import_takes_at_most_0_15_s_over_numpy(use):
    # Processor time, and the least of several: other work on the machine makes every measure longer, none shorter.
    code = (
        "import time, numpy\nstart = time.process_time()\nimport deepmotif as dm\n"
        f"{use}\nprint(time.process_time() - start)"
    )
    assert min(float(child(code)) for _ in range(5)) <= 0.15


def test_command_line_starts_without_numpy():
    code = "import sys; from deepmotif import cli; cli.build_parser(); print('numpy' in sys.modules)"
    assert child(code) == "False"


def test_errors_are_caught_by_the_natural_classes():
    for name in [name for name in dm.__all__ if re.search("Error$|^FileNotFound$", name)]:
        error = getattr(dm, name)
        assert issubclass(error, dm.DeepMotifError)
        if error is not dm.DeepMotifError:
            assert len(error.__mro__) > 4, f"{name} inherits nothing but DeepMotifError"


def test_module_runs_as_a_program():
    done = subprocess.run([sys.executable, "-m", "deepmotif", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"deepmotif {dm.__version__}")
