"""Model files of any network: descriptions with nested layers and tasks that somebody has changed."""

import json

import pytest
from safetensors.numpy import save
from test_files import tasks, written

import deepmotif as dm
from deepmotif import _files

TASK_CHANGES = {
    "output": lambda c: c["output"].update(name="relu"),
    "loss": lambda c: c["output"].update(loss="mse"),
    "strands": lambda c: c.update(strands="both"),
    "tasks of one name": lambda c: c["classes"].update(values=["MYC", "MYC"]),
    "layers inside": lambda c: c["layers"][0]["layers"].append({"kind": "lambda"}),
    "layers inside of layers": lambda c: c["layers"][0].update(layers=nested(100)),
    "hyper-parameter layers": lambda c: c["parameters"].update(layers={"layers": [{"kind": "os.system"}]}),
}


def nested(depth):
    layers = [{"kind": "relu"}]
    for _ in range(depth):
        layers = [{"kind": "residual", "layers": layers}]
    return layers


@pytest.mark.parametrize("change", TASK_CHANGES)
def test_changed_descriptions_of_networks(tmp_path, change):
    model = tasks().build(30, ["MYC", "CTCF"])
    data = _files.model_bytes(model)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    config = json.loads(header["__metadata__"]["deepmotif"])
    TASK_CHANGES[change](config)
    with pytest.raises(dm.FileFormatError, match="is not a model file of DeepMotif: "):
        dm.load(written(tmp_path, save(model.weights_, metadata={"deepmotif": json.dumps(config)})))
