"""Motifs room: the Motif class, MEME files, and hits against enumeration."""

import builtins
import gzip
import itertools
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deepmotif as dm
from deepmotif import _example_motif
from deepmotif.exceptions import (
    FileFormatError,
    FileWriteError,
    InvalidArgumentError,
    MissingDependencyError,
    ShapeError,
)
from deepmotif.motifs import example_motif, find_hits

MATRIX = np.array([[0.7, 0.1, 0.1, 0.1], [0, 0, 1, 0], [0.25, 0.25, 0.25, 0.25], [0.4, 0.3, 0.2, 0.1]])


def random_matrix(width, seed=0):
    return np.random.default_rng(seed).dirichlet([0.5] * 4, width)


# MARK: the class


def test_information_and_consensus():
    motif = dm.Motif(MATRIX, name="m")
    entropy = [-sum(p * np.log2(p) for p in row if p > 0) for row in MATRIX]
    # Sums of four terms below 1 in another order: a few epsilon.
    np.testing.assert_allclose(motif.information_content, 2 - np.array(entropy), atol=1e-14)
    assert motif.consensus == "AGAA"
    assert len(motif) == 4
    np.testing.assert_array_equal(np.asarray(motif), MATRIX)
    assert "'AGAA', 4 positions" in repr(motif)


def test_arrays_are_copies_and_read_only():
    given_counts = MATRIX * 10
    motif = dm.Motif(MATRIX, counts=given_counts)
    given_counts[0, 0] = 99
    assert motif.counts[0, 0] == 7
    for array in (motif.counts, motif.probabilities):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_counts_give_probabilities_and_sites():
    motif = dm.Motif(None, counts=[[3, 1, 0, 0], [1, 1, 1, 2]])
    assert motif.probabilities.tolist() == [[0.75, 0.25, 0, 0], [0.2, 0.2, 0.2, 0.4]]
    assert motif.n_sites == 5
    assert dm.Motif(MATRIX).n_sites is None
    assert dm.Motif(MATRIX, counts=MATRIX * 20, n_sites=7).n_sites == 7


def test_rows_are_normalised_within_a_hundredth_only():
    rounded = dm.Motif([[0.333, 0.333, 0.333, 0]])
    np.testing.assert_allclose(rounded.probabilities.sum(axis=1), 1, rtol=1e-15)
    exact = np.array([[0.1, 0.2, 0.3, 0.4]])
    assert dm.Motif(exact).probabilities.tobytes() == exact.tobytes()


def test_reverse_complement():
    motif = dm.Motif(MATRIX, "m", MATRIX * 10, alternate_name="gene", background=[0.1, 0.2, 0.3, 0.4])
    other = motif.reverse_complement()
    assert other.consensus == "TACT"
    np.testing.assert_array_equal(other.counts, motif.counts[::-1, ::-1])
    np.testing.assert_array_equal(other.background, [0.4, 0.3, 0.2, 0.1])
    twice = other.reverse_complement()
    assert (twice.name, twice.alternate_name, twice.n_sites) == ("m", "gene", 10)
    np.testing.assert_array_equal(twice.probabilities, motif.probabilities)


def test_trim():
    motif = dm.Motif.from_consensus("NNGATNAN", name="m")
    assert motif.trim().consensus == "GATAA"
    assert (motif.trim().name, len(motif.trim(0)), len(motif.trim(3))) == ("m", 8, 1)
    assert len(dm.Motif([[0.25] * 4] * 5).trim()) == 1
    with_counts = dm.Motif(None, counts=[[1, 1, 1, 1], [0, 4, 0, 0]]).trim()
    assert with_counts.counts.tolist() == [[0, 4, 0, 0]]


def test_from_consensus():
    motif = dm.Motif.from_consensus("gRnu")
    assert motif.name == "gRnu"
    assert motif.probabilities.tolist() == [[0, 0, 1, 0], [0.5, 0, 0.5, 0], [0.25] * 4, [0, 0, 0, 1]]
    for wrong in ("", "GA-T", None):
        with pytest.raises(InvalidArgumentError, match="consensus"):
            dm.Motif.from_consensus(wrong)


