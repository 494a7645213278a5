"""Sequences room: reading FASTA, tables and peaks, and every way in which a file can be wrong."""

import builtins
import gzip
import os
import time
from pathlib import Path

import numpy as np
import pytest

import deepmotif as dm
from deepmotif.exceptions import (
    DeepMotifError,
    FileFormatError,
    FileNotFound,
    FileReadError,
    InvalidArgumentError,
    MissingDependencyError,
    ShapeError,
)

READERS = [
    pytest.param(dm.read_fasta, id="fasta"),
    pytest.param(dm.read_table, id="table"),
    pytest.param(lambda path: dm.read_peaks(path, path), id="peaks"),
    pytest.param(dm.read_meme, id="meme"),
]


@pytest.fixture
def write(tmp_path):
    """Writes text or bytes to a new file and returns its path."""

    def writer(content, name="file.txt"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return writer


# MARK: what every reader refuses


@pytest.mark.parametrize("reader", READERS)
def test_missing_file(reader, tmp_path):
    with pytest.raises(FileNotFound, match=r"no such file.*nothing\.fa") as caught:
        reader(tmp_path / "nothing.fa")
    assert isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize("reader", READERS)
def test_folder(reader, tmp_path):
    with pytest.raises(FileFormatError, match="is a folder"):
        reader(tmp_path)


@pytest.mark.parametrize("reader", READERS)
def test_no_permission(reader, write, monkeypatch):
    # The tests may run as root, whom no mode stops.
    path = write(">a\nACGT\n")

    def refuse(self, *args, **options):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FileReadError, match="could not be read: Permission denied") as caught:
        reader(path)
    assert isinstance(caught.value, OSError)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folder_without_permission(write):
    path = write(">a\nACGT\n")
    path.parent.chmod(0)
    try:
        with pytest.raises(FileReadError):
            dm.read_fasta(path)
    finally:
        path.parent.chmod(0o700)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("path", [None, 3, "", "a\0b", "\ud800"])
def test_path_of_another_kind(reader, path):
    with pytest.raises(InvalidArgumentError, match=r"must be the path|must be a name that this system allows"):
        reader(path)


# A FASTA file of 200 sequences; the other readers fail at the compression before they look at the text.
COMPRESSED = gzip.compress(
    "".join(f">{s[:9]}\n{s}\n" for s in dm.decode(np.random.default_rng(0).integers(0, 4, (200, 50)))).encode()
)


