"""JASPAR, TRANSFAC and UniPROBE text, damaged files with their line, and JASPAR's own database."""

import gzip

import numpy as np
import pytest

import deepmotif as dm

COUNTS = np.array([[4, 16, 0, 0], [19, 0, 1, 0], [0, 20, 0, 0]], dtype=float)

JASPAR = """>MA0004.1 Arnt
A  [ 4 19  0 ]
C  [16  0 20 ]
G  [ 0  1  0 ]
T  [ 0  0  0 ]

>MA0006.1 Ahr::Arnt
A  [ 3 0 ]
C  [ 8 0 ]
G  [ 2 23 ]
T  [11 1 ]
"""
TRANSFAC = """VV  demo
XX
//
AC  M1
XX
ID  first
NA  Arnt
P0       A     C     G     T
01       4    16     0     0      C
02      19     0     1     0      A
03       0    20     0     0      C
XX
//
AC  M2
PO       A     C     G     T
1     3.5   8.5     2    11
XX
//
"""
UNIPROBE = """#Enrichment
Protein: Arid3a\tSeed k-mer: ATTAA\tEnrichment Score: 0.49
A:\t0.1\t0.7
C:\t0.2\t0.1
G:\t0.3\t0.1
T:\t0.4\t0.1

Second
A:\t1
C:\t0
G:\t0
T:\t0
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="motifs.txt"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write


class TestFormats:
    @pytest.fixture(autouse=True)
    def _biopython(self):
        pytest.importorskip("Bio.motifs")

    @pytest.mark.parametrize("format", [None, "jaspar"])
    @pytest.mark.parametrize("name", ["a.jaspar", "a.txt.gz"])
    def test_jaspar(self, write, format, name):
        first, second = dm.read_motifs(write(JASPAR, name), format)
        assert (first.name, first.alternate_name, first.n_sites) == ("MA0004.1", "Arnt", 20)
        np.testing.assert_array_equal(first.counts, COUNTS)
        np.testing.assert_array_equal(first.probabilities, COUNTS / 20)
        assert (second.name, second.alternate_name, len(second)) == ("MA0006.1", "Ahr::Arnt", 2)

    @pytest.mark.parametrize("format", [None, "transfac"])
    def test_transfac(self, write, format):
        first, second = dm.read_motifs(write(TRANSFAC), format)
        assert (first.name, first.alternate_name) == ("M1", "Arnt")
        np.testing.assert_array_equal(first.counts, COUNTS)
        assert second.name == "M2"
        np.testing.assert_array_equal(second.counts, [[3.5, 8.5, 2, 11]])

    @pytest.mark.parametrize("format", [None, "uniprobe"])
    def test_uniprobe(self, write, format):
        first, second = dm.read_motifs(write(UNIPROBE), format)
        assert (first.name, second.name) == ("Arid3a", "Second")
        assert first.counts is None
        assert first.n_sites is None
        np.testing.assert_array_equal(first.probabilities, [[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1]])

    @pytest.mark.parametrize("format", [None, "pfm"])
    def test_pfm(self, write, format):
        text = "\n".join(" ".join(map(str, row)) for row in COUNTS.T)
        (motif,) = dm.read_motifs(write(text, "Arnt.pfm"), format)
        assert motif.name == "Arnt"
        np.testing.assert_array_equal(motif.counts, COUNTS)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (JASPAR.replace("[16  0 20 ]", "[16  0 ]"), "line 3: motif MA0004.1"),
            (JASPAR.replace("2 23", "2 x"), "line 10: motif MA0006.1: could not convert string to float: 'x'"),
            (JASPAR.replace("2 23", "2 -23"), "line 10: motif MA0006.1"),
            (JASPAR.replace("T  [11 1 ]\n", ""), "line 7: motif MA0006.1"),
            (JASPAR.replace("MA0006.1 Ahr::Arnt", ""), "line 7: expected '>identifier name'"),
            (JASPAR.replace("MA0006.1", "MA0004.1"), "line 7: the name 'MA0004.1' is that of the motif of line 1"),
            (JASPAR.replace("23", "nan"), "line 10"),
            (">MA1 x\n", "line 1: motif MA1"),
            (TRANSFAC.replace("19     0", "19     q"), "line 10: motif M1"),
            (TRANSFAC.replace("02      19", "05      19"), "line 4: motif M1"),
            (TRANSFAC.replace("PO ", "XX "), "line 14: a record without a matrix"),
            (UNIPROBE.replace("0.2\t0.1", "0.2"), "line 4: motif Arid3a"),
            (UNIPROBE.replace("G:\t0\n", ""), "line 9: motif Second"),
        ],
    )
    def test_damaged(self, write, text, words):
        with pytest.raises(dm.FileFormatError, match=words):
            dm.read_motifs(write(text))


def test_meme_needs_no_biopython(write, tmp_path):
    path = tmp_path / "one.meme"
    dm.write_meme(path, dm.Motif.from_consensus("GATAAG", name="GATA"))
    (motif,) = dm.read_motifs(path)
    assert (motif.name, motif.consensus) == ("GATA", "GATAAG")


@pytest.mark.parametrize("text", ["", "hello\n", "<html>\n"])
def test_of_no_known_format(write, text):
    with pytest.raises(dm.FileFormatError, match="is of no known format; expected a motif file"):
        dm.read_motifs(write(text))


def test_wrong_arguments(write, tmp_path):
    with pytest.raises(dm.InvalidArgumentError, match="format must be one of meme, jaspar"):
        dm.read_motifs(write(JASPAR), "homer")
    with pytest.raises(FileNotFoundError):
        dm.read_motifs(tmp_path / "missing.jaspar")
    with pytest.raises(dm.FileFormatError, match="is a folder"):
        dm.read_motifs(tmp_path)


class TestJaspar:
    @pytest.fixture(autouse=True)
    def _cache(self, tmp_path, monkeypatch):
        pytest.importorskip("pyjaspar")
        from deepmotif import _jaspar

        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        _jaspar._motifs.cache_clear()
        yield
        _jaspar._motifs.cache_clear()

    def test_release(self, tmp_path):
        from deepmotif import _jaspar

        motifs = dm.jaspar(2020, tax_group="nematodes")
        assert len({motif.name for motif in motifs}) == len(motifs) > 10
        assert all(motif.counts is not None and motif.alternate_name for motif in motifs)
        assert len(list(tmp_path.glob("deepmotif/*.npz"))) == 1
        _jaspar._motifs.cache_clear()
        again = dm.jaspar("JASPAR2020", tax_group=["nematodes"])
        assert [m.name for m in again] == [m.name for m in motifs]
        assert all(np.array_equal(a.counts, b.counts) for a, b in zip(again, motifs, strict=True))

    def test_damaged_cache_is_made_anew(self, tmp_path):
        from deepmotif import _jaspar

        motifs = dm.jaspar(2020, tax_group="nematodes")
        (path,) = tmp_path.glob("deepmotif/*.npz")
        path.write_bytes(path.read_bytes()[:100])
        _jaspar._motifs.cache_clear()
        assert [m.name for m in dm.jaspar(2020, tax_group="nematodes")] == [m.name for m in motifs]

    def test_cache_folder_that_cannot_be_written(self, tmp_path, monkeypatch):
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        assert len(dm.jaspar(2020, tax_group="nematodes")) > 10

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"release": 1999}, "release must be one of JASPAR"),
            ({"release": None}, "release must be a name"),
            ({"collection": "core business"}, "has no motifs in collection"),
            ({"collection": 1}, "collection must be a str"),
            ({"tax_group": 3}, "tax_group must be a str, a list of str or None"),
        ],
    )
    def test_wrong_arguments(self, arguments, words):
        with pytest.raises(dm.InvalidArgumentError, match=words):
            dm.jaspar(**arguments)