def test_log_odds_by_hand():
    # 20 sites where the motif names none, the pseudocount spread by the background.
    values = dm.Motif([[1, 0, 0, 0]]).log_odds([0.4, 0.3, 0.2, 0.1], pseudocount=0.5)
    expected = np.log2([(20 + 0.5 * 0.4) / 20.5 / 0.4, *[0.5 / 20.5] * 3])
    np.testing.assert_allclose(values, [expected], rtol=1e-14)
    counted = dm.Motif(None, counts=[[4, 0, 0, 0]]).log_odds()
    np.testing.assert_allclose(counted[0, 0], np.log2((4 + 0.025) / 4.1 / 0.25), rtol=1e-14)


def test_to_frame(monkeypatch):
    pandas = pytest.importorskip("pandas")
    frame = dm.Motif(MATRIX).to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert (list(frame.columns), frame.shape) == (["A", "C", "G", "T"], (4, 4))
    original = builtins.__import__

    def without(name, *args, **options):
        if name == "pandas":
            raise ImportError(name)
        return original(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match="pip install"):
        dm.Motif(MATRIX).to_frame()


def test_motifs_pickle():
    copy = pickle.loads(pickle.dumps(example_motif()))
    assert repr(copy) == repr(example_motif())
    np.testing.assert_array_equal(copy.counts, example_motif().counts)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"probabilities": None}, InvalidArgumentError, "and no counts either"),
        ({"probabilities": MATRIX.T[:, :3]}, ShapeError, r"\(4, L\): pass probabilities.T"),
        ({"probabilities": np.ones((3, 5))}, ShapeError, r"must have shape \(L, 4\).*got \(3, 5\)"),
        ({"probabilities": np.ones((0, 4))}, ShapeError, "L at least 1"),
        ({"probabilities": [[1, 0, 0], [1, 0, 0, 0]]}, ShapeError, "array .* of numbers"),
        ({"probabilities": "ACGT"}, ShapeError, "array .* of numbers"),
        ({"probabilities": [[np.nan, 0, 0, 1]]}, InvalidArgumentError, r"got nan at probabilities\[0, 0\]"),
        ({"probabilities": [[1.5, -0.5, 0, 0]]}, InvalidArgumentError, r"got -0.5 at probabilities\[0, 1\]"),
        ({"probabilities": [[1, 0, 0, 0], [9, 3, 4, 4]]}, InvalidArgumentError, r"probabilities\[1\] sums to 20"),
        ({"probabilities": [[0.9, 0.08, 0, 0]]}, InvalidArgumentError, "sums to 0.98"),
        ({"probabilities": MATRIX, "counts": MATRIX[:2]}, ShapeError, "counts must have the shape of probabilities"),
        ({"probabilities": None, "counts": [[0, 0, 0, 0]]}, InvalidArgumentError, r"at counts\[0\]"),
        ({"probabilities": MATRIX, "name": 3}, InvalidArgumentError, "name must be a str"),
        ({"probabilities": MATRIX, "n_sites": -1}, InvalidArgumentError, "n_sites"),
        ({"probabilities": MATRIX, "background": [0.5, 0.5, 0, 0]}, InvalidArgumentError, "background"),
    ],
)
def test_motif_refuses(options, error, words):
    with pytest.raises(error, match=words):
        dm.Motif(**options)


def test_example_motif_is_its_counts():
    motif = example_motif()
    np.testing.assert_array_equal(motif.counts.T, _example_motif.COUNTS)
    assert set(motif.counts.sum(axis=1)) == {17955}
    assert "CTTATC" in motif.consensus


# MARK: MEME files

HEAD = "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\n"
BACKGROUND = "Background letter frequencies\nA 0.3 C 0.2 G 0.2 T 0.3\n\n"
BODY = "MOTIF MA1 gene\nletter-probability matrix: alength= 4 w= 2 nsites= 7 E= 0\n 0.5 0.5 0 0\n 0 0 0.25 0.75\n"


