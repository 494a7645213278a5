"""The arguments of the commands about motifs: `motifs`, `tomtom`, `scan`. Room: command line; private."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ._cli_arguments import add_columns, add_folder, new_command, number, whole


def add_motifs(commands: Any) -> None:
    parser = new_command(
        commands,
        "motifs",
        "run_motifs",
        "Write what the filters of a model have learned as motifs, with their best matches in a database.",
        "  deepmotif motifs --model models/cnn.safetensors peaks.fa --output motifs --database jaspar\n"
        "  deepmotif motifs --model cnn.safetensors ELK1_B.seq.gz --route kernel --output motifs\n"
        "  deepmotif motifs --model cnn.safetensors peaks.fa --layer conv1d_1 --database known.meme --output deep\n\n"
        "Writes filters.meme and filters.tsv (one row a filter), gallery.html with every logo, and seqlets.meme and\n"
        "seqlets.tsv, the motifs that the signed saliency of the sequences points at. Labels (>0, >1, or a column)\n"
        "add the share of positives and negatives in which a filter is active; seqlets are then of the positives.",
    )
    parser.add_argument("input", type=Path, metavar="INPUT", help="sequences to see the filters at work on")
    parser.add_argument("--model", type=Path, required=True, metavar="FILE", help="model saved by train or demo")
    add_folder(parser, None)
    parser.add_argument(
        "--route",
        choices=("activation", "kernel", "optimized"),
        default="activation",
        help="windows of the strongest activation, the weights, or gradient ascent (default: %(default)s)",
    )
    parser.add_argument("--layer", metavar="NAME", help="layer of the model (default: the first convolution)")
    parser.add_argument(
        "--threshold",
        type=number(0, 1),
        default=0.5,
        metavar="X",
        help="share of a filter's largest activation that a window must exceed (default: %(default)s)",
    )
    parser.add_argument("--target", metavar="CLASS", help="class to explain (default: the positive one of two)")
    parser.add_argument(
        "--database", metavar="WHICH", help="motifs to compare with: jaspar, or a MEME, JASPAR or TRANSFAC file"
    )
    add_columns(parser)


def add_tomtom(commands: Any) -> None:
    parser = new_command(
        commands,
        "tomtom",
        "run_tomtom",
        "Compare motifs with a database, as MEME Suite's Tomtom, and write the matches as a TSV table.",
        "  deepmotif tomtom filters.meme jaspar > matches.tsv\n"
        "  deepmotif tomtom query.meme known.meme.gz --distance ed --threshold 0.1\n\n"
        "QUERY and TARGET are files in MEME, JASPAR, TRANSFAC, UniPROBE or PFM format, or the word jaspar. Columns:\n"
        "query, target, target_name, p_value, e_value, q_value, offset, overlap, orientation.",
        seed=False,
    )
    parser.add_argument("query", metavar="QUERY", help="motifs to compare")
    parser.add_argument("target", metavar="TARGET", help="motifs to compare them with")
    parser.add_argument(
        "--distance",
        choices=("pearson", "ed", "kullback", "sandelin", "allr", "blic1", "blic5"),
        default="pearson",
        help="score of two columns (default: %(default)s)",
    )
    parser.add_argument(
        "--threshold",
        type=number(0, math.inf),
        default=0.5,
        metavar="X",
        help="largest value of a match that is written (default: %(default)s)",
    )
    parser.add_argument(
        "--threshold-on",
        choices=("q_value", "e_value", "p_value"),
        default="q_value",
        help="what the threshold is on (default: %(default)s)",
    )
    parser.add_argument(
        "--min-overlap",
        type=whole(1),
        default=1,
        metavar="N",
        help="fewest aligned columns (default: %(default)s)",
    )
    parser.add_argument(
        "--incomplete-scores", action="store_true", help="count only the columns that overlap in an alignment"
    )
    parser.add_argument("--norc", action="store_true", help="do not compare with reverse complements")


def add_scan(commands: Any) -> None:
    parser = new_command(
        commands,
        "scan",
        "run_scan",
        "Find the places of sequences that fit motifs, with exact p-values, and write them as a TSV table.",
        "  deepmotif scan motifs.meme peaks.fa > hits.tsv\n"
        "  deepmotif scan jaspar chr21.fa.gz --p-value 1e-6\n\n"
        "Columns: motif, sequence (its name), start and end (from 0, half open), strand, score (bits), p_value,\n"
        "q_value. Sequences may be of any lengths.",
        seed=False,
    )
    parser.add_argument("motifs", metavar="MOTIFS", help="motif file of any known format, or the word jaspar")
    parser.add_argument("fasta", type=Path, metavar="FASTA", help="sequences, plain or .gz")
    parser.add_argument(
        "--p-value",
        type=number(0, 1 + 1e-12, open_low=True),
        default=1e-4,
        metavar="P",
        help="largest p-value of a hit (default: %(default)s)",
    )
    parser.add_argument("--norc", action="store_true", help="look on the strand given only")
