"""The command line, `deepmotif COMMAND`: the arguments of each command, exit codes and error messages.

The last room: what each command does is in `commands`, and everything it does is possible from Python as well.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from ._cli_arguments import add_columns, add_folder, add_motif, add_training, command, new_command, number, whole
from ._cli_motifs import add_motifs, add_scan, add_tomtom
from ._cli_resolve import add_resolve
from .exceptions import DeepMotifError

__all__ = ["build_parser", "main"]

SUCCESS, FAILED, BAD_USAGE, INTERRUPTED = 0, 1, 2, 128 + signal.SIGINT

# The order in which they are trained and shown.
NETWORKS = ("cnn", "rnn", "cnn-rnn")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0, 1 failed, 2 bad usage, 130 interrupted.

    Parameters
    ----------
    arguments : list of str, optional
        As on the command line, without the program's name; by default those of the process.

    Examples
    --------
    >>> from deepmotif.cli import main
    >>> main(["predict", "--model", "missing.safetensors", "missing.fa"])  # the reason is on stderr
    1
    """
    parser = build_parser()
    try:
        options = parser.parse_args(arguments)
        options.run(options)
        # Here and not at exit, where a reader that went away could no longer be answered quietly.
        sys.stdout.flush()
    except SystemExit as stop:
        # argparse ends with 0 for --help and --version, with 2 for bad usage.
        return stop.code if isinstance(stop.code, int) else FAILED
    except KeyboardInterrupt as error:
        _complain(parser.prog, str(error) or "interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; stdout must not be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (DeepMotifError, OSError, MemoryError) as error:
        _complain(parser.prog, _one_line(error))
        return FAILED
    return SUCCESS


def _complain(program: str, message: str) -> None:
    print(f"{program}: {message}", file=sys.stderr)


def _one_line(error: BaseException) -> str:
    """The message of an error in one line; an OSError as "PATH: reason", without its number."""
    if isinstance(error, OSError) and error.strerror:
        place = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        text = place + error.strerror
    elif isinstance(error, MemoryError) and not str(error):
        text = "not enough memory"
    else:
        text = str(error) or type(error).__name__
    # Messages name Python's arguments.
    text = text.replace("pass length= ", "use --length ")
    return "error: " + " ".join(text.split())


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command and option."""
    parser = _Parser(
        prog="deepmotif",
        description="Train convolutional and recurrent networks on DNA sequences and see why they decide as they do.",
        epilog="Exit code: 0 done, 1 failed, 2 bad usage, 130 interrupted. Results go to stdout, progress to stderr.\n"
        "Input files: FASTA, or a TSV / CSV table with a header line; plain or .gz.",
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="show the version and the instruction level, and exit"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    _add_demo(commands)
    _add_train(commands)
    _add_predict(commands)
    _add_dashboard(commands)
    add_resolve(commands)
    add_motifs(commands)
    add_tomtom(commands)
    add_scan(commands)
    _add_bench(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    """Keeps the line breaks of the examples, and points to --help on bad usage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_USAGE, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from .commands.outputs import versions

        found = versions()
        print(f"deepmotif {found['deepmotif']} ({found['isa']}, Python {found['python']}, NumPy {found['numpy']})")
        parser.exit(SUCCESS)


# ---- Commands ---------------------------------------------------------------------------------------------------


def _add_demo(commands: Any) -> None:
    parser = new_command(
        commands,
        "demo",
        "run_demo",
        "From sequences to dashboard: train the three networks, compare them, and draw what they see.",
        "  deepmotif demo\n"
        "  deepmotif demo --positives peaks.fa.gz --motif JASPAR.meme --motif-name GATA1 --output gata1\n"
        "  deepmotif demo --train ELK1_AC.seq.gz --test ELK1_B.seq.gz --output elk1\n\n"
        "Without --positives or --train, a transcription factor is simulated: sites of its JASPAR motif in random\n"
        "sequences. The sequence shown is, unless --sequence names one, a typical test positive: of those that every\n"
        "network calls positive (and that hold a hit of the motif, if one is known) the one of median score.",
    )
    add_folder(parser, "deepmotif-demo")
    source = parser.add_argument_group("sequences of your own")
    source.add_argument(
        "--positives", type=Path, metavar="FILE", help="bound sequences; a fifth of them is held out for the test"
    )
    source.add_argument(
        "--negatives",
        type=Path,
        metavar="FILE",
        help="unbound sequences for --positives (default: their dinucleotide shuffles)",
    )
    source.add_argument(
        "--train", type=Path, metavar="FILE", help="training sequences; shuffles are added if all are positives"
    )
    source.add_argument("--test", type=Path, metavar="FILE", help="test sequences with labels, for --train")
    add_motif(source)
    source.add_argument(
        "--sequence", metavar="WHICH", help="test sequence to show: its name, its number from 0, or a DNA sequence"
    )
    add_training(parser, "20; simulated factor: 8", "64; CNN: 128", "0.01; CNN: 0.005")
    add_columns(parser)


def _add_train(commands: Any) -> None:
    parser = new_command(
        commands,
        "train",
        "run_train",
        "Train one network and save it.",
        "  deepmotif train peaks.fa.gz --network cnn --output models\n"
        "  deepmotif train ELK1_AC.seq.gz --test ELK1_B.seq.gz --network cnn-rnn --epochs 20 --output models\n"
        "  deepmotif train labelled.csv --label-column class --network rnn --preset small --output models\n\n"
        "Labels come from a table's label column or from FASTA headers (>0, >1). Where there are none, or all are 1,\n"
        "the sequences are positives, and as many dinucleotide shuffles are added as negatives.",
    )
    parser.add_argument("input", type=Path, metavar="INPUT", help="training sequences")
    parser.add_argument("--network", choices=NETWORKS, required=True, help="architecture")
    add_folder(parser, None)
    parser.add_argument("--test", type=Path, metavar="FILE", help="sequences with labels to report the test metrics on")
    add_training(parser, "50")
    group = parser.add_argument_group("network and validation")
    group.add_argument(
        "--preset", choices=("small", "medium", "large"), help="size of the network (the paper's variants)"
    )
    group.add_argument("--dropout", type=number(0, 1), metavar="RATE", help="dropout rate (default: 0.5)")
    group.add_argument(
        "--patience", type=whole(1), metavar="N", help="stop after N epochs without a better validation AUC"
    )
    group.add_argument(
        "--validation-fraction",
        type=number(0, 1),
        metavar="X",
        help="share held out to choose the epoch (default: 0.1)",
    )
    group.add_argument("--balanced", action="store_true", help="weigh the classes so that each counts the same")
    add_columns(parser)


def _add_predict(commands: Any) -> None:
    parser = new_command(
        commands,
        "predict",
        "run_predict",
        "Write the class probabilities of sequences as a TSV table.",
        "  deepmotif predict --model models/cnn.safetensors peaks.fa.gz > predictions.tsv\n"
        "  deepmotif predict --model models/cnn.safetensors test.csv --output predictions.tsv\n\n"
        "Columns: name, prediction, and p_CLASS for each class; where the input has labels also label, and the\n"
        "metrics go to stderr.",
        seed=False,
    )
    parser.add_argument("input", type=Path, metavar="INPUT", help="sequences, with or without labels")
    parser.add_argument("--model", type=Path, required=True, metavar="FILE", help="model saved by train or demo")
    parser.add_argument("--output", type=Path, metavar="FILE", help="table to write (default: stdout)")
    add_columns(parser)


def _add_dashboard(commands: Any) -> None:
    parser = new_command(
        commands,
        "dashboard",
        "run_dashboard",
        "Draw why trained models decide as they do on one sequence.",
        "  deepmotif dashboard --model models/cnn.safetensors --sequence peaks.fa --record 3 --output figures\n"
        "  deepmotif dashboard --model cnn.safetensors --model rnn.safetensors \\\n"
        "      --sequence ACGTTGATAAGGCTA... --motif GATA1.meme --output figures",
    )
    parser.add_argument(
        "--model", type=Path, required=True, action="append", metavar="FILE", help="model; repeat it to compare several"
    )
    parser.add_argument("--sequence", required=True, metavar="WHICH", help="DNA sequence, or a file of sequences")
    parser.add_argument(
        "--record", metavar="WHICH", help="name or number from 0 of the sequence in the file (default: the first)"
    )
    add_motif(parser)
    parser.add_argument("--target", metavar="CLASS", help="class to explain (default: the positive one of two)")
    parser.add_argument("--title", help="title of the figure")
    parser.add_argument(
        "--restarts", type=whole(1), default=8, metavar="N", help="of the class optimisation (default: %(default)s)"
    )
    parser.add_argument(
        "--steps", type=whole(1), default=1000, metavar="N", help="of the class optimisation (default: %(default)s)"
    )
    add_folder(parser, None)
    add_columns(parser)


def _add_bench(commands: Any) -> None:
    parser = commands.add_parser(
        "bench",
        help="Measure speed beside other frameworks, memory and growth.",
        description="Measure speed beside other frameworks, memory and growth, and print the tables.",
        epilog="examples:\n"
        "  deepmotif bench --networks cnn rnn --tasks train predict --threads 1 --output bench\n"
        "  deepmotif bench --alone --sections speed memory\n\n"
        "PyTorch and JAX are measured where they are installed (pip install 'deepmotif[bench]'), in turns with this\n"
        "package: memory layouts, compiled graphs and batch sizes; the best is the rival. Nothing else should run.",
    )
    names = ("cnn", "rnn", "cnn-rnn", "deepresolve-16x25", "deepresolve-32x8", "deepsea")
    tasks = ("train", "predict", "predict one", "saliency", "saliency one", "classopt 64", "classopt 1")
    parser.add_argument(
        "--sections", nargs="+", choices=("speed", "memory", "growth"), default=["speed"], help="tables"
    )
    parser.add_argument(
        "--networks", nargs="+", choices=names, default=list(names), metavar="NAME", help=", ".join(names)
    )
    parser.add_argument("--tasks", nargs="+", choices=tasks, default=list(tasks), metavar="TASK", help=", ".join(tasks))
    parser.add_argument(
        "--threads", nargs="+", type=whole(1), default=[1], metavar="N", help="numbers of threads (default: 1)"
    )
    parser.add_argument(
        "--seconds", type=number(0, 60, open_low=True), default=0.5, metavar="S", help="of one repeat (default: 0.5)"
    )
    parser.add_argument("--repeats", type=whole(1), default=5, metavar="N", help="of each program (default: 5)")
    parser.add_argument("--alone", action="store_true", help="without other frameworks")
    parser.add_argument("--plain", action="store_true", help="also the script a user writes: PyTorch without settings")
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for bench.json and bench.md")
    parser.add_argument("--quiet", "-q", action="store_true", help="no progress on stderr")
    parser.set_defaults(run=command("bench", "run_bench"), usage_error=parser.error)


if __name__ == "__main__":
    sys.exit(main())