@pytest.mark.parametrize("reader", READERS)
def test_gzip_cut_short(reader, write):
    for cut in (2, len(COMPRESSED) // 2, len(COMPRESSED) - 4):
        with pytest.raises(FileFormatError, match="damaged or cut short"):
            reader(write(COMPRESSED[:cut]))


@pytest.mark.parametrize("reader", READERS)
def test_gzip_damaged(reader, write):
    data = bytearray(COMPRESSED)
    data[len(data) // 2] ^= 255
    with pytest.raises(FileFormatError):
        reader(write(bytes(data)))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("content", ["", "\n\n", b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe", b"\x00" * 100, b">a\nAC\xe9T\n"])
def test_another_kind_of_file(reader, content, write):
    with pytest.raises(FileFormatError) as caught:
        reader(write(content))
    assert "file.txt" in str(caught.value)


@pytest.mark.parametrize("reader", READERS)
def test_random_bytes_never_do_worse_than_our_errors(reader, write):
    random = np.random.default_rng(0)
    for size in (1, 10, 100, 1000):
        for _ in range(20):
            with pytest.raises(DeepMotifError):
                reader(write(random.bytes(size)))


# MARK: FASTA


def test_fasta_names_letters_and_order(write):
    path = write(">b first one\nACGT\nNNra\n\n>a\r\nacgtuuuu\r\n>\nTTTTTTTT")
    seqs = dm.read_fasta(path)
    assert seqs.names == ["b", "a", ""]
    assert list(seqs) == ["ACGTNNNA", "ACGTTTTT", "TTTTTTTT"]
    assert seqs.labels is None


def test_fasta_compressed_whatever_the_name(write):
    text = ">x\nACGT\n"
    for name, content in [
        ("a.fa.gz", gzip.compress(text.encode())),
        ("a.fa", gzip.compress(text.encode())),
        ("b.fa.gz", text),
    ]:
        assert list(dm.read_fasta(str(write(content, name)))) == ["ACGT"]


def test_fasta_labels_from_headers(write):
    seqs = dm.read_fasta(write(">1\nACGT\n>0\nTTTT\n"))
    assert seqs.labels.tolist() == [1, 0]
    assert seqs.labels.dtype == np.int64
    assert dm.read_fasta(write(">1\nACGT\n>2\nTTTT\n")).labels is None


def test_fasta_length(write):
    path = write(">one\nACGTA\n>two\nAC\n")
    assert list(dm.read_fasta(path, length=3)) == ["ACG", "ACN"]
    with pytest.raises(ShapeError, match=r"record 1 \(one\) has 5 letters and record 2 \(two\) has 2; pass length="):
        dm.read_fasta(path)
    with pytest.raises(InvalidArgumentError, match="length"):
        dm.read_fasta(path, length=0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds no sequences"),
        ("ACGT\nACGT\n", "line 1: Expected '>'"),
        ("seq\tBound\nACGT\t1\n", "no FASTA file"),
        ("@r\nACGT\n+\nIIII\n", "no FASTA file"),
        (">a\n>b\nACGT\n", r"record 1 \(a\) has no sequence"),
        (">a\nACGT\n>b\n", r"record 2 \(b\) has no sequence; is the file cut short"),
        (">a\nACGT\n>b\nAC-T\n", r"record 2 \(b\) .* got '-', a gap, at position 2"),
        (">sp|P12345\nMKVLEERT\n", r"record 1 \(sp\|P12345\) .*protein"),
    ],
)
def test_fasta_refuses(content, words, write):
    with pytest.raises(FileFormatError, match=words):
        dm.read_fasta(write(content))


def test_fasta_of_100_000_records_is_quick(write):
    strings = dm.decode(np.random.default_rng(0).integers(0, 4, (100_000, 101)))
    path = write("".join(f">{i}\n{s}\n" for i, s in enumerate(strings)))
    start = time.process_time()
    seqs = dm.read_fasta(path)
    # 0.3 s were measured; a second catches a loop over letters. Of the processor, since the machine may be busy.
    assert time.process_time() - start < 1
    assert len(seqs) == 100_000
    assert seqs[99_999] == strings[-1]


# MARK: tables


def test_table_of_deepbind(write):
    path = write(gzip.compress(b"FoldID\tEventID\tseq\tBound\nA\tpeak_1\tACGT\t1\nA\tpeak_2\tnnTT\t0\n"), "a.seq.gz")
    seqs = dm.read_table(path, name="EventID")
    assert (list(seqs), seqs.labels.tolist(), seqs.names) == (["ACGT", "NNTT"], [1, 0], ["peak_1", "peak_2"])
    assert dm.read_table(path).names == ["0", "1"]
    assert dm.read_table(path, label=None).labels is None


@pytest.mark.parametrize("separator", ["\t", ",", ";", " "])
def test_table_separators(separator, write):
    text = "label,sequence\n-1,ACGT\n1.0,TTTT\n\n".replace(",", separator)
    seqs = dm.read_table(write(text), sequence="sequence", label="label")
    assert (list(seqs), seqs.labels.tolist()) == (["ACGT", "TTTT"], [-1, 1])


def test_table_with_quotes_byte_order_mark_and_crlf(write):
    path = write('\ufeff"seq","Bound","note"\r\n"ACGT",1,"a, b"\r\nTTTT,0,c\r\n')
    assert list(dm.read_table(path)) == ["ACGT", "TTTT"]


def test_table_without_header(write):
    path = write("ACGT\t1\nTTTT\t0\n")
    seqs = dm.read_table(path, sequence=0, label=1)
    assert (list(seqs), seqs.labels.tolist()) == (["ACGT", "TTTT"], [1, 0])
    assert list(dm.read_table(write("ACGT\nTTTT\n"), sequence=0, label=None)) == ["ACGT", "TTTT"]


def test_table_of_one_class_is_read(write):
    """Training sets of DeepBind hold positives only; make_dataset makes the rest."""
    seqs = dm.read_table(write("seq\tBound\nACGTACGT\t1\nTTTTACGT\t1\n"))
    assert dm.make_dataset(seqs)[1].tolist() == [1, 1, 0, 0]


def test_table_length(write):
    path = write("seq\tBound\nACGTA\t1\nAC\t0\n")
    assert list(dm.read_table(path, length=3)) == ["ACG", "ACN"]
    with pytest.raises(ShapeError, match="line 2 has 5 letters and line 3 has 2; pass length="):
        dm.read_table(path)


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("", {}, "is empty"),
        ("seq\tBound\n", {}, "a header and no rows"),
        ("sequence,label\nACGT,1\n", {}, "no column 'seq'; its first line holds: sequence, label; pass sequence="),
        ("seq,label\nACGT,1\n", {}, "no column 'Bound'.*label=None"),
        ("seq\tBound\nACGT\n", {}, "line 2: expected at least 2 columns; got 1"),
        ("seq\tBound\nACGT\t1\n\nTTTT\t\n", {}, "line 4: the label must be an integer; got nothing"),
        ("seq\tBound\nACGT\tyes\n", {}, "line 2: the label must be an integer; got 'yes'"),
        ("seq\tBound\nACGT\t0.5\n", {}, "got '0.5'"),
        ("seq\tBound\nACGT\tnan\n", {}, "got 'nan'"),
        ("seq\tBound\nACGT\tinf\n", {}, "got 'inf'"),
        ("seq\tBound\nACGT\t1\nMKVLE\t0\n", {}, "line 3 .*protein"),
        ("seq\tBound\nACGT\t1\n\t0\n", {}, "line 3 has no sequence"),
        ("ACGT\t1\nAC\n", {"sequence": 0, "label": 1}, "line 2: expected at least 2 columns"),
        ("seq\tBound\nACGT\t1\n", {"sequence": 0, "label": 1}, "line 1: the label|line 1 must hold"),
    ],
)
def test_table_refuses(content, options, words, write):
    with pytest.raises(FileFormatError, match=words):
        dm.read_table(write(content), **options)


def test_table_columns_are_checked(write):
    path = write("seq\tBound\nACGT\t1\n")
    with pytest.raises(InvalidArgumentError, match=r"all be names .* or all be numbers"):
        dm.read_table(path, sequence=0)
    with pytest.raises(InvalidArgumentError, match="sequence must be"):
        dm.read_table(path, sequence=None)
    with pytest.raises(InvalidArgumentError, match="label must be"):
        dm.read_table(path, sequence=0, label=-1)


# MARK: peaks


@pytest.fixture
def genome(write):
    pytest.importorskip("pyfaidx")
    return write(">chr1 the first\nAACCGG\nTTACNN\n>chr2\nacgtacgt\n", "genome.fa")


def test_peaks_are_centred(genome, write):
    bed = write("track name=x\n# comment\nchr1\t2\t5\nchr2\t3\t4\n", "peaks.bed")
    seqs = dm.read_peaks(bed, genome, width=3)
    assert list(seqs) == ["CCG", "GTA"]
    assert seqs.names == ["chr1:2-5", "chr2:2-5"]
    # Even widths have one base more before the centre.
    assert list(dm.read_peaks(bed, genome, width=4)) == ["ACCG", "CGTA"]


def test_narrow_peak_summits_and_strands(genome, write):
    rows = [
        "chr1\t1\t9\tp\t0\t.\t1\t-1\t-1\t5",
        "chr1\t1\t9\tp\t0\t.\t1\t-1\t-1\t-1",
        "chr1\t1\t9\tp\t0\t-\t1\t-1\t-1\t5",
    ]
    bed = write("\n".join(rows), "peaks.narrowPeak")
    assert list(dm.read_peaks(bed, genome, width=3)) == ["GTT", "GGT", "AAC"]
    assert list(dm.read_peaks(bed, genome, width=3, stranded=False))[2] == "GTT"
    assert dm.read_peaks(bed, genome, width=3).names[2] == "chr1:5-8(-)"


def test_twelve_columns_have_no_summit(genome, write):
    bed = write("chr1\t1\t9\tp\t0\t+\t1\t9\t0\t2\t1,1\t0,7\n")
    assert list(dm.read_peaks(bed, genome, width=3)) == ["GGT"]


def test_windows_beyond_the_ends_are_unknown(genome, write):
    seqs = dm.read_peaks(write("chr2\t0\t1\nchr2\t7\t8\n"), genome, width=5)
    assert list(seqs) == ["NNACG", "CGTNN"]
    assert list(dm.read_peaks(write("chr2\t0\t1\n"), genome, width=21)) == ["N" * 10 + "ACGTACGT" + "NNN"]


def test_compressed_genome_gives_the_same(genome, write):
    bed = write("chr2\t0\t1\nchr1\t7\t8\n", "peaks.bed")
    compressed = write(gzip.compress(genome.read_bytes()), "genome.fa.gz")
    plain = dm.read_peaks(bed, genome, width=5)
    other = dm.read_peaks(bed, compressed, width=5)
    assert (list(plain), plain.names) == (list(other), other.names)


def test_peaks_from_a_table(genome):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"chrom": ["chr1", "chr2"], "start": [2, 3], "end": [5, 4]}, index=[7, 9])
    assert list(dm.read_peaks(table, genome, width=3)) == ["CCG", "GTA"]
    table["strand"], table["peak"] = ["-", "+"], [0, -1]
    assert list(dm.read_peaks(table, genome, width=3)) == ["GGT", "GTA"]
    with pytest.raises(InvalidArgumentError, match=r"\['end'\] are not in"):
        dm.read_peaks(table.drop(columns="end"), genome)
    with pytest.raises(InvalidArgumentError, match="at least one interval"):
        dm.read_peaks(table[:0], genome)


