"""The arguments of the command `resolve`. Room: command line; private."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ._cli_arguments import add_columns, add_folder, new_command, number, whole


def add_resolve(commands: Any) -> None:
    parser = new_command(
        commands,
        "resolve",
        "run_resolve",
        "Find what the channels of a layer mean to each class (DeepResolve).",
        "  deepmotif resolve models/cnn.safetensors --output channels\n"
        "  deepmotif resolve model.safetensors --layer max_pool1d_0 --target all --output channels\n\n"
        "Writes channels.html, tables, figures, and the result of each class; a run that was interrupted goes on\n"
        "where it was when the same command is given again.",
    )
    parser.add_argument("file", type=Path, nargs="?", metavar="MODEL", help="model saved by train or demo")
    parser.add_argument("--model", type=Path, metavar="FILE", help="the same, as in the other commands")
    parser.add_argument(
        "--layer", metavar="NAME", help="whose output is resolved (default: the input of the first dense layer)"
    )
    parser.add_argument(
        "--target",
        action="append",
        metavar="CLASS",
        help="class, or all; repeat it for several (default: the positive one of two, else all)",
    )
    parser.add_argument(
        "--sequences",
        type=Path,
        metavar="FILE",
        help="real sequences, for --l2 auto and to find windows for pictures of channels in deeper layers",
    )
    _add_ascent(parser.add_argument_group("ascent"))
    add_folder(parser, None, "--out")
    add_columns(parser)


def _add_ascent(group: Any) -> None:
    group.add_argument(
        "--restarts", type=whole(1), default=10, metavar="N", help="random starts (default: %(default)s)"
    )
    group.add_argument(
        "--l2", type=_penalty, default=2.8, metavar="X", help="lambda, auto or boundary (default: %(default)s)"
    )
    group.add_argument(
        "--learning-rate",
        type=number(0, math.inf, open_low=True),
        default=0.005,
        metavar="X",
        help="of the first 500 steps (default: %(default)s)",
    )
    group.add_argument("--steps", type=whole(1), default=10_000, metavar="N", help="at most (default: %(default)s)")
    group.add_argument(
        "--mode",
        choices=("paper", "published"),
        default="paper",
        help="as the paper says, or as the authors' program does it (default: %(default)s)",
    )


def _penalty(text: str) -> float | str:
    return text if text in ("auto", "boundary") else number(0, math.inf)(text)