@pytest.fixture
def write(tmp_path):
    def writer(content, name="motifs.meme"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writer


def test_read_minimal(write):
    (motif,) = dm.read_meme(write(HEAD + BACKGROUND + BODY + "URL http://example.org\n"))
    assert (motif.name, motif.alternate_name, motif.n_sites, motif.counts) == ("MA1", "gene", 7, None)
    assert motif.probabilities.tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0.25, 0.75]]
    assert motif.background.tolist() == [0.3, 0.2, 0.2, 0.3]


@pytest.mark.parametrize(
    "alphabet",
    [
        "",
        "ALPHABET= ACGT\n",
        "ALPHABET= ACGU\n",
        'ALPHABET "DNA" DNA-LIKE\nA "Adenine" CC0000 ~ T "Thymine" 008000\n'
        'C "Cytosine" ~ G "Guanine"\nN = ACGT\nEND ALPHABET\n',
    ],
)
def test_alphabets_and_what_may_be_missing(alphabet, write):
    body = BODY.replace(" nsites= 7 E= 0", "").replace(" w= 2", "") + "\nMOTIF two\n" + BODY.split("\n", 1)[1]
    one, two = dm.read_meme(write("MEME version 5.4.1\n" + alphabet + body))
    assert (one.n_sites, one.background, two.name, two.alternate_name) == (None, None, "two", "")
    np.testing.assert_array_equal(one.probabilities, two.probabilities)


def test_read_output_of_meme_itself(write):
    text = HEAD + (
        "Background letter frequencies (from dataset):\nA 0.3 C 0.2\nG 0.2 U 0.3\n****\n"
        "MOTIF  GATA MEME-1\twidth =   2  sites =   7  llr = 99  E-value = 1.0e-3\n***\n"
        "\tMotif GATA MEME-1 position-specific scoring matrix\n"
        "log-odds matrix: alength= 4 w= 2 n= 9\n  100 -10 -10 -10\n"
        "\tMotif GATA MEME-1 position-specific probability matrix\n---\n" + BODY.split("\n", 1)[1] + "---\n"
    )
    (motif,) = dm.read_meme(write(text))
    assert (motif.name, motif.alternate_name, motif.n_sites) == ("GATA", "MEME-1", 7)
    assert motif.background.tolist() == [0.3, 0.2, 0.2, 0.3]


