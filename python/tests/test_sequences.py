"""Sequences room: letters, codes, the door of all sequence arguments, strands and shuffles."""

import itertools
import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deepmotif as dm
from deepmotif import _alphabet
from deepmotif.exceptions import InvalidArgumentError, ShapeError
from deepmotif.sequences import as_input

CODES = np.random.default_rng(0).integers(0, 5, (6, 10)).astype(np.uint8)
LETTERS = np.eye(5, 4, dtype=np.float32)[CODES]

dna = st.integers(1, 30).flatmap(lambda n: st.lists(st.text("ACGTN", min_size=n, max_size=n), min_size=1, max_size=5))


# MARK: letters and codes


@given(dna)
def test_decode_inverts_encode(strings):
    assert dm.decode(dm.encode(strings)) == strings
    assert dm.decode(dm.one_hot(strings)) == strings


@given(st.text("ACGTRYSWKMBDHVN", min_size=1, max_size=40))
def test_fractions_decode_to_their_letters(string):
    letters = dm.encode(string, ambiguous="fraction")
    assert dm.decode(letters) == [string]
    # 1/3 in float32 is off by half an epsilon; three of them and their sum by two at most.
    np.testing.assert_allclose(letters.sum(axis=2), 1, atol=2 * np.finfo(np.float32).eps)


def test_fraction_of_every_ambiguity_letter():
    for letter, bases in _alphabet.IUPAC.items():
        expected = [np.float32(1 / len(bases)) if base in bases else 0 for base in "ACGT"]
        np.testing.assert_array_equal(dm.encode(letter, ambiguous="fraction")[0, 0], expected)


def test_lower_case_rna_and_ambiguity():
    np.testing.assert_array_equal(dm.encode(["acgu", "nRyT"]), [[0, 1, 2, 3], [4, 4, 4, 3]])
    assert dm.encode("ACGT").dtype == np.uint8


def test_length_cuts_and_pads_on_the_right():
    np.testing.assert_array_equal(dm.encode(["ACGTA", "TG"], length=3), [[0, 1, 2], [3, 2, 4]])
    np.testing.assert_array_equal(dm.encode("A", length=2, ambiguous="fraction"), [[[1, 0, 0, 0], [0, 0, 0, 0]]])
    assert dm.encode("AC", length=3, ambiguous="error").tolist() == [[0, 1, 4]]


@pytest.mark.parametrize(
    ("strings", "words"),
    [
        (["ACG", "A-G"], r"seqs\[1\] .* got '-', a gap, at position 1"),
        (["AC G"], "a blank, at position 2"),
        (["ACG1"], "a digit, at position 3"),
        (["MKVLE"], r"seqs\[0\] .*'L'.*protein.*position 3"),
        (["AC€"], "not a nucleotide letter, at position 2"),
        (["ACGT", None], r"seqs\[1\] must be a str .* got NoneType"),
        (np.array(["ACG", float("nan")], dtype=object), r"seqs\[1\] must be a str .* got float nan"),
        (b"ACGT", "got bytes"),
        (CODES, "arrays of codes need no encoding"),
        (5, "got int"),
    ],
)
def test_encode_refuses(strings, words):
    with pytest.raises(InvalidArgumentError, match=words):
        dm.encode(strings)


def test_letters_behind_the_cut_are_checked_too():
    with pytest.raises(InvalidArgumentError, match="position 4"):
        dm.encode(["ACGT-"], length=3)


def test_unequal_lengths_name_the_remedy():
    with pytest.raises(ShapeError, match=r"seqs\[0\] has 3 letters and seqs\[2\] has 2; pass length="):
        dm.encode(["ACG", "ACG", "AC"])


@pytest.mark.parametrize("seqs", [[], [""], ["ACG", ""]])
def test_nothing_to_encode(seqs):
    with pytest.raises(ShapeError, match=r"empty|at least one sequence"):
        dm.encode(seqs)


def test_encode_options_are_checked():
    for ambiguous in ("drop", None, np.ones(2)):
        with pytest.raises(InvalidArgumentError, match="ambiguous must be"):
            dm.encode("A", ambiguous=ambiguous)
    for length in (0, -1, 2.5, True):
        with pytest.raises(InvalidArgumentError, match="length must be"):
            dm.encode("A", length=length)
    with pytest.raises(InvalidArgumentError, match=r"seqs\[1\] must hold ACGTU only .* got 'n' at position 1"):
        dm.encode(["AC", "An"], ambiguous="error")


