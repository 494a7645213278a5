"""from_torch: a PyTorch module as a fitted network. Interchange room."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import layers as kinds
from ..exceptions import FileFormatError, InvalidArgumentError, MissingDependencyError
from ..models import Network
from ._finish import Problems, check_output, compare, finish, sample_sequences, walk
from ._flow import Flow, LengthFound, Unsupported

__all__ = ["from_torch"]


def from_torch(
    module: Any, *, output: str = "linear", length: int | None = None, layers: Sequence[kinds.Layer] | None = None
) -> Network:
    """A PyTorch module as a fitted network, or a state dict with the layers that it belongs to.

    The module takes (N, 4, L) and gives scores (N, C). It may be an ``nn.Sequential`` or anything that ``torch.fx``
    traces; it is taken in evaluation mode, and both are run on random sequences: a difference is a warning. Nothing is
    read from files: a ``.pt`` holds pickles, which can run code; load it yourself if you trust it.

    Parameters
    ----------
    module : torch.nn.Module or mapping
        The module; or a state dict (name to tensor or array), together with `layers`.
    output : {"linear", "softmax", "sigmoid"}
        What the scores are; a softmax or sigmoid at the end of the module that says the same is left out.
    length : int, optional
        Length L of the sequences. Needed where neither a dense layer behind a flattening says it nor every length fits.
    layers : list of layers, optional
        For a state dict: its arrays go to these layers in order, each must have the shape that the layer has.

    Returns
    -------
    Network
        Fitted. Convolutional features keep PyTorch's order when they are flattened.

    Raises
    ------
    InvalidArgumentError
        If parts of the module have no counterpart; all of them are named with the reason.
    FileFormatError
        If it is given a file.
    MissingDependencyError
        If PyTorch is not installed.

    Examples
    --------
    >>> import deepmotif as dm
    >>> from deepmotif.layers import Conv1D, Dense, GlobalMaxPool1D, ReLU
    >>> state = {"conv.weight": np.ones((2, 4, 3)), "conv.bias": np.zeros(2)}
    >>> state |= {"out.weight": np.ones((1, 2)), "out.bias": np.ones(1)}
    >>> model = dm.from_torch(state, layers=[Conv1D(2, 3), ReLU(), GlobalMaxPool1D(), Dense(1)], length=8)
    >>> model.scores(["ACGTACGT"])
    array([[7.]], dtype=float32)
    """
    check_output(output)
    if isinstance(module, (str, bytes, os.PathLike)):
        raise FileFormatError(
            f"from_torch takes a module or a state dict, no file: {os.fsdecode(module)} may hold pickles, which run "
            "code when they are read; load it with torch.load(..., weights_only=True) if you trust it"
        )
    if layers is not None or isinstance(module, Mapping):
        return _from_state(module, output, length, layers)
    try:
        import torch
    except ImportError:
        raise MissingDependencyError("from_torch needs PyTorch: pip install torch") from None
    if not isinstance(module, torch.nn.Module):
        raise InvalidArgumentError(f"module must be a torch.nn.Module or a state dict; got {type(module).__name__}")
    return _from_module(module, output, length)


# ---- modules ----


def _from_module(module: Any, output: str, length: int | None) -> Network:
    import torch

    from ._torch_modules import Strands

    whole, strands = module, "none"
    if isinstance(module, Strands):
        strands = "maximum" if module.maximum else "average"
        module = module.module
    graph, modules = _traced(module)

    def read(known: int | None) -> tuple[Flow, Problems, int | None]:
        problems = Problems("the module", InvalidArgumentError)
        return _run(graph, modules, known, problems), problems, known

    try:
        flow, found = walk(lambda known: _checked(read(known)), length)
    except Unsupported as error:  # the length that a dense layer asks for
        raise InvalidArgumentError(f"the module cannot be imported: {error}") from None
    model = finish(flow, output, found, Problems("the module", InvalidArgumentError), reverse_complement=strands)
    X = sample_sequences(model)
    if not len(X):
        return model
    # A softmax or sigmoid that was left out of the scores is what the module ends in.
    function = len(flow.steps()) > len(model.layers)
    compare(model.predict_proba(X) if function else model.scores(X), _evaluate(torch, whole, X), "the module")
    return model


def _checked(result: tuple[Flow, Problems, int | None]) -> tuple[Flow, int | None]:
    flow, problems, length = result
    problems.check()
    return flow, length


def _traced(module: Any) -> tuple[Any, dict[str, Any]]:
    import torch

    from ._torch_layers import LEAVES

    class Tracer(torch.fx.Tracer):
        def is_leaf_module(self, m: torch.nn.Module, module_qualified_name: str) -> bool:
            return isinstance(m, LEAVES) or super().is_leaf_module(m, module_qualified_name)

    was_training = module.training
    try:
        # Dropout as a function is told whether it trains while the module is traced.
        module.eval()
        if _is_leaf(module):
            module = torch.nn.Sequential(module)
        return Tracer().trace(module), dict(module.named_modules())
    except Exception as error:  # the module's own code runs here and may raise anything
        raise InvalidArgumentError(
            f"the module cannot be traced by torch.fx ({type(error).__name__}: {error}); "
            "pass its state dict with layers="
        ) from None
    finally:
        module.train(was_training)


def _is_leaf(module: Any) -> bool:
    return type(module).__module__.startswith("torch.nn.modules") and not list(module.children())


_BROKEN = object()


def _run(graph: Any, modules: dict[str, Any], length: int | None, problems: Problems) -> Any:
    """The flow that the graph returns; nodes behind one that cannot be imported are looked at for their kind only."""
    import torch

    values: dict[Any, Any] = {}
    placeholders = 0
    for node in graph.nodes:
        if node.op == "placeholder":
            placeholders += 1
            values[node] = Flow.sequences("NCL", length) if placeholders == 1 else None
            if placeholders > 1 and not node.args:
                problems.add(node.name, "input", "networks take one input")
            continue
        name, kind, handler = _handler(node, modules)
        arguments = torch.fx.node.map_arg((node.args, dict(node.kwargs)), lambda entry: values[entry])
        if node.op == "output":
            problems.check()
            result = arguments[0][0]
            if not isinstance(result, Flow):
                problems.add("output", type(result).__name__, "networks return one tensor of scores")
                problems.check()
            return result
        if handler is None:
            problems.add(name, kind, "there is no such layer")
            values[node] = _BROKEN
        elif any(entry is _BROKEN for entry in _flat(arguments)):
            values[node] = _BROKEN
        else:
            try:
                values[node] = handler(*arguments[0], **arguments[1])
            except LengthFound:
                problems.check()
                raise
            except Unsupported as error:
                problems.add(name, kind, str(error))
                values[node] = _BROKEN
            except (TypeError, ValueError, AttributeError, IndexError) as error:
                # Arguments that a handler does not know, or layers that refuse their sizes.
                problems.add(name, kind, str(error))
                values[node] = _BROKEN
    raise InvalidArgumentError("the module returns nothing")


def _flat(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        for entry in value:
            yield from _flat(entry)
    else:
        yield value


def _handler(node: Any, modules: dict[str, Any]) -> tuple[str, str, Any]:
    """Name, kind and handler (None: unknown) of a node."""
    from ._torch_calls import CALLS
    from ._torch_layers import MODULES, array

    if node.op == "call_module":
        module = modules[node.target]
        function = MODULES.get(type(module))
        handler = None if function is None else (lambda *a, **k: function(module, *a, **k))
        return node.target, type(module).__name__, handler
    if node.op == "get_attr":
        target = modules[""]
        for part in node.target.split("."):
            target = getattr(target, part)
        return node.target, "parameter", lambda: array(target)
    if node.op == "output":
        return "output", "output", None
    kind = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
    return node.name, kind, CALLS.get(kind.removeprefix("_"), CALLS.get(kind))


def _evaluate(torch: Any, module: Any, X: Any) -> Any:
    """Scores of the module for codes, in evaluation mode; its state is as before."""
    was_training = module.training
    letters = torch.from_numpy(np.eye(5, 4, dtype=np.float32)[X].transpose(0, 2, 1).copy())
    try:
        module.eval()
        parameter = next(iter(module.parameters()), letters)
        with torch.no_grad():
            return module(letters.to(parameter.device, parameter.dtype)).cpu().float().numpy()
    except Exception as error:  # the module's own code runs here and may raise anything
        raise InvalidArgumentError(
            f"the module does not take sequences of {X.shape[1]} positions, (N, 4, {X.shape[1]}): "
            f"{type(error).__name__}: {error}; pass length="
        ) from None
    finally:
        module.train(was_training)


# ---- state dicts ----


def _from_state(state: Any, output: str, length: int | None, layers: Any) -> Network:
    if not isinstance(state, Mapping):
        raise InvalidArgumentError(f"with layers=, module must be a state dict; got {type(state).__name__}")
    if layers is None:
        raise InvalidArgumentError("a state dict holds no architecture: pass the layers that it belongs to as layers=")
    if length is None:
        if any(isinstance(layer, kinds.Flatten) for layer in layers):
            raise InvalidArgumentError("length must be given for layers with a Flatten")
        length = max(101, kinds.minimum_length(layers))
    model = Network(list(layers), output).build(length, _outputs(layers, length))
    arrays = [(str(name), _numpy(value)) for name, value in state.items()]
    return model.set_weights(_matched(model, arrays))


def _outputs(layers: Sequence[kinds.Layer], length: int) -> int:
    channels = 4
    for layer in layers:
        length, channels = layer.output_shape(length, channels)
    return channels


def _numpy(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)


def _matched(model: Network, arrays: list[tuple[str, Any]]) -> dict[str, Any]:
    """The arrays in order, under the engine's names; PyTorch's two LSTM biases become one."""
    # Counters of batches are no weights; neither are they in order.
    left = [(name, array) for name, array in arrays if not name.endswith("num_batches_tracked")]
    weights: dict[str, Any] = {}
    expected = list(model.weights_.items())
    while expected:
        name, current = expected.pop(0)
        if not left:
            raise InvalidArgumentError(f"the state dict ends before {name} of shape {current.shape}")
        key, array = left.pop(0)
        if array.shape != current.shape:
            raise InvalidArgumentError(
                f"the state dict's {key} of shape {array.shape} does not fit {name} of shape {current.shape}"
            )
        if "lstm_" in name and name.split(".")[-1].startswith("bias"):
            if not left or left[0][1].shape != current.shape:
                raise InvalidArgumentError(f"the state dict must hold two biases for {name}, as PyTorch's LSTM has")
            array = array + left.pop(0)[1]
        weights[name] = array
    if left:
        raise InvalidArgumentError(f"the state dict holds more than the layers need: {[name for name, _ in left]}")
    return weights
