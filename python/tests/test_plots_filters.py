"""plot_filters and the gallery: what is drawn of each filter, where, and that names are only text."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest

import deepmotif as dm
from deepmotif.html._svg import letter_symbols, logo_shapes


def make_filter(index, consensus, **properties):
    known = {"filter": index, "layer": "conv1d_0", "route": "activation", "dead": False, "start": 0, "jump": 1}
    known |= {"maximum": 1.0, "positive_share": 0.5, "negative_share": 0.25, "importance": 0.1 * index, "group": index}
    profile = np.arange(20)
    probabilities = dm.Motif.from_consensus(consensus).probabilities
    known |= {"profile": profile} | properties
    return dm.FilterMotif(probabilities, f"filter_{index}", 30 * probabilities, 30, **known)


@pytest.fixture(scope="module")
def targets():
    rng = np.random.default_rng(0)
    known = [dm.Motif(rng.dirichlet(np.full(4, 0.3), size=8), name=f"known_{i}") for i in range(60)]
    return [*known, dm.Motif.from_consensus("CCTGACTCACC", "AP1"), dm.Motif.from_consensus("AAGATAAGAA", "GATA")]


@pytest.fixture(scope="module")
def motifs():
    return [
        make_filter(0, "TGACTCA"),
        make_filter(1, "CTTATCT", importance=-0.3),
        make_filter(2, "NNNNNNN", dead=True, importance=0.0, group=None),
        make_filter(3, "CACGTGA"),
    ]


@pytest.fixture
def matches(motifs, targets):
    return dm.motif_matches(motifs, targets)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_table_has_every_filter_once_in_order(matches):
    assert list(matches["motif"]) == [f"filter_{i}" for i in range(4)]
    assert list(matches["target"][:2]) == ["AP1", "GATA"]
    assert matches["target"].isna().tolist() == [False, False, True, False]
    assert matches.loc[0, ["n_sites", "group", "orientation"]].tolist() == [30, 0, "+"]
    assert matches.loc[1, "orientation"] == "-"


def test_table_with_several_matches_and_without_living_filters(motifs, targets):
    table = dm.motif_matches(motifs, targets, top=3)
    assert len(table) == 10
    expected = dm.tomtom(motifs[0], targets)
    assert table["p_value"][:3].tolist() == expected["p_value"][:3].tolist()
    table = dm.motif_matches(motifs[2], targets)
    assert (len(table), table["target"].isna().all()) == (1, True)
    assert list(table.columns) == list(dm.motif_matches(motifs, targets).columns)


def test_unnamed_motifs_keep_their_numbers(targets):
    plain = [dm.Motif.from_consensus(text).probabilities for text in ("TGACTCA", "CTTATCT")]
    table = dm.motif_matches([dm.Motif(matrix) for matrix in plain], targets)
    assert list(table["motif"]) == ["motif_1", "motif_2"]
    assert list(table["target"]) == ["AP1", "GATA"]


def columns_of(ax):
    """First and last column of the letters of the logo and of the match."""
    found = []
    for low, high in ((0.0, 2.01), (-2.51, -0.49)):
        boxes = []
        for collection in ax.collections:
            for path in collection.get_paths():
                box = path.get_extents((collection.get_transform() - ax.transData).frozen())
                if box.y0 >= low - 1e-6 and box.y1 <= high:
                    boxes.append((box.x0, box.x1))
        found.append((round(min(b[0] for b in boxes)), round(max(b[1] for b in boxes))) if boxes else None)
    return found


def test_matches_are_drawn_aligned(motifs, matches, targets):
    axes = dm.plot_filters(motifs, matches, targets, order="filter")
    assert [ax.get_label() for ax in axes] == ["filter_0", "filter_1", "filter_3"]
    # TGACTCA is position 2 of the target; CTTATCT turned is AGATAAG, position 1: turned, two letters before it.
    assert columns_of(axes[0]) == [(0, 6), (-2, 8)]
    assert columns_of(axes[1]) == [(0, 6), (-2, 7)]
    assert "AP1 (+)" in axes[0].texts[0].get_text()
    assert "GATA (-)" in axes[1].texts[0].get_text()
    assert "1 dead: filter_2" in [text.get_text() for text in axes[0].figure.texts]


def test_orders(motifs, matches):
    assert [ax.get_label() for ax in dm.plot_filters(motifs)] == ["filter_3", "filter_0", "filter_1"]
    by_match = [ax.get_label() for ax in dm.plot_filters(motifs, matches, order="match")]
    assert by_match[-1] == "filter_3"


def test_plain_motifs_and_only_dead_ones(motifs):
    axes = dm.plot_filters([dm.Motif.from_consensus("GATAAG"), dm.Motif.from_consensus("CACGTGTTTT")], columns=1)
    assert [ax.get_label() for ax in axes] == ["GATAAG", "CACGTGTTTT"]
    assert axes[0].get_xlim() == axes[1].get_xlim()
    assert len(dm.plot_filters(motifs[2])) == 0


def test_figures_leave_global_state_alone(motifs, matches, targets):
    before = plt.rcParams.copy()
    dm.plot_filters(motifs, matches, targets, title="$a_b$")
    assert plt.rcParams == before


def test_many_filters_fit():
    """The bar is a page of 128 filters within seconds."""
    rng = np.random.default_rng(1)
    many = [dm.Motif(rng.dirichlet(np.full(4, 0.3), size=24), name=f"m{i}") for i in range(128)]
    axes = dm.plot_filters(many)
    boxes = [ax.get_position() for ax in axes]
    assert all(0 <= box.x0 < box.x1 <= 1 and 0 <= box.y0 < box.y1 <= 1 for box in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"motifs": [1]}, "motifs must be a Motif"),
        ({"order": "size"}, "order must be one of"),
        ({"matches": [1]}, "matches must be a table"),
        ({"targets": "jaspar"}, "targets must be a Motif"),
    ],
)
def test_errors(motifs, tmp_path, changes, words):
    arguments = {"motifs": motifs} | changes
    with pytest.raises(dm.InvalidArgumentError, match=words):
        dm.plot_filters(**arguments)
    with pytest.raises(dm.InvalidArgumentError, match=words):
        dm.gallery_html(tmp_path / "page.html", **arguments)
    with pytest.raises(dm.InvalidArgumentError, match="columns"):
        dm.plot_filters(motifs, columns=0)


# MARK: the page


def test_page_shows_every_filter(motifs, matches, targets, tmp_path):
    dm.gallery_html(tmp_path / "page.html", motifs, matches, targets, title="a layer")
    page = (tmp_path / "page.html").read_text()
    assert re.findall(r"<h2>(filter_\d)</h2>", page) == [f"filter_{i}" for i in (3, 0, 2, 1)]
    assert page.count("<article") == 4
    assert page.count('role="img"') == 3
    assert "AP1 (+), E = " in page
    assert "1 dead" in page
    for number, row in enumerate(re.findall(r"<tr><td>(.*?)</td>", page)):
        assert row == ["filter_0", "filter_1", "filter_3"][number]


def test_page_needs_nothing_else(motifs, tmp_path):
    dm.gallery_html(tmp_path / "page.html", motifs)
    page = (tmp_path / "page.html").read_text()
    assert re.findall(r"(?:src|href)=\"(?!#)", page) == []
    assert "http" not in page
    assert "@import" not in page
    assert (tmp_path / "page.html").read_bytes() == (
        dm.gallery_html(tmp_path / "again.html", motifs) or (tmp_path / "again.html").read_bytes()
    )


def test_names_are_only_text(motifs, targets, tmp_path):
    evil = "<script>alert(1)</script>"
    targets = [*targets[:-2], dm.Motif(targets[-2].probabilities, name=evil, alternate_name='"><img src=x>')]
    bad = make_filter(5, "TGACTCA")
    bad.name = "</article>" + evil
    matches = dm.motif_matches([bad], targets)
    assert matches["target"][0] == evil
    dm.gallery_html(tmp_path / "page.html", [bad], matches, targets, title=evil)
    page = (tmp_path / "page.html").read_text()
    assert page.count("<script>") == 1
    assert page.count("</article>") == 1
    assert "<img" not in page


def test_pictures_are_well_formed(motifs, matches, targets, tmp_path):
    dm.gallery_html(tmp_path / "page.html", motifs, matches, targets)
    page = (tmp_path / "page.html").read_text()
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 4
    for picture in pictures:
        ElementTree.fromstring(picture)


def test_letters_stand_where_the_logo_has_them():
    heights = np.array([[2.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.25, 0.0]])
    shapes = logo_shapes(heights, start=1, base=44)
    found = re.findall(
        r'href="#letter-(\w)" transform="translate\(([\d.]+) ([\d.]+)\)scale\(([\d.]+) -([\d.]+)\)', shapes
    )
    assert [(letter, float(y), float(height)) for letter, _, y, _, height in found] == [
        ("A", 44.0, 44.0),
        ("C", 38.5, 11.0),
        ("G", 44.0, 5.5),
    ]
    assert all(10 * column <= float(x) <= 10 * column + 10 for column, (_, x, *_) in zip((1, 2, 2), found, strict=True))
    assert letter_symbols().count("<path") == 4


def test_unwritable_path(motifs, tmp_path):
    with pytest.raises(dm.FileWriteError):
        dm.gallery_html(tmp_path / "none" / "page.html", motifs)


def test_script_of_the_page_is_valid(motifs, tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    dm.gallery_html(tmp_path / "page.html", motifs)
    (tmp_path / "page.js").write_text(
        re.search(r"<script>(.*?)</script>", (tmp_path / "page.html").read_text(), re.S)[1]
    )
    assert subprocess.run([node, "--check", str(tmp_path / "page.js")], capture_output=True).returncode == 0
