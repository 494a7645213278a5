"""The rival in PyTorch: one network of our layers, in every variant that has been the fastest somewhere. Benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from deepmotif import layers as kinds

Work = Callable[[NDArray[np.uint8]], Any]
_MOST_COMPILED = 10_000_000
_LETTERS = torch.cat([torch.eye(4), torch.zeros(1, 4)])


def letters(codes: NDArray[np.uint8]) -> torch.Tensor:
    """One-hot letters (N, L, 4) of codes."""
    return _LETTERS[torch.from_numpy(codes.astype(np.int64))]


class Rival(nn.Module):
    """Layers of ours on letters (N, L, 4), with convolutions on (N, C, L), or (N, C, 1, L) in channels-last memory."""

    def __init__(self, layers: Sequence[Any], length: int, weights: dict[str, Any], channels_last: bool) -> None:
        super().__init__()
        self.layers = list(layers)
        self.channels_last = channels_last
        self.parts = nn.ModuleList()
        channels, counts = 4, dict[str, int]()
        for layer in self.layers:
            name = f"{layer.kind}_{counts.setdefault(layer.kind, 0)}"
            counts[layer.kind] += 1
            part = _make(layer, channels)
            self.parts.append(part)
            own = {key.split(".")[1]: torch.from_numpy(v) for key, v in weights.items() if key.split(".")[0] == name}
            _load(part, own)
            length, channels = layer.output_shape(length, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # Layout of the moment: "nlc", "ncl" or, behind a layer that leaves no positions, "nc".
        layout = "nlc"
        for layer, part in zip(self.layers, self.parts, strict=True):
            if isinstance(layer, (kinds.Conv1D, kinds.MaxPool1D)) and layout == "nlc":
                x, layout = x.transpose(1, 2), "ncl"
                if self.channels_last:
                    x = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)
            if isinstance(layer, kinds.Conv1D):
                x = _convolve(layer, part, x)
            elif isinstance(layer, kinds.MaxPool1D):
                pool = functional.max_pool2d if x.dim() == 4 else functional.max_pool1d
                x = pool(x, (1, layer.size) if x.dim() == 4 else layer.size)
            elif isinstance(layer, kinds.GlobalMaxPool1D):
                x, layout = x.flatten(2).amax(dim=2) if layout == "ncl" else x.amax(dim=1), "nc"
            elif isinstance(layer, kinds.GlobalAveragePool1D):
                x, layout = x.flatten(2).mean(dim=2) if layout == "ncl" else x.mean(dim=1), "nc"
            elif isinstance(layer, kinds.Flatten):
                x, layout = (x.flatten(2).transpose(1, 2) if layout == "ncl" else x).flatten(1), "nc"
            elif isinstance(layer, kinds.LSTM):
                x, layout = part(x.flatten(2).transpose(1, 2) if layout == "ncl" else x)[0], "nlc"
            else:
                x = part(x)
        return x


def _make(layer: Any, channels: int) -> nn.Module:
    if isinstance(layer, kinds.Conv1D):
        return nn.Conv1d(channels, layer.filters, layer.kernel_size)
    if isinstance(layer, kinds.LSTM):
        return nn.LSTM(channels, layer.units, batch_first=True, bidirectional=layer.bidirectional)
    if isinstance(layer, kinds.Dense):
        return nn.Linear(channels, layer.units)
    if isinstance(layer, kinds.Dropout):
        return nn.Dropout(layer.rate)
    return nn.ReLU() if isinstance(layer, kinds.ReLU) else nn.Identity()


def _load(part: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, value in weights.items():
            if isinstance(part, nn.LSTM):
                stem, _, end = name.partition("_reverse")
                suffix = "_l0_reverse" if name.endswith("_reverse") else "_l0"
                getattr(part, ("bias_ih" if stem == "bias" else stem) + suffix).copy_(value)
                if stem == "bias":
                    getattr(part, "bias_hh" + suffix).zero_()
                assert not end
            else:
                getattr(part, name).copy_(value)


def _convolve(layer: Any, part: Any, x: torch.Tensor) -> torch.Tensor:
    reach = layer.kernel_size - 1
    pads = (reach // 2, reach - reach // 2) if layer.padding == "same" else (0, 0)
    if pads[0] != pads[1]:
        x, pads = functional.pad(x, pads), (0, 0)
    if x.dim() == 3:
        return functional.conv1d(x, part.weight, part.bias, padding=pads[0])
    weight = part.weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
    return functional.conv2d(x, weight, part.bias, padding=(0, pads[0]))


# ---- Tasks: name of the variant and the work on a batch of codes ----


def rivals(model: Any, layouts: Sequence[bool]) -> dict[bool, Rival]:
    """The network in each memory layout; without convolutions there is only one."""
    if not any(isinstance(layer, kinds.Conv1D) for layer in model._layers):
        layouts = layouts[:1]
    return {last: Rival(model._layers, model.length_, model.weights_, last) for last in layouts}


def _title(channels_last: bool) -> str:
    return "PyTorch channels-last" if channels_last else "PyTorch"


def training(model: Any, sigmoid: bool, layouts: Sequence[bool]) -> Iterator[tuple[str, Callable[..., Any]]]:
    for last, rival in rivals(model, layouts).items():
        rival.train()
        optimizer = torch.optim.Adam(rival.parameters(), lr=model.learning_rate, fused=True)

        def step(codes: Any, labels: Any, rival: Any = rival, optimizer: Any = optimizer) -> None:
            optimizer.zero_grad(set_to_none=True)
            scores = rival(letters(codes))
            if sigmoid:
                loss = functional.binary_cross_entropy_with_logits(scores, torch.from_numpy(labels).float())
            else:
                loss = functional.cross_entropy(scores, torch.from_numpy(labels))
            loss.backward()
            nn.utils.clip_grad_value_(rival.parameters(), 5)
            optimizer.step()

        yield _title(last), step


def prediction(model: Any, layouts: Sequence[bool], batch: int, frozen: bool) -> Iterator[tuple[str, Work]]:
    for last, rival in rivals(model, layouts).items():
        rival.eval()

        def work(codes: Any, rival: Any = rival) -> None:
            with torch.inference_mode():
                rival(letters(codes))

        yield _title(last), work
        if frozen and not any(isinstance(layer, kinds.LSTM) for layer in model._layers):
            example = letters(np.zeros((batch, model.length_), dtype=np.uint8))
            for title, graph in _graphs(rival, example).items():

                def graph_work(codes: Any, graph: Any = graph) -> None:
                    # Not inference_mode, in which compiled graphs are not frozen.
                    with torch.no_grad():
                        graph(letters(codes))

                yield f"{_title(last)} {title}", graph_work


def _graphs(rival: Rival, example: torch.Tensor) -> dict[str, Any]:
    """The network as frozen graphs: TorchScript's, and the compiler's where there is a C++ compiler."""
    import torch._dynamo
    import torch._inductor.config

    # Of a few graphs of the same code the compiler would give up on further ones.
    torch._dynamo.reset()
    torch._inductor.config.freezing = True
    with torch.no_grad():
        graphs = {"frozen": torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(rival, example)))}
        # A network of DeepSEA's size keeps the compiler busy for many minutes; its products are the library's anyway.
        if sum(parameter.numel() for parameter in rival.parameters()) > _MOST_COMPILED:
            return graphs
        compiled = torch.compile(rival)
        try:
            compiled(example)
        except Exception:  # whatever the compiler's tool chain lacks here
            return graphs
    return graphs | {"compiled": compiled}


def saliency(model: Any, target: int, layouts: Sequence[bool]) -> Iterator[tuple[str, Work]]:
    for last, rival in rivals(model, layouts).items():
        rival.eval().requires_grad_(False)

        def work(codes: Any, rival: Any = rival) -> None:
            x = letters(codes).requires_grad_(True)
            (gradient,) = torch.autograd.grad(rival(x)[:, target].sum(), x)
            (gradient * x.detach()).sum(dim=2).abs()

        yield _title(last), work


def class_optimization(
    model: Any, target: int, layouts: Sequence[bool], restarts: int
) -> Iterator[tuple[str, Callable[[int], Any]]]:
    for last, rival in rivals(model, layouts).items():
        rival.eval().requires_grad_(False)

        def steps(count: int, rival: Any = rival) -> None:
            x = torch.rand(restarts, model.length_, 4).requires_grad_(True)
            optimizer = torch.optim.RMSprop([x], lr=0.05, alpha=0.99, foreach=True)
            for _ in range(count):
                optimizer.zero_grad(set_to_none=True)
                scores = rival(x)
                if scores.shape[1] > 1:
                    value = torch.log_softmax(scores, dim=1)[:, target].sum()
                else:
                    value = functional.logsigmoid(scores).sum()
                (0.009 * x.square().sum() - value).backward()
                optimizer.step()

        yield _title(last), steps
