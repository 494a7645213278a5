"""Every notebook runs from top to bottom, and its figures appear where they are drawn."""

from pathlib import Path

import pytest

jupytext = pytest.importorskip("jupytext")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.md"))


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def executed(request, tmp_path_factory):
    notebook = jupytext.read(request.param)
    # A folder of its own: whatever the notebook writes stays out of the sources.
    folder = tmp_path_factory.mktemp(request.param.stem)
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return notebook


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks():
    assert "end_to_end" in [path.stem for path in NOTEBOOKS]


def test_every_cell_that_draws_shows_one_figure(executed):
    for cell in code_cells(executed):
        images = [output for output in cell.outputs if "image/png" in output.get("data", {})]
        assert len(images) == ("plot_" in cell.source), cell.source


def test_no_cell_warns(executed):
    # Progress bars are on stderr too.
    said = "".join(o.text for cell in code_cells(executed) for o in cell.outputs if o.get("name") == "stderr")
    assert "Warning" not in said
