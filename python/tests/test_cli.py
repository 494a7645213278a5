"""The command line: what each command writes and says, exit codes, one clear line per error."""

import csv
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import deepmotif as dm
from deepmotif import cli
from deepmotif.commands import demo, inputs, outputs
from deepmotif.sequences import Sequences

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sequences of 40 bp in every kind of file that commands read, and a trained model."""
    folder = tmp_path_factory.mktemp("cli")
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
    (folder / "reads.fq").write_text("@r\nACGT\n+\nIIII\n")
    (folder / "cut.seq.gz").write_bytes((folder / "B.seq.gz").read_bytes()[:900])
    assert run("train", folder / "labelled.fa", "--network", "cnn", "--output", folder / "models", *QUICK) == 0
    model = (folder / "models/cnn.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(model[: len(model) // 2])
    return folder


# ---- Arguments --------------------------------------------------------------------------------------------------


def test_help_lists_the_commands(capsys):
    assert run("--help") == 0
    listed = capsys.readouterr().out.split("COMMAND\n")[1]
    assert re.findall(r"^    (\w+)", listed, re.MULTILINE) == ["demo", "train", "predict", "dashboard"]


@pytest.mark.parametrize("command", ["demo", "train", "predict", "dashboard"])
def test_help_of_each_command_has_examples_that_parse(command, capsys):
    assert run(command, "--help") == 0
    text = capsys.readouterr().out
    examples = [
        line.split(">")[0].split() for line in text.replace("\\\n", "").splitlines() if line.startswith("  deepmotif ")
    ]
    assert examples
    for words in examples:
        assert words[1] == command
        cli.build_parser().parse_args(words[1:])


def test_version(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out.startswith(f"deepmotif {dm.__version__} (")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["explain"], "invalid choice"),
        (["train", "x.fa", "--network", "mlp", "--output", "o"], "mlp"),
        (["train", "x.fa", "--network", "cnn"], "--output"),
        (["train", "x.fa", "--network", "cnn", "--output", "o", "--epochs", "0"], "at least 1; got '0'"),
        (["train", "x.fa", "--network", "cnn", "--output", "o", "--learning-rate", "nan"], "above 0; got 'nan'"),
        (["train", "x.fa", "--network", "cnn", "--output", "o", "--dropout", "1"], "below 1; got '1'"),
        (["predict", "x.fa"], "--model"),
        (["predict", "x.fa", "--model", "m", "--threads", "0"], "at least 1; got '0'"),
        (["demo", "--seed", "-1"], "at least 0; got '-1'"),
        (["demo", "--seed", str(2**63)], "below 2**63"),
        (["demo", "--positives", "a", "--train", "b", "--test", "c"], "--positives excludes"),
        (["demo", "--train", "a"], "belong together"),
        (["demo", "--negatives", "a"], "needs --positives"),
        (["demo", "--pos", "a"], "unrecognized"),
    ],
)
def test_bad_usage(arguments, words, capsys):
    assert words in fails(capsys, 2, *arguments)


# ---- Input that cannot be used ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.fa", ["missing.fa", "no such file"]),
        ("protein.fa", ["protein.fa"]),
        ("uneven.fa", ["uneven.fa", "use --length to cut or pad"]),
        ("empty.fa", ["empty.fa"]),
        ("bare.txt", ["bare.txt", "expected FASTA", "ACGTACGT"]),
        ("zeros.csv", ["zeros.csv", "every label is 0"]),
        ("reads.fq", ["reads.fq", "FASTQ"]),
        ("cut.seq.gz", ["cut.seq.gz"]),
        ("models", ["models", "folder"]),
        ("models/cnn.safetensors", ["binary"]),
    ],
)
def test_input_that_cannot_be_used(folder, name, words, tmp_path, capsys):
    line = fails(capsys, 1, "train", folder / name, "--network", "cnn", "--output", tmp_path / "o", "--quiet")
    assert all(word in line for word in words), line
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("name", ["missing.safetensors", "cut.safetensors", "labelled.fa", "models", "B.seq.gz"])
def test_model_that_cannot_be_used(folder, name, capsys):
    assert Path(name).name in fails(capsys, 1, "predict", "--model", folder / name, folder / "labelled.fa")


def test_folder_that_cannot_be_written(folder, capsys, tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below", "/proc/results"):
        line = fails(capsys, 1, "train", folder / "peaks.fa", "--network", "cnn", "--output", place, *QUICK)
        assert str(place) in line


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_folder_without_permission(folder, capsys, tmp_path):
    tmp_path.chmod(0o500)
    line = fails(capsys, 1, "train", folder / "peaks.fa", "--network", "cnn", "--output", tmp_path, *QUICK)
    assert "Permission denied" in line


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk(folder, capsys):
    model = folder / "models/cnn.safetensors"
    # The child's stdout is the full device; the error comes when it is flushed.
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "deepmotif", "predict", "--model", model, folder / "labelled.fa"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


# ---- train and predict ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", cli.NETWORKS)
def test_train_writes_model_history_curves_and_record(folder, network, tmp_path, capsys):
    arguments = ["--network", network, "--preset", "small", "--test", folder / "table.csv", "--output", tmp_path]
    assert run("train", folder / "B.seq.gz", *arguments, "--epochs", "2") == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "240 sequences of 40 bp, 2 epochs" in said.err
    assert "240 of 240 test sequences" in said.err  # the same sequences: the leak is reported
    model = dm.load(tmp_path / f"{network}.safetensors")
    assert [row["epoch"] for row in table(tmp_path / f"{network}.history.tsv")] == ["1", "2"]
    record = json.loads((tmp_path / f"{network}.json").read_text())
    assert record["parameters"] == model.n_parameters_
    assert record["shared_with_training"] == 240
    data = dm.read_table(folder / "table.csv", sequence="sequence", label="label")
    assert record["test_metrics"] == pytest.approx(dm.evaluate(model, data, data.labels), rel=1e-12)
    assert (tmp_path / f"{network}.history.png").read_bytes().startswith(MAGIC[".png"])
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_positives_get_shuffles(folder, tmp_path):
    for name in ("peaks.fa", "AC.seq.gz"):
        assert run("train", folder / name, "--network", "cnn", "--output", tmp_path, *QUICK) == 0
        assert json.loads((tmp_path / "cnn.json").read_text())["train"]["labels"] == {"0": 120, "1": 120}


def test_same_seed_same_model(folder, tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        assert (
            run("train", folder / "peaks.fa", "--network", "rnn", "--seed", seed, "--output", tmp_path / name, *QUICK)
            == 0
        )
    a, b, c = ((tmp_path / name / "rnn.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_predict_writes_the_probabilities(folder, tmp_path, capsys):
    model = dm.load(folder / "models/cnn.safetensors")
    assert run("predict", "--model", folder / "models/cnn.safetensors", folder / "B.seq.gz") == 0
    said = capsys.readouterr()
    (tmp_path / "stdout.tsv").write_text(said.out)
    assert (
        run(
            "predict", "--model", folder / "models/cnn.safetensors", folder / "B.seq.gz", "--output", tmp_path / "p.tsv"
        )
        == 0
    )
    assert (tmp_path / "p.tsv").read_text() == said.out
    rows = table(tmp_path / "stdout.tsv")
    assert list(rows[0]) == ["name", "label", "prediction", "p_0", "p_1"]
    data = dm.read_table(folder / "B.seq.gz")
    # Six significant digits are written.
    expected = model.predict_proba(data)
    np.testing.assert_allclose([[float(r["p_0"]), float(r["p_1"])] for r in rows], expected, rtol=5e-6)
    assert [int(r["prediction"]) for r in rows] == model.predict(data).tolist()
    assert f"roc_auc {model.score(data, data.labels):.4f}" in said.err


def test_predict_without_labels_and_of_another_length(folder, tmp_path, capsys):
    (tmp_path / "x.fa").write_text(">one\n" + "ACGTN" * 12 + "\n>two words\n" + "acgtu" * 12 + "\n")
    assert run("predict", "--model", folder / "models/cnn.safetensors", tmp_path / "x.fa") == 0
    said = capsys.readouterr()
    assert [line.split("\t")[0] for line in said.out.splitlines()] == ["name", "one", "two"]
    assert said.err == ""


def test_a_reader_that_goes_away_is_no_failure_with_a_traceback(folder):
    command = [sys.executable, "-m", "deepmotif", "predict", "--model", folder / "models/cnn.safetensors"]
    process = subprocess.Popen(
        [*command, folder / "B.seq.gz"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    assert process.wait() == 1


def test_interrupt_keeps_the_best_model_so_far(folder, tmp_path):
    command = [sys.executable, "-m", "deepmotif", "train", folder / "labelled.fa", "--network", "cnn"]
    process = subprocess.Popen(
        [*command, "--epochs", "100000", "--output", tmp_path], stderr=subprocess.PIPE, text=True
    )
    assert "training CNN" in process.stderr.readline()
    # An epoch of 240 short sequences takes some milliseconds.
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert said.strip() == f"deepmotif: interrupted; the best model so far is {tmp_path / 'cnn.safetensors'}"
    assert dm.load(tmp_path / "cnn.safetensors").predict_proba(["ACGT" * 10]).shape == (1, 2)


# ---- dashboard --------------------------------------------------------------------------------------------------


def test_dashboard_of_a_given_sequence(folder, tmp_path, capsys):
    model = folder / "models/cnn.safetensors"
    arguments = ["--model", model, "--model", model, "--sequence", "acgtTGACTCATTTacgtacgtacgtacgtacgtacgt"]
    options = [
        "--motif",
        folder / "motif.meme",
        "--restarts",
        "1",
        "--steps",
        "5",
        "--target",
        "1",
        "--output",
        tmp_path,
    ]
    assert run("dashboard", *arguments, *options) == 0
    assert capsys.readouterr().out == ""
    for ending, magic in MAGIC.items():
        assert (tmp_path / f"dashboard{ending}").read_bytes().startswith(magic)
    rows = table(tmp_path / "saliency.tsv")
    assert [row["base"] for row in rows[:5]] == list("ACGTT")
    expected = dm.saliency(dm.load(model), ["ACGTTGACTCATTTACGTACGTACGTACGTACGTACGT"])[0]
    np.testing.assert_allclose([float(row["cnn 1"]) for row in rows], expected, rtol=5e-6)
    assert len(dm.read_meme(tmp_path / "class_optimized.meme")) == 2
    assert not (tmp_path / "temporal.tsv").exists()  # a CNN has no temporal scores


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sequence", "peaks.fa", "--record", "p500"], "'p500' is neither the name of one sequence"),
        (["--sequence", "peaks.fa", "--record", "120"], "0 to 119"),
        (["--sequence", "PLAIN"], "'PLAIN' is neither an existing file nor a sequence"),
        (["--sequence", "gone.fa"], "gone.fa"),
        (["--sequence", "ACGT"], "length"),
        (["--sequence", "peaks.fa", "--target", "bound"], "no class 'bound'; its classes are 0, 1"),
        (["--sequence", "peaks.fa", "--motif", "peaks.fa"], "peaks.fa"),
    ],
)
def test_dashboard_errors(folder, arguments, words, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(folder)
    options = ["--model", "models/cnn.safetensors", "--output", tmp_path, "--steps", "1", "--quiet"]
    assert words in fails(capsys, 1, "dashboard", *options, *arguments)


def test_record_of_a_letter_sequence_is_bad_usage(folder, tmp_path, capsys):
    options = ["--model", folder / "models/cnn.safetensors", "--output", tmp_path, "--record", "1"]
    assert "--record" in fails(capsys, 2, "dashboard", *options, "--sequence", "ACGT" * 10)


# ---- demo -------------------------------------------------------------------------------------------------------

SMALL_VIEWS = {"restarts": 1, "steps": 5}


@pytest.fixture
def small_demo(monkeypatch):
    monkeypatch.setattr(demo, "TRAIN_SEQUENCES", 160)
    monkeypatch.setattr(demo, "TEST_SEQUENCES", 40)
    monkeypatch.setattr(demo, "OPTIMIZATION", SMALL_VIEWS)


def test_demo_simulates_and_writes_everything(small_demo, tmp_path, capsys):
    assert run("demo", "--output", tmp_path / "d", "--epochs", "1") == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) <= 10
    assert str(tmp_path / "d" / "dashboard.png") in said.out
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == sorted(demo.RESULTS)
    for ending, magic in MAGIC.items():
        assert (tmp_path / "d" / f"dashboard{ending}").read_bytes().startswith(magic)
    measured = table(tmp_path / "d/metrics.tsv")
    assert [row["network"] for row in measured] == ["CNN", "RNN", "CNN-RNN"]
    test = dm.read_fasta(tmp_path / "d/test.fasta")
    assert len(test) == 40
    model = dm.load(tmp_path / "d/rnn.safetensors")
    assert float(measured[1]["roc_auc"]) == pytest.approx(model.score(test, test.labels), rel=5e-6)
    predicted = [float(row["p_RNN"]) for row in table(tmp_path / "d/predictions.tsv")]
    np.testing.assert_allclose(predicted, model.predict_proba(test)[:, 1], rtol=5e-6)
    record = json.loads((tmp_path / "d/metrics.json").read_text())
    assert record["seed"] == 0
    assert record["versions"]["deepmotif"] == dm.__version__
    shown = record["shown"]
    assert dm.decode(test[[shown["row"]]])[0] == shown["sequence"]
    assert len(table(tmp_path / "d/temporal.tsv")) == len(table(tmp_path / "d/saliency.tsv")) == 101


def test_demo_on_positives(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "OPTIMIZATION", SMALL_VIEWS)
    arguments = ["--positives", folder / "peaks.fa", "--motif", folder / "motif.meme", "--sequence", "p7"]
    row_of = dict.fromkeys(range(5))
    for seed in row_of:
        code = run("demo", *arguments, "--output", tmp_path / str(seed), "--seed", seed, *QUICK)
        said = capsys.readouterr()
        if code == 0:  # p7 is in the test part of this seed's split
            break
        assert "'p7' is neither the name" in said.err
    assert code == 0
    record = json.loads((tmp_path / str(seed) / "metrics.json").read_text())
    assert record["train"]["labels"] == {"0": 96, "1": 96}
    assert record["test"]["labels"] == {"0": 24, "1": 24}
    assert record["shown"]["sequence"] == dm.read_fasta(folder / "peaks.fa")[7]


def test_demo_on_positives_with_negatives_and_a_sequence_given(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "OPTIMIZATION", SMALL_VIEWS)
    files = ["--positives", folder / "peaks.fa", "--negatives", folder / "shuffles.fa", "--sequence", "ACGTT" * 8]
    assert run("demo", *files, "--output", tmp_path, *QUICK) == 0
    assert json.loads((tmp_path / "metrics.json").read_text())["shown"] == {"row": None, "sequence": "ACGTT" * 8}
    assert not (tmp_path / "motif.meme").exists()


def test_demo_on_train_and_test_files(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "OPTIMIZATION", SMALL_VIEWS)
    arguments = ["--train", folder / "AC.seq.gz", "--test", folder / "B.seq.gz", "--sequence", "3"]
    assert run("demo", *arguments, "--output", tmp_path, *QUICK) == 0
    record = json.loads((tmp_path / "metrics.json").read_text())
    assert record["task"] == "AC"
    assert record["test"]["shared_with_training"] == 120  # the positives are the same
    assert record["shown"]["row"] == 3


def test_demo_does_not_overwrite_its_input(folder, tmp_path, capsys):
    path = tmp_path / "train.fasta"
    path.write_bytes((folder / "labelled.fa").read_bytes())
    line = fails(capsys, 2, "demo", "--train", path, "--test", folder / "B.seq.gz", "--output", tmp_path)
    assert "train.fasta" in line
    assert path.read_bytes() == (folder / "labelled.fa").read_bytes()


def test_demo_that_fails_leaves_what_is_finished(small_demo, tmp_path, monkeypatch, capsys):
    (tmp_path / "dashboard.png").write_text("of an earlier run")

    def fail(*_, **__):
        raise OSError(28, "No space left on device", "dashboard.png")

    monkeypatch.setattr(demo, "write_dashboard", fail)
    assert (
        fails(capsys, 1, "demo", "--output", tmp_path, *QUICK)
        == "deepmotif: error: dashboard.png: No space left on device"
    )
    names = {path.name for path in tmp_path.iterdir()}
    assert {"cnn.safetensors", "cnn-rnn.safetensors", "metrics.tsv", "training.png"} <= names
    assert "dashboard.png" not in names


class Stub:
    """A model with given scores."""

    def __init__(self, scores):
        self.scores = np.array(scores, dtype=float)

    def decision_function(self, X):
        return self.scores


def test_typical_positive_is_the_median_of_those_called_by_all():
    test = Sequences(["ACGTACGTAC"] * 6, labels=[1, 1, 1, 1, 1, 0])
    # Row 4 pleases the second network only, row 5 is no positive; 1 lies between 0 and 2 in both.
    models = {"a": Stub([1, 2, 3, -1, -1, 9]), "b": Stub([10, 20, 30, -1, 99, 99])}
    assert demo.typical_positive(models, test) == 1
    assert demo.typical_positive({"a": Stub([-1, -2, -3, -0.5, -4, 9]), "b": Stub([1] * 6)}, test) == 3


def test_typical_positive_prefers_sequences_with_the_motif():
    test = Sequences(["A" * 20, "AAATGACTCATTTAAAAAAA", "C" * 20], labels=[1, 1, 1])
    motif = dm.Motif(np.eye(4)[dm.encode("TGACTCATTT")[0]], name="AP1")
    assert demo.typical_positive({"a": Stub([3, 9, 4])}, test) == 2
    assert demo.typical_positive({"a": Stub([3, 9, 4])}, test, motif) == 1


# ---- Pieces -----------------------------------------------------------------------------------------------------


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "t.tsv"
    outputs.write_table(path, {"a": [1, 2.5], "b": ["x", "tab\there"]})
    before = path.read_text()
    assert before == "a\tb\n1\tx\n2.5\ttab here\n"
    with pytest.raises(ValueError, match="shorter"):
        outputs.write_table(path, {"a": [1, 2], "b": [1]})
    with pytest.raises(dm.FileWriteError, match="missing"):
        outputs.write_table(tmp_path / "missing" / "t.tsv", {"a": [1]})
    assert path.read_text() == before
    assert [p.name for p in tmp_path.iterdir()] == ["t.tsv"]


def test_shared_sequences_are_counted_on_both_strands():
    train = Sequences(["AACCG", "TTTTT", "ACGTN"])
    test = Sequences(["CGGTT", "AAAAA", "ACGTN", "GGGGG"])
    assert inputs.count_shared(train, test) == 3
    assert inputs.count_shared(train, Sequences(["ACGT"])) == 0


def test_figures_have_the_same_bytes_every_time(tmp_path):
    outputs.use_no_display()
    from deepmotif.plots import plot_saliency

    for name in ("a", "b"):
        outputs.save_figure(plot_saliency(np.arange(6.0), "ACGTAC").figure, tmp_path / name)
    for ending in MAGIC:
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()