def test_index_where_the_folder_cannot_be_written(genome, write, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *args: False)
    bed = write("chr1\t2\t5\n", "peaks.bed")
    assert list(dm.read_peaks(bed, genome, width=3)) == ["CCG"]
    assert not Path(f"{genome}.fai").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("chr1\t2", "line 1: expected at least chromosome, start and end"),
        ("chr1\t2\tx", "must be integers"),
        ("chr1\t5\t5", "0 <= start < end"),
        ("chr1\t-2\t5", "0 <= start < end"),
        ("chr1\t2\t5\tp\t0\t.\t1\t-1\t-1\t9", "the summit must lie in the interval, 0-3, or be -1; got 9"),
        ("chr1\t2\t5\tp\t0\t?", "the strand must be"),
        ("1\t2\t5", "no chromosome '1'; it has chr1, chr2"),
        ("chr2\t80\t90", "the centre 85 lies beyond the end of chr2, 8 bp .* same assembly"),
        ("", "holds no intervals"),
    ],
)
def test_peaks_refuse(line, words, genome, write):
    with pytest.raises(FileFormatError, match=words):
        dm.read_peaks(write(line + "\n"), genome)


@pytest.mark.parametrize("content", ["", "ACGT\n", ">chr1\nACGT\nAC\nACGT\n", ">chr1\nMKVLEQ\n"])
@pytest.mark.parametrize("compress", [False, True])
def test_genome_of_another_kind(content, compress, write):
    pytest.importorskip("pyfaidx")
    bed = write("chr1\t2\t5\n", "peaks.bed")
    if compress and "AC\nACGT" in content:
        pytest.skip("without an index lines may have any length")
    with pytest.raises(FileFormatError):
        dm.read_peaks(bed, write(gzip.compress(content.encode()) if compress else content, "genome.fa"))


def test_peaks_without_pyfaidx(genome, write, monkeypatch):
    bed = write("chr1\t2\t5\n", "peaks.bed")
    original = builtins.__import__

    def without(name, *args, **options):
        if name == "pyfaidx":
            raise ImportError(name)
        return original(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"pip install 'deepmotif\[genome\]'"):
        dm.read_peaks(bed, genome)