def test_decode_refuses_soft_letters():
    with pytest.raises(InvalidArgumentError, match=r"X\[0, 1\].*argmax"):
        dm.decode(np.array([[[1, 0, 0, 0], [0.75, 0.25, 0, 0]]], dtype=np.float32))


# MARK: the door


@pytest.mark.parametrize(
    "X",
    [
        CODES,
        CODES.astype(np.int8),
        CODES.astype(">i8"),
        CODES.astype(np.float64),
        np.asfortranarray(CODES),
        np.repeat(CODES, 2, axis=1)[:, ::2],
        CODES[::-1][::-1],
        CODES.tolist(),
        dm.decode(CODES),
        tuple(dm.decode(CODES)),
        np.array(dm.decode(CODES)),
        np.array(dm.decode(CODES), dtype=object),
        np.array(dm.decode(CODES)).astype("S"),
        dm.Sequences(CODES),
    ],
)
def test_every_form_of_codes(X):
    result = as_input(X)
    np.testing.assert_array_equal(result, CODES)
    assert result.dtype == np.uint8
    assert result.flags.c_contiguous


@pytest.mark.parametrize(
    "X",
    [
        LETTERS,
        LETTERS.astype(np.float64),
        LETTERS.astype(">f4"),
        LETTERS.astype(np.float16),
        LETTERS.astype(bool),
        LETTERS.astype(np.int64),
        LETTERS.transpose(0, 2, 1).copy().transpose(0, 2, 1),
        LETTERS.tolist(),
    ],
)
def test_every_form_of_letters(X):
    result = as_input(X)
    np.testing.assert_array_equal(result, LETTERS)
    assert result.dtype == np.float32
    assert result.dtype.isnative
    assert result.flags.c_contiguous


def test_pandas_columns_are_taken():
    pandas = pytest.importorskip("pandas")
    series = pandas.Series(dm.decode(CODES), index=range(5, 11))
    np.testing.assert_array_equal(as_input(series), CODES)
    np.testing.assert_array_equal(as_input(pandas.DataFrame(CODES)), CODES)


def test_canonical_arrays_are_not_copied(tmp_path):
    for array in (CODES, LETTERS):
        array = array.copy()
        array.flags.writeable = False
        assert as_input(array) is array
    mapped = np.memmap(tmp_path / "codes", np.uint8, "w+", shape=(100, 50))
    assert np.shares_memory(as_input(mapped), mapped)
    signed = np.memmap(tmp_path / "codes", np.int8, "r", shape=(100, 50))
    assert np.shares_memory(as_input(signed), signed)


def test_inputs_stay_as_they_are():
    X = CODES.astype(np.float64)
    before = X.copy()
    as_input(X), dm.one_hot(X), dm.reverse_complement(X)
    np.testing.assert_array_equal(X, before)


def with_value(array, index, value):
    array = array.astype(np.float64)
    array[index] = value
    return array


@pytest.mark.parametrize(
    ("X", "error", "words"),
    [
        (CODES + 3, InvalidArgumentError, r"Z must hold codes 0-4 .* at Z\[\d, \d\]"),
        (with_value(CODES, (2, 3), np.nan), InvalidArgumentError, r"got nan at Z\[2, 3\]"),
        (with_value(CODES, (2, 3), np.inf), InvalidArgumentError, r"got inf at Z\[2, 3\]"),
        (with_value(CODES, (2, 3), 0.5), InvalidArgumentError, r"got 0.5 at Z\[2, 3\]"),
        (with_value(LETTERS, (5, 9, 3), np.nan), InvalidArgumentError, r"finite; got nan at Z\[5, 9, 3\]"),
        (with_value(LETTERS, (5, 9, 3), -np.inf), InvalidArgumentError, r"finite; got -inf at Z\[5, 9, 3\]"),
        (with_value(LETTERS, (0, 0, 1), 0.1), InvalidArgumentError, r"at Z\[0, 0, 1\]; .* Z.astype\(numpy.float32\)"),
        (with_value(LETTERS, (0, 0, 1), 1e300), InvalidArgumentError, "convert to it exactly"),
        (np.full((1, 2, 4), 2**24 + 1), InvalidArgumentError, "convert to it exactly"),
        (LETTERS.transpose(0, 2, 1), ShapeError, r"\(N, 4, L\): pass Z.transpose\(0, 2, 1\)"),
        (LETTERS[:, :, :3], ShapeError, r"must have shape \(N, L, 4\).*got shape \(6, 10, 3\)"),
        (LETTERS[0], ShapeError, r"one one-hot sequence .* Z\[None\]"),
        (CODES[0], ShapeError, r"a single sequence is Z\[None\]"),
        (CODES[:, :0], ShapeError, "at least one position"),
        (CODES[None, None], ShapeError, r"shape \(1, 1, 6, 10\)"),
        (CODES.astype(bool), InvalidArgumentError, "codes are integers 0-4"),
        (CODES.astype(complex), InvalidArgumentError, "dtype complex128"),
        (np.ma.masked_equal(CODES, 1), InvalidArgumentError, "masked"),
        ([[0, 1], [2]], ShapeError, "rows of one length"),
        (np.array([["A"], ["C"]]), ShapeError, "pass its only column"),
        (np.array([["A", "C"]]), ShapeError, r"shape \(1, 2\)"),
        (None, InvalidArgumentError, "got NoneType"),
        ({"a": "ACGT"}, InvalidArgumentError, "got dict"),
        (iter(["ACGT"]), InvalidArgumentError, "Z must be str"),
    ],
)
def test_the_door_refuses(X, error, words):
    with pytest.raises(error, match=words):
        as_input(X, name="Z")