def test_names_become_unique(write):
    again = BODY.replace("MA1", "MA1_2")
    with pytest.warns(UserWarning, match="1 in all, such as MA1_3"):
        motifs = dm.read_meme(write(HEAD + BODY + BODY + again))
    # The motif that is called MA1_2 by its file keeps that name.
    assert [motif.name for motif in motifs] == ["MA1", "MA1_3", "MA1_2"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BODY, "no line 'MEME version'"),
        (HEAD, "holds no motifs"),
        (HEAD.replace("ACGT", "ACDEFGHIKLMNPQRSTVWY") + BODY, "line 3: the alphabet must be ACGT or ACGU"),
        (HEAD + BODY.replace("\n 0 0 0.25 0.75", ""), "line 9: motif MA1 has 1 rows of 2; is the file cut short"),
        (HEAD + BODY + " 1 0 0 0\n", "line 11: motif MA1 has more rows than the 2 announced"),
        (HEAD + BODY.replace("0.25 0.75", "0.25 nan"), "line 10: motif MA1: probabilities must be finite"),
        (HEAD + BODY.replace("0.25 0.75", "-0.25 1.25"), "line 10: .* not negative; got 0 0 -0.25 1.25"),
        (HEAD + BODY.replace("0.25 0.75", "0.25 0.77"), r"line 10: .*must sum to 1; 0 0 0.25 0.77 sum to 1\.02"),
        (HEAD + BODY.replace("0.25 0.75", "0.25 x"), "line 10: .*row 2 of 2 must be 4 probabilities; got '0 0 0.25 x'"),
        (HEAD + BODY.replace("0.25 0.75", "0.25"), "line 10: .*must be 4 probabilities"),
        (HEAD + BODY.replace("alength= 4", "alength= 20"), "line 8: .*must have 4 letters; got alength= 20"),
        (HEAD + BODY.replace("w= 2", "w= two"), "line 8: w= must be a whole number"),
        (HEAD + BODY.replace("nsites= 7", "nsites= -7"), "line 8: nsites must not be negative"),
        (HEAD + BODY.replace("nsites= 7", "nsites= many"), "line 8: expected a number; got 'many'"),
        (HEAD + "MOTIF\n", "line 7: a MOTIF line must name the motif"),
        (HEAD + "MOTIF a\n" + BODY, "line 8: motif a has no letter-probability matrix"),
        (HEAD + BODY + "MOTIF b\n", "motif b has no letter-probability matrix; is the file cut short"),
        (HEAD + BODY.split("\n", 1)[1], "line 7: a letter-probability matrix without a MOTIF line"),
        (HEAD + BACKGROUND.replace("T 0.3", "T 0.5") + BODY, "line 8: background frequencies .* must sum to 1"),
        (HEAD + BACKGROUND.replace("T 0.3", "T x") + BODY, "line 8: expected a number; got 'x'"),
    ],
)
def test_read_refuses_with_the_line(text, words, write):
    with pytest.raises(FileFormatError, match=words):
        dm.read_meme(write(text))


def test_a_small_rounding_of_rows_is_taken(write):
    (motif,) = dm.read_meme(write(HEAD + BODY.replace("0.25 0.75", "0.251 0.754")))
    np.testing.assert_allclose(motif.probabilities.sum(axis=1), 1, rtol=1e-15)


names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


