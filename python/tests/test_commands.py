"""`deepmotif demo`, and the pieces that commands are made of."""

import json
from pathlib import Path

import numpy as np
import pytest
from cli_cases import MAGIC, QUICK, fails, run, table, write_files

import deepmotif as dm
from deepmotif.commands import demo, inputs, outputs
from deepmotif.sequences import Sequences


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("cli"))


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


def test_demo_gives_the_same_files_on_any_number_of_threads(small_demo, tmp_path):
    for threads in (1, 2):
        assert run("demo", "--output", tmp_path / str(threads), "--threads", threads, *QUICK) == 0
    # These hold the seconds that training took.
    timed = {"metrics.json", "metrics.tsv", *(name for name in demo.RESULTS if name.endswith("history.tsv"))}
    for name in set(demo.RESULTS) - timed:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name


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


def test_split_keeps_equal_sequences_together():
    letters = ["ACGTA", "TACGT", "CCCCC", "GGGGG", "ACGGA", "TTGCA", "AAAAC", "CATTT"]
    data = Sequences(letters * 3)
    for seed in range(5):
        train, test = inputs.split(data, 0.3, seed)
        assert len(train) + len(test) == len(data)
        assert inputs.count_shared(train, test) == 0
        assert 0 < len(test) < len(train)
    with pytest.raises(dm.InvalidArgumentError, match="2 different"):
        inputs.split(Sequences(["ACGTA", "TACGT"]), 0.5, 0)


def test_sequences_without_a_known_base_are_left_out_of_positives(tmp_path, capsys):
    data = Sequences(["ACGTACGT", "NNNNNNNN", "NNNNNNNA"])
    found = inputs.labelled(data, tmp_path / "p.fa", 0, outputs.Progress(False))
    assert "left out 1 of 3" in capsys.readouterr().err
    assert found.labels.tolist() == [1, 1, 0, 0]
    assert found.names == ["0", "2", "0_shuf", "2_shuf"]
    with pytest.raises(dm.InvalidArgumentError, match=r"p\.fa: no sequence has a known base"):
        inputs.labelled(data[[1]], tmp_path / "p.fa", 0, outputs.Progress(False))


def test_titles_are_the_names_of_files_without_their_endings():
    names = ["ELK1_(1277-1)_AC.seq.gz", "K562_GATA1.fa.masked.gz", "TF.v2.fasta", "plain"]
    assert [demo._title(Path(name)) for name in names] == ["ELK1_(1277-1)_AC", "K562_GATA1", "TF.v2", "plain"]


def test_figures_have_the_same_bytes_every_time(tmp_path):
    outputs.use_no_display()
    from deepmotif.plots import plot_saliency

    for name in ("a", "b"):
        outputs.save_figure(plot_saliency(np.arange(6.0), "ACGTAC").figure, tmp_path / name)
    for ending in MAGIC:
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()