def test_no_rows_is_a_shape_too():
    assert as_input(CODES[:0]).shape == (0, 10)
    assert dm.one_hot(CODES[:0]).shape == (0, 10, 4)


# MARK: Sequences


def test_sequences_behave_like_a_table():
    seqs = dm.Sequences(CODES, names=list("abcdef"), labels=[1, 0, 1, 0, 1, 0])
    assert len(seqs) == 6
    assert seqs.shape == (6, 10)
    assert seqs[1:3].names == ["b", "c"]
    assert seqs[[5, 0]].names == ["f", "a"]
    assert seqs[seqs.labels == 1].names == ["a", "c", "e"]
    assert len(seqs[[]]) == 0
    assert seqs[-1] == dm.decode(CODES)[-1]
    assert list(seqs) == dm.decode(CODES)
    assert "6 of 10 bp" in repr(seqs)
    assert np.shares_memory(seqs[1:3].codes, CODES)
    np.testing.assert_array_equal(np.asarray(seqs), CODES)


def test_sequences_refuse_what_does_not_fit():
    with pytest.raises(ShapeError, match="names must have one entry per sequence; expected 6, got 1"):
        dm.Sequences(CODES, names=["a"])
    for names in ("abcdef", 6):
        with pytest.raises(InvalidArgumentError, match="names must be a list of str"):
            dm.Sequences(CODES, names=names)
    with pytest.raises(ShapeError, match=r"labels must have shape \(6,\)"):
        dm.Sequences(CODES, labels=[1])
    with pytest.raises(InvalidArgumentError, match="labels must be integers"):
        dm.Sequences(CODES, labels=[0.5] * 6)
    with pytest.raises(IndexError, match="out of range"):
        dm.Sequences(CODES)[6]
    for index in ("a", [[0, 1], [2]], [0.5], None, object()):
        with pytest.raises(IndexError, match="an index must be"):
            dm.Sequences(CODES)[index]


def test_sequences_pickle_and_split():
    seqs = dm.Sequences(CODES, labels=np.arange(6))
    copy = pickle.loads(pickle.dumps(seqs))
    np.testing.assert_array_equal(copy.codes, seqs.codes)
    model_selection = pytest.importorskip("sklearn.model_selection")
    train, test = model_selection.train_test_split(seqs, test_size=2, random_state=0)
    assert isinstance(train, dm.Sequences)
    assert sorted([*train.labels, *test.labels]) == list(range(6))


# MARK: strands


@given(dna)
def test_reverse_complement_twice_is_the_identity(strings):
    codes = dm.encode(strings)
    for X in (strings, tuple(strings), np.array(strings), codes, codes.astype(np.int64), dm.one_hot(codes)):
        twice = dm.reverse_complement(dm.reverse_complement(X))
        assert type(twice) is type(X)
        np.testing.assert_array_equal(twice, X)