@given(st.lists(names, min_size=1, max_size=4, unique=True), st.integers(0, 2**32 - 1), st.booleans())
def test_read_inverts_write(tmp_path_factory, listed, seed, compressed):
    random = np.random.default_rng(seed)
    background = random.dirichlet([5] * 4)
    motifs = [
        dm.Motif(random.dirichlet([0.3] * 4, random.integers(1, 20)), name, n_sites=random.integers(1, 1000),
                 alternate_name=name[::-1], background=background)
        for name in listed
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("meme") / ("a.meme.gz" if compressed else "a.meme")
    dm.write_meme(path, motifs)
    for before, after in zip(motifs, dm.read_meme(path), strict=True):
        assert (before.name, before.alternate_name, before.n_sites) == (after.name, after.alternate_name, after.n_sites)
        assert before.probabilities.tobytes() == after.probabilities.tobytes()
        assert before.background.tobytes() == after.background.tobytes()


def test_same_motifs_same_bytes(tmp_path):
    for name in ("a.meme", "b.meme.gz"):
        dm.write_meme(tmp_path / name, example_motif())
        first = (tmp_path / name).read_bytes()
        dm.write_meme(tmp_path / name, [example_motif()])
        assert (tmp_path / name).read_bytes() == first
    assert gzip.decompress(first) == (tmp_path / "a.meme").read_bytes()


def test_nameless_motifs_are_numbered(tmp_path):
    dm.write_meme(tmp_path / "a", [dm.Motif(MATRIX), dm.Motif(MATRIX)])
    assert [motif.name for motif in dm.read_meme(tmp_path / "a")] == ["motif_1", "motif_2"]


@pytest.mark.parametrize(
    ("motifs", "words"),
    [
        ([], "at least one motif"),
        (3, "motifs must be a Motif or a list"),
        ([MATRIX], r"motifs\[0\] must be a Motif"),
        ([dm.Motif(MATRIX, "a b")], r"motifs\[0\] must have a name without blanks .* got 'a b'"),
        ([dm.Motif(MATRIX, "a", alternate_name="x\ny")], "without blanks"),
        ([dm.Motif(MATRIX, "a"), dm.Motif(MATRIX, "a")], "unique names; 'a'"),
    ],
)
def test_write_refuses(motifs, words, tmp_path):
    with pytest.raises(InvalidArgumentError, match=words):
        dm.write_meme(tmp_path / "a", motifs)
    assert not (tmp_path / "a").exists()


def test_write_where_nothing_can_be_written(tmp_path):
    with pytest.raises(FileWriteError) as caught:
        dm.write_meme(tmp_path / "no folder" / "a", example_motif())
    assert isinstance(caught.value, OSError)


# MARK: hits


def p_value_by_enumeration(motif, background, score):
    """P(S >= score) over all words; scores that differ in the order of summation only count as equal."""
    log_odds = motif.log_odds(background)
    total = 0.0
    for word in itertools.product(range(4), repeat=len(motif)):
        if sum(log_odds[k, letter] for k, letter in enumerate(word)) >= score - 1e-10:
            total += np.prod([background[letter] for letter in word])
    return total


@pytest.mark.parametrize("background", [[0.25] * 4, [0.35, 0.15, 0.2, 0.3]])
def test_hits_are_the_windows_below_the_p_value(background):
    motif = dm.Motif(random_matrix(5, seed=4))
    codes = np.random.default_rng(1).integers(0, 4, 60).astype(np.uint8)
    expected = {}
    for strand, matrix in (("+", motif), ("-", motif.reverse_complement())):
        log_odds = matrix.log_odds(background)
        for start in range(56):
            score = log_odds[np.arange(5), codes[start : start + 5]].sum()
            expected[start, start + 5, strand] = p_value_by_enumeration(matrix, background, score)
    for bound in (0.01, 0.05, 0.3, 1.0):
        hits = find_hits(motif, codes, bound, background, overlapping=True)
        assert set(hits) == {place for place, p in expected.items() if p <= bound}
        # Enumeration and engine sum in different orders: equal to 1e-12, sorted up to that.
        values = [expected[hit] for hit in hits]
        assert all(b > a - 1e-12 for a, b in itertools.pairwise(values))
    best = find_hits(motif, codes, 0.3, background)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(sorted(best)))
    assert best[0] == find_hits(motif, codes, 0.3, background, overlapping=True)[0]


def test_unknown_bases_are_in_no_hit():
    motif = dm.Motif.from_consensus("GATA")
    assert find_hits(motif, "NNGATANNGANA", 1.0, overlapping=True) == [(2, 6, "+"), (2, 6, "-")]


def test_hits_of_every_form_of_one_sequence():
    motif = dm.Motif.from_consensus("GATAAG")
    string = "TTGATAAGTTTTTCTTATCAA"
    for sequence in (string, [string], dm.encode(string), dm.encode(string)[0], dm.one_hot(string)[:, :, :].argmax(2)):
        assert find_hits(motif, sequence) == [(2, 8, "+"), (13, 19, "-")]
    assert find_hits(motif.probabilities, string) == find_hits(motif, string)
    assert find_hits(motif, "GATA") == []
    for wrong in ([string, string], dm.one_hot(string)):
        with pytest.raises(ShapeError, match="codes must be one sequence"):
            find_hits(motif, wrong)


def test_hits_options_are_checked():
    for options in ({"p_value": -1}, {"p_value": 2}, {"background": [1, 1, 1, 1]}, {"pseudocount": -1}):
        with pytest.raises(InvalidArgumentError, match=re.escape(next(iter(options)))):
            find_hits(MATRIX, "ACGTACGT", **options)


def test_planted_sites_are_found():
    motif = example_motif()
    X, y, starts = dm.simulate(200, length=80, motifs=motif, return_positions=True, random_state=3, strand="both")
    found = sum(
        any(start == place for start, _, _ in find_hits(motif, X[row], p_value=1e-2))
        for row, place in enumerate(starts)
        if y[row]
    )
    # Sites are drawn from the matrix; those weaker than 1 % of all random words are few.
    assert found >= 85
