"""The lazy names of the package: complete, and the same for type checkers."""

import ast
import importlib
from pathlib import Path

import pytest

import deepmotif as dm


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(dm.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {node.module: tuple(alias.asname for alias in node.names) for node in block.body}
    assert seen == dm._EXPORTS


@pytest.mark.parametrize("module", dm._EXPORTS)
def test_names_are_where_they_are_said_to_be(module):
    home = importlib.import_module(f"deepmotif.{module}")
    for name in dm._EXPORTS[module]:
        assert getattr(dm, name) is getattr(home, name)
        assert name in home.__all__


def test_every_error_is_exported():
    from deepmotif import exceptions

    assert set(exceptions.__all__) == set(dm._EXPORTS["exceptions"])


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dm.nothing
