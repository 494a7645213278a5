"""What the tests of the command line share: running a command, and files of every kind that commands read."""

import csv
import gzip

import numpy as np

import deepmotif as dm
from deepmotif import cli

MAGIC = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}
QUICK = ["--epochs", "1", "--batch-size", "64", "--quiet"]


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


def fails(capsys, code, *arguments):
    """The one line on stderr of a command that must end with `code`."""
    assert run(*arguments) == code
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("deepmotif")
    assert "Traceback" not in lines[0]
    assert captured.out == ""
    return lines[0]


def table(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def write_files(folder):
    """Sequences of 40 bp in every kind of file that commands read, files that they refuse, and a trained model."""
    X, y = dm.simulate(240, length=40, motifs="TGACTCATTT", random_state=1)
    letters = dm.decode(X)
    headers = "".join(f">{label}\n{s}\n" for s, label in zip(letters, y, strict=True))
    (folder / "labelled.fa").write_text(headers)
    (folder / "peaks.fa").write_text("".join(f">p{i}\n{s}\n" for i, s in enumerate(np.array(letters)[y == 1])))
    (folder / "shuffles.fa").write_text("".join(f">n{i}\n{s}\n" for i, s in enumerate(np.array(letters)[y == 0])))
    rows = [f"A\tseq_{i:05d}\t{s}\t{label}\n" for i, (s, label) in enumerate(zip(letters, y, strict=True))]
    with gzip.open(folder / "B.seq.gz", "wt") as file:
        file.writelines(["FoldID\tEventID\tseq\tBound\n", *rows])
    with gzip.open(folder / "AC.seq.gz", "wt") as file:
        file.writelines(["FoldID\tEventID\tseq\tBound\n", *(row for row in rows if row.endswith("\t1\n"))])
    lines = [f"{s},{label}\n" for s, label in zip(letters, y, strict=True)]
    (folder / "table.csv").write_text("".join(["sequence,label\n", *lines]))
    dm.write_meme(folder / "motif.meme", [dm.Motif(np.eye(4)[dm.encode("TGACTCATTT")[0]], name="AP$1")])
    (folder / "protein.fa").write_text(">a\nMKVLAAGIVGLLEFQQ\n")
    (folder / "uneven.fa").write_text(">a\nACGTACGT\n>b\nACGT\n")
    (folder / "empty.fa").write_text("")
    (folder / "bare.txt").write_text("ACGTACGT\nACGTTTTT\n")
    (folder / "zeros.csv").write_text("seq,label\n" + "ACGTACGTAC,0\n" * 4)
    (folder / "peaks.bed").write_text("chr1\t100\t200\tpeak\n")
    (folder / "reads.fq").write_text("@r\nACGT\n+\nIIII\n")
    (folder / "cut.seq.gz").write_bytes((folder / "B.seq.gz").read_bytes()[:900])
    assert run("train", folder / "labelled.fa", "--network", "cnn", "--output", folder / "models", *QUICK) == 0
    model = (folder / "models/cnn.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(model[: len(model) // 2])
    return folder
