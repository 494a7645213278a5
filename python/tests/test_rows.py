"""Which rows are trained on, in which order, on which strand."""

from pathlib import Path

import numpy as np
import pytest

from deepmotif import _rows


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.9, 0.999])
def test_split_is_stratified(fraction):
    labels = np.repeat([0, 1, 2], [200, 40, 3]).astype(np.int32)
    training, validation = _rows.split_rows(labels, fraction, 5)
    assert sorted([*training, *validation]) == list(range(243))
    for label, count in enumerate([200, 40, 3]):
        held = np.count_nonzero(labels[validation] == label)
        assert held == min(max(1, round(fraction * count)), count - 1)
    other = _rows.split_rows(labels, fraction, 6)[1]
    assert not np.array_equal(other, validation)


def test_split_of_single_rows():
    training, validation = _rows.split_rows(np.array([0, 1], dtype=np.int32), 0.5, 0)
    assert training.tolist() == [0, 1]
    assert validation.tolist() == []


class Grouped(_rows.StoredRows):
    """Stored rows of which only the arithmetic matters."""

    def __init__(self, count, group, row_bytes=1):
        self.shape, self.dtype, self.group, self.row_bytes = (count, 1), np.dtype(np.uint8), group, row_bytes


@pytest.mark.parametrize("group", [1, 3, 10, 100])
def test_shuffled_rows_are_all_rows(group):
    rows = np.flatnonzero(np.arange(95) % 7)
    data = _rows.LabelledRows(Grouped(95, group), np.zeros(95), rows)
    orders = [data.shuffled(3, epoch) for epoch in (0, 1)]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), rows)
    assert not np.array_equal(*orders)
    np.testing.assert_array_equal(data.shuffled(3, 0), orders[0])


def test_groups_are_read_once(monkeypatch):
    monkeypatch.setattr("deepmotif._stored.REMEMBERED_BYTES", 60)  # three groups of ten rows in half of it
    order = _rows.LabelledRows(Grouped(200, 10), np.zeros(200), np.arange(200)).shuffled(0, 0)
    windows = order[: 18 * 10].reshape(6, 30) // 10
    found = [set(window) for window in windows]
    assert [len(groups) for groups in found] == [3] * 6
    assert len(set.union(*found)) == 18
    assert any(np.any(np.diff(window) < 0) and np.any(np.diff(window) > 0) for window in windows)  # mixed


def test_large_data_are_read_in_groups_wherever_they_lie(monkeypatch, tmp_path):
    codes = np.lib.format.open_memmap(tmp_path / "codes.npy", mode="w+", dtype=np.uint8, shape=(200, 5))
    codes[:] = 1
    mapped = _rows.LabelledRows(codes, np.zeros(200), np.arange(200))
    scattered = mapped.shuffled(0, 0)
    monkeypatch.setattr("deepmotif._rows._LARGE_BYTES", 999)
    monkeypatch.setattr("deepmotif._rows._LARGE_GROUP_BYTES", 50)
    monkeypatch.setattr("deepmotif._stored.REMEMBERED_BYTES", 300)  # three groups of ten rows in half of it
    order = mapped.shuffled(0, 0)
    np.testing.assert_array_equal(np.sort(order), np.arange(200))
    assert [len(set(window // 10)) for window in np.split(order[:180], 6)] == [3] * 6
    assert len(set(scattered[:30] // 10)) > 3
    in_memory = _rows.LabelledRows(np.array(codes), np.zeros(200), np.arange(200))
    np.testing.assert_array_equal(in_memory.shuffled(0, 0), order)


def test_large_maps_are_read_page_by_page(monkeypatch, tmp_path):
    def flags():
        """Those that the system keeps for the mapped file; "rr": read at random."""
        regions = Path("/proc/self/smaps").read_text().split("codes.npy\n")
        return next(line for line in regions[1].splitlines() if line.startswith("VmFlags")).split()

    np.save(tmp_path / "codes.npy", np.ones((200, 5), dtype=np.uint8))
    codes = np.load(tmp_path / "codes.npy", mmap_mode="r")
    if not Path("/proc/self/smaps").exists() or "VmFlags" not in Path("/proc/self/smaps").read_text():
        pytest.skip("the system does not tell how a file is read")
    data = _rows.LabelledRows(codes[3:].view(), np.zeros(197), np.arange(197))
    with data.read_shuffled():
        assert "rr" not in flags()
    monkeypatch.setattr("deepmotif._rows._LARGE_BYTES", 900)
    with data.read_shuffled():
        assert "rr" in flags()
    assert "rr" not in flags()


def test_half_of_the_rows_are_reversed():
    marks = [_rows.reversed_rows(0, epoch, 100) for epoch in (0, 1)]
    assert [mark.sum() for mark in marks] == [50, 50]
    assert not np.array_equal(*marks)


def test_blocks_of_either_strand():
    X = np.array([[0, 0, 1, 4], [3, 3, 3, 2], [1, 2, 3, 0]], dtype=np.uint8)
    targets = np.array([5, 6, 7], dtype=np.int32)
    data = _rows.LabelledRows(X, targets, np.arange(3))
    assert data.block(np.array([2, 0]))[0] is X
    block, labels, rows = data.block(np.array([2, 0]), np.array([False, True]))
    assert block.tolist() == [[1, 2, 3, 0], [4, 2, 3, 3]]
    assert labels.tolist() == [7, 5]
    assert rows.tolist() == [0, 1]
    assert X[0].tolist() == [0, 0, 1, 4]
