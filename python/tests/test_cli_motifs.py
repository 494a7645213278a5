"""The commands about motifs: what they write, exit codes, one clear line per error."""

import io
import re

import numpy as np
import pandas
import pytest
from cli_cases import fails, run, table, write_files

import deepmotif as dm


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_files(tmp_path_factory.mktemp("cli"))
    rng = np.random.default_rng(0)
    known = [dm.Motif(rng.dirichlet(np.full(4, 0.3), size=8), name=f"known_{i}") for i in range(60)]
    known.append(dm.Motif.from_consensus("TGACTCA", "AP1"))
    dm.write_meme(folder / "known.meme", known)
    (folder / "uneven_letters.fa").write_text(">a first\nTTTGACTCATT\n>b\nTGACTCA\n>c\nTG\n>d\nNNTGAGTCANN\n")
    return folder


@pytest.mark.parametrize("route", ["activation", "kernel", "optimized"])
def test_motifs_writes_everything(folder, tmp_path, capsys, route):
    model = folder / "models/cnn.safetensors"
    arguments = ["--model", model, folder / "labelled.fa", "--output", tmp_path / "out", "--route", route]
    assert run("motifs", *arguments, "--database", folder / "known.meme") == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"route {route}" in captured.err
    rows = table(tmp_path / "out/filters.tsv")
    filters = dm.filter_motifs(dm.load(model), dm.read_fasta(folder / "labelled.fa"), route=route)
    assert [row["motif"] for row in rows] == [motif.name for motif in filters]
    alive = [motif for motif in filters if not motif.dead]
    saved = dm.read_meme(tmp_path / "out/filters.meme")
    assert [motif.name for motif in saved] == [motif.name for motif in alive]
    np.testing.assert_allclose(saved[0].probabilities, alive[0].probabilities, atol=1e-6)
    for row in rows:
        assert (row["target"] == "") == (row["dead"] == "True")
    page = (tmp_path / "out/gallery.html").read_text()
    assert page.count("<article") == len(filters)
    if route == "activation":
        assert all(row["positive_share"] and row["n_sites"] for row in rows)


def test_motifs_of_unlabelled_sequences_and_a_deeper_layer(folder, tmp_path):
    arguments = ["--model", folder / "models/cnn.safetensors", folder / "peaks.fa", "--output", tmp_path, "-q"]
    assert run("motifs", *arguments, "--layer", "conv1d_1", "--threshold", "0.8") == 0
    assert {row["motif"] for row in table(tmp_path / "filters.tsv")} >= {"filter_0", "filter_127"}


def test_same_seed_same_files(folder, tmp_path):
    arguments = ["motifs", "--model", folder / "models/cnn.safetensors", folder / "peaks.fa", "-q", "--seed", "3"]
    for name in ("one", "two"):
        assert run(*arguments, "--output", tmp_path / name) == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_tomtom_is_the_function(folder, capsys):
    assert run("tomtom", folder / "motif.meme", folder / "known.meme", "--threshold", "1", "-q") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    found = pandas.read_csv(io.StringIO(captured.out), sep="\t")
    expected = dm.tomtom(dm.read_meme(folder / "motif.meme"), dm.read_meme(folder / "known.meme"), threshold=1)
    assert list(found["target"]) == list(expected["target"])
    assert found["target"][0] == "AP1"
    np.testing.assert_allclose(found["p_value"], expected["p_value"], rtol=1e-5)


def test_tomtom_options(folder, capsys):
    arguments = ["tomtom", folder / "motif.meme", folder / "known.meme", "--distance", "ed", "--incomplete-scores"]
    assert run(*arguments, "--norc", "--min-overlap", "5", "--threshold", "0.01", "--threshold-on", "p_value") == 0
    captured = capsys.readouterr()
    assert "comparing 1 motifs with 61" in captured.err
    found = pandas.read_csv(io.StringIO(captured.out), sep="\t")
    assert set(found["orientation"]) == {"+"}
    assert found["p_value"].max() <= 0.01
    assert run("tomtom", folder / "known.meme", folder / "motif.meme") == 0
    assert "warning: 1 targets are few" in capsys.readouterr().err


