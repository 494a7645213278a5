"""Kinds of arguments and groups of options that commands share. Room: command line; private."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any


def whole(minimum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if value < minimum:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {minimum}; got {text!r}")
        return value

    return parse


def seed_number(text: str) -> int:
    value = whole(0)(text)
    if value >= 2**63:
        raise argparse.ArgumentTypeError(f"expected a whole number below 2**63; got {text!r}")
    return value


def number(low: float, high: float, *, open_low: bool = False) -> Callable[[str], float]:
    """A number of low <= x < high, or low < x < high."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (low < value < high or (value == low and not open_low)):
            bounds = f"above {low:g}" if open_low else f"of at least {low:g}"
            bounds += f" and below {high:g}" if high < math.inf else ""
            raise argparse.ArgumentTypeError(f"expected a number {bounds}; got {text!r}")
        return value

    return parse


def command(name: str, function: str) -> Callable[[argparse.Namespace], None]:
    """`function` of the module `commands.name`, imported only when it runs."""

    def run(options: argparse.Namespace) -> None:
        from importlib import import_module

        getattr(import_module(f"deepmotif.commands.{name}"), function)(options)

    return run


def new_command(
    commands: Any, name: str, function: str, summary: str, examples: str, *, seed: bool = True
) -> argparse.ArgumentParser:
    """A command whose work is `function` of the module `commands.name`."""
    epilog = f"examples:\n{examples}"
    parser: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary, epilog=epilog)
    parser.set_defaults(run=command(name, function), usage_error=parser.error)
    if seed:
        parser.add_argument(
            "--seed", type=seed_number, default=0, metavar="N", help="seed of everything random (default: %(default)s)"
        )
    parser.add_argument(
        "--threads",
        type=whole(1),
        metavar="N",
        help="threads (default: every processor); results do not depend on it",
    )
    parser.add_argument("--quiet", "-q", action="store_true", help="no progress on stderr")
    return parser


def add_columns(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("input")
    group.add_argument(
        "--sequence-column",
        metavar="NAME",
        help="column of a table that holds the sequences (default: seq or sequence)",
    )
    group.add_argument(
        "--label-column", metavar="NAME", help="column of a table that holds the labels (default: Bound or label)"
    )
    group.add_argument(
        "--length", type=whole(1), metavar="L", help="cut or pad every sequence on its right to L positions"
    )


def add_motif(group: Any) -> None:
    group.add_argument(
        "--motif", type=Path, metavar="MEME", help="file of the known motif, to draw it and box its hits"
    )
    group.add_argument(
        "--motif-name", metavar="NAME", help="which motif of the file, by identifier or name (default: the first)"
    )


def add_folder(parser: argparse.ArgumentParser, default: str | None, *names: str) -> None:
    """--output, and further names of it."""
    text = "folder for the results, made if it does not exist; files of the same names are replaced"
    shown = " (default: %(default)s)" if default else ""
    parser.add_argument(
        "--output", *names, type=Path, default=default, required=default is None, metavar="DIR", help=text + shown
    )


def add_training(
    parser: argparse.ArgumentParser, epochs: str, batch_size: str = "256", learning_rate: str = "0.01"
) -> None:
    group = parser.add_argument_group("training")
    group.add_argument("--epochs", type=whole(1), metavar="N", help=f"passes over the sequences (default: {epochs})")
    group.add_argument("--batch-size", type=whole(1), metavar="N", help=f"sequences per step (default: {batch_size})")
    group.add_argument(
        "--learning-rate",
        type=number(0, math.inf, open_low=True),
        metavar="X",
        help=f"at the start (default: {learning_rate})",
    )
