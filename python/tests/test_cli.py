"""The command line: what each command writes and says, exit codes, one clear line per error."""

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
from cli_cases import MAGIC, QUICK, fails, run, table, write_files

import deepmotif as dm
from deepmotif import cli

COMMANDS = ["demo", "train", "predict", "dashboard", "resolve", "motifs", "tomtom", "scan", "bench"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("cli"))


# ---- Arguments --------------------------------------------------------------------------------------------------


def test_help_lists_the_commands(capsys):
    assert run("--help") == 0
    listed = capsys.readouterr().out.split("COMMAND\n")[1]
    assert re.findall(r"^    (\w+)", listed, re.MULTILINE) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
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
        ("peaks.bed", ["peaks.bed", "BED", "deepmotif.read_peaks"]),
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
    assert record["settings"]["epochs"] == 2
    assert "numpy" in record["versions"]
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