def test_reverse_complement_in_every_form():
    assert dm.reverse_complement("AACGn") == "nCGTT"
    assert dm.reverse_complement(["ACR", "GGGGU"]) == ["YGT", "ACCCC"]
    np.testing.assert_array_equal(dm.reverse_complement(np.array([[0, 1, 4]])), [[4, 2, 3]])
    letters = dm.reverse_complement(dm.one_hot("ACN").astype(np.float64))
    assert letters.dtype == np.float64
    assert dm.decode(letters) == ["NGT"]
    seqs = dm.reverse_complement(dm.Sequences(["AAC"], names=["x"], labels=[1]))
    assert (seqs[0], seqs.names, seqs.labels.tolist()) == ("GTT", ["x"], [1])
    with pytest.raises(InvalidArgumentError, match="a gap"):
        dm.reverse_complement("A-C")


# MARK: shuffles


def dinucleotides(string):
    return Counter(itertools.pairwise(string))


@given(dna, st.integers(0, 2**64 - 1))
def test_shuffles_keep_dinucleotides(strings, seed):
    for string, shuffled in zip(strings, dm.dinucleotide_shuffle(strings, seed), strict=True):
        assert dinucleotides(shuffled) == dinucleotides(string)
        assert Counter(shuffled) == Counter(string)


def test_shuffle_is_uniform_over_all_27():
    """Chi-square on 26 degrees of freedom: above 70 with probability 8e-6."""
    string = "ACCCACGATGATG"
    everything = _walks(string)
    assert len(everything) == 27
    counts = Counter(dm.dinucleotide_shuffle([string] * 27_000, random_state=3))
    assert set(counts) == everything
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 70


def _walks(string):
    """All strings with the dinucleotides of another, by following the pairs that are left."""
    found = set()

    def extend(walk, left):
        if len(walk) == len(string):
            found.add(walk)
        for pair in [pair for pair, count in left.items() if count and pair[0] == walk[-1]]:
            extend(walk + pair[1], left - Counter([pair]))

    extend(string[0], dinucleotides(string))
    return found


def test_shuffle_keeps_form_and_depends_on_the_seed_only():
    string = dm.decode(np.random.default_rng(1).integers(0, 4, (1, 200)))[0]
    shuffled = dm.dinucleotide_shuffle(string, random_state=5)
    assert isinstance(shuffled, str)
    assert shuffled != string
    assert dm.dinucleotide_shuffle([string, "A" * 200], random_state=5, n_threads=2)[0] == shuffled
    assert dm.dinucleotide_shuffle(string, random_state=6) != shuffled
    # Equal rows are shuffled independently.
    first, second = dm.dinucleotide_shuffle([string, string], random_state=5)
    assert first != second
    letters = dm.dinucleotide_shuffle(dm.one_hot(string).astype(np.float64), random_state=5)
    assert letters.dtype == np.float64
    assert dm.decode(letters) == [shuffled]
    seqs = dm.dinucleotide_shuffle(dm.Sequences([string], names=["x"], labels=[1]), random_state=5)
    assert (seqs[0], seqs.names) == (shuffled, ["x"])
    assert dm.dinucleotide_shuffle(dm.encode(string).astype(np.int32), 5).dtype == np.int32


def test_shuffle_refuses():
    with pytest.raises(InvalidArgumentError, match=r"X must be one-hot to be shuffled.*X\[0, 0\]"):
        dm.dinucleotide_shuffle(np.full((1, 3, 4), 0.25))
    with pytest.raises(InvalidArgumentError, match="random_state"):
        dm.dinucleotide_shuffle("ACGT", random_state=-1)
    with pytest.raises(InvalidArgumentError, match="n_threads"):
        dm.dinucleotide_shuffle("ACGT", n_threads=0)


def test_make_dataset_pairs_positives_with_their_shuffles():
    positives = dm.Sequences(np.random.default_rng(2).integers(0, 5, (20, 50)).astype(np.uint8), labels=[1] * 20)
    X, y = dm.make_dataset(positives, random_state=1)
    assert X.dtype == np.uint8
    assert y.dtype == np.int64
    assert y.tolist() == [1] * 20 + [0] * 20
    np.testing.assert_array_equal(X[:20], positives.codes)
    assert [dinucleotides(s) for s in dm.decode(X[20:])] == [dinucleotides(s) for s in positives]
    mixed = dm.Sequences(positives.codes, labels=[0, 1] * 10)
    with pytest.raises(InvalidArgumentError, match=r"10 other labels: pass positives\[positives.labels == 1\]"):
        dm.make_dataset(mixed)
