"""Figures of DeepResolve: what is drawn where; nothing shown, no model needed."""

from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest

import deepmotif as dm

matplotlib.use("Agg")


@pytest.fixture
def result():
    fiv = np.array([[1.0, -0.5, 0], [0.8, 0.5, 0.1]])
    return SimpleNamespace(
        fiv=fiv, ofiv=np.array([0.9, 0.5, 0.05]), inconsistency=np.array([0.01, 0.25, 0]), weights=np.array([1.0, 2.0]),
        non_additive=np.array([False, True, False]), n_components=2, target="bound", layer="max_pool1d_0",
        maps=np.random.default_rng(0).normal(size=(2, 7, 3)),
    )  # fmt: skip


def offsets(ax, color):
    """Place and area of every circle of a colour."""
    found = {}
    for collection in ax.collections:
        faces = collection.get_facecolor()
        if len(faces) and matplotlib.colors.to_hex(faces[0]) == color:
            places = [tuple(place) for place in collection.get_offsets().tolist()]
            found |= dict(zip(places, collection.get_sizes(), strict=True))
    return found


def test_circles(result):
    ax = dm.plot_ofiv(result)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["1", "2", "IL", "OFIV"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "2"]
    red, blue = offsets(ax, "#b2182b"), offsets(ax, "#2166ac")
    assert set(blue) == {(1.0, 0.0)}
    assert blue[1.0, 0.0] == pytest.approx(red[0.0, 0.0] / 2)  # area by magnitude
    assert red[1.0, 3.0] == pytest.approx(red[0.0, 3.0] * 0.5 / 0.9)
    stars = offsets(ax, "#e69b04")
    assert [x for x, _ in stars] == [1.0]
    assert ax.get_title() == "class bound"


def test_channels_are_rows_beside_logos(result):
    motifs = [dm.Motif(np.full((5, 4), 0.25)) for _ in range(3)]
    ax = dm.plot_ofiv(result, motifs=motifs, channels=[2, 1])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["2", "1"]
    assert len(ax.child_axes) == 2


def test_classes_are_rows(result):
    other = SimpleNamespace(**{**vars(result), "target": "free", "ofiv": -result.ofiv})
    ax = dm.plot_ofiv([result, other], order="channel")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["bound", "free"]
    assert all(y == 1 for _, y in offsets(ax, "#2166ac"))


def test_all_panels(result):
    figure = dm.plot_deepresolve(result)
    titles = [ax.get_title() for ax in figure.axes]
    assert "inconsistency levels: 2 components" in titles
    picture = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(picture, result.maps[1].T)  # the restart of the highest weight


def test_similarity(tmp_path):
    similarity = np.array([[1, 0.2, np.nan], [0.2, 1, -0.4], [np.nan, -0.4, 1]])
    ax = dm.plot_class_similarity(similarity, labels=["a", "b", "c"], order=[2, 0, 1], clusters=[0, 1, 0])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["c", "a", "b"]
    assert [text.get_text() for text in ax.texts][-1] == "1.00"
    assert len(ax.texts) == 7  # none where the similarity is not defined
    assert len(ax.patches) == 1
    assert ax.images[0].get_clim() == (-1, 1)
    ax.figure.savefig(tmp_path / "similarity.png")


def test_given_axes_are_used(result):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    figure = matplotlib.figure.Figure()
    for call in (dm.plot_ofiv, dm.plot_feature_map):
        ax = figure.add_subplot()
        assert call(result, ax) is ax
    assert plt.get_fignums() == before


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda r: dm.plot_ofiv("result"), "result must be of deepresolve"),
        (lambda r: dm.plot_ofiv(r, order="size"), "order must be"),
        (lambda r: dm.plot_ofiv(r, channels=[5]), "from 0 to 2"),
        (lambda r: dm.plot_ofiv(r, motifs=[]), "one for each of the 3 channels"),
        (lambda r: dm.plot_ofiv([]), "one OFIV"),
        (lambda r: dm.plot_feature_map(r, restart=2), "restart must be from 0 to 1"),
        (lambda r: dm.plot_class_similarity(np.zeros((2, 3))), "square"),
        (lambda r: dm.plot_class_similarity(np.eye(2), order=[0, 0]), "order must hold"),
        (lambda r: dm.plot_association_counts([1], [1, 2]), "counts"),
    ],
)
def test_refuses(result, call, words):
    with pytest.raises((dm.InvalidArgumentError, dm.ShapeError), match=words):
        call(result)


def test_page_and_command(tmp_path):
    from deepmotif.cli import main

    model = dm.CNN(filters=4, kernel_sizes=(5,), random_state=0).build(20, ["<b>", "free", "other"])
    model.save(tmp_path / "model.safetensors")
    arguments = ["resolve", str(tmp_path / "model.safetensors"), "--target", "all", "--out", str(tmp_path / "out")]
    assert main([*arguments, "--restarts", "3", "--quiet"]) == 0
    out = tmp_path / "out"
    page = (out / "channels.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;" in page
    assert "<h2>Class <b>" not in page
    assert page.count("data:image/png;base64,") == 5
    assert "http" not in page
    lines = (out / "channels.tsv").read_text().splitlines()
    assert lines[0].split("\t") == ["class", "rank", "channel", "ofiv", "inconsistency", "non_additive", "motif"]
    assert len(lines) == 13
    assert (out / "class_00001_free.png").exists()
    assert (out / "similarity.svg").exists()
    assert main(["resolve", str(tmp_path / "model.safetensors"), "--target", "bound", "--out", str(out)]) == 1
    assert main(["resolve", "--out", str(out)]) == 2