def test_scan_takes_sequences_of_any_lengths(folder, capsys):
    assert run("scan", folder / "motif.meme", folder / "uneven_letters.fa", "--p-value", "1", "-q") == 0
    assert pandas.read_csv(io.StringIO(capsys.readouterr().out), sep="\t")["sequence"].unique().tolist() == ["a"]
    assert run("scan", folder / "known.meme", folder / "uneven_letters.fa") == 0
    captured = capsys.readouterr()
    hits = pandas.read_csv(io.StringIO(captured.out), sep="\t")
    ap1 = hits[hits["motif"] == "AP1"]
    assert ap1[["sequence", "start", "end", "strand"]].values.tolist() == [
        ["a", 2, 9, "+"],
        ["b", 0, 7, "+"],
        ["d", 2, 9, "-"],
    ]
    assert re.search(r"\d+ hits in 4 sequences", captured.err)
    assert run("scan", folder / "known.meme", folder / "uneven_letters.fa", "--norc", "-q") == 0
    assert "\t-\t" not in capsys.readouterr().out


def test_scan_equals_the_function(folder, capsys):
    data = dm.read_fasta(folder / "peaks.fa")
    assert run("scan", folder / "known.meme", folder / "peaks.fa", "--p-value", "1e-3", "-q") == 0
    found = pandas.read_csv(io.StringIO(capsys.readouterr().out), sep="\t")
    expected = dm.scan(dm.read_meme(folder / "known.meme"), data, 1e-3)
    assert list(found["start"]) == list(expected["start"])
    assert list(found["sequence"]) == [data.names[row] for row in expected["sequence"]]
    np.testing.assert_allclose(found["q_value"], expected["q_value"], rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["motifs", "--model", "missing", "peaks.fa", "--output", "o"], 1, "missing"),
        (["motifs", "peaks.fa", "--output", "o"], 2, "--model"),
        (["motifs", "--model", "m", "peaks.fa", "--output", "o", "--route", "x"], 2, "invalid choice"),
        (["motifs", "--model", "m", "peaks.fa", "--output", "o", "--threshold", "1"], 2, "below 1"),
        (["motifs", "--model", "MODEL", "peaks.fa", "--output", "o", "--layer", "dense_0"], 1, "reads all of it"),
        (["motifs", "--model", "MODEL", "peaks.fa", "--output", "o", "--target", "9"], 1, "no class '9'"),
        (["motifs", "--model", "MODEL", "peaks.fa", "--output", "o", "--database", "none"], 1, "none"),
        (["tomtom", "motif.meme"], 2, "TARGET"),
        (["tomtom", "motif.meme", "none.meme"], 1, "none.meme"),
        (["tomtom", "peaks.fa", "known.meme"], 1, "peaks.fa"),
        (["tomtom", "motif.meme", "known.meme", "--distance", "x"], 2, "invalid choice"),
        (["scan", "motif.meme", "empty.fa"], 1, "holds no sequences"),
        (["scan", "motif.meme", "protein.fa"], 1, "record 1 (a)"),
        (["scan", "motif.meme", "peaks.fa", "--p-value", "0"], 2, "above 0"),
        (["scan", "motif.meme", "peaks.fa", "--p-value", "2"], 2, "expected a number"),
    ],
)
def test_errors(folder, tmp_path, monkeypatch, capsys, arguments, code, words):
    monkeypatch.chdir(folder)
    model = folder / "models/cnn.safetensors"
    given = [model if a == "MODEL" else tmp_path if a == "o" else a for a in arguments]
    assert words in fails(capsys, code, *given, *(["-q"] if code == 1 else []))
