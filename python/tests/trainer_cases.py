"""What the tests of the engine's trainer share: networks, targets, optimizers and losses by name."""

import numpy as np

from deepmotif import _native

LENGTH, ROWS, BATCH = 24, 60, 20
OPTIMIZERS = {
    "adam": ("Adam", _native.OPTIMIZER_ADAM, {}),
    "adam decayed": ("Adam", _native.OPTIMIZER_ADAM, {"weight_decay": 0.1}),
    "adamw": ("AdamW", _native.OPTIMIZER_ADAMW, {"weight_decay": 0.1}),
    "sgd": ("SGD", _native.OPTIMIZER_SGD, {"weight_decay": 0.1}),
    "sgd momentum": ("SGD", _native.OPTIMIZER_SGD, {"momentum": 0.9}),
    "rmsprop": ("RMSprop", _native.OPTIMIZER_RMSPROP, {"weight_decay": 0.1}),
    "rmsprop momentum": ("RMSprop", _native.OPTIMIZER_RMSPROP, {"momentum": 0.5}),
    "adadelta": ("Adadelta", _native.OPTIMIZER_ADADELTA, {"weight_decay": 0.1}),
}
LOSSES = {
    "softmax": (_native.OUTPUT_SOFTMAX, _native.LOSS_DEFAULT),
    "flags": (_native.OUTPUT_SIGMOID, _native.LOSS_DEFAULT),
    "fractions": (_native.OUTPUT_SIGMOID, _native.LOSS_DEFAULT),
    "mse": (_native.OUTPUT_LINEAR, _native.LOSS_MSE),
    "poisson": (_native.OUTPUT_LINEAR, _native.LOSS_POISSON),
    "correlation": (_native.OUTPUT_LINEAR, _native.LOSS_CORRELATION),
}
KIND = {
    name: getattr(_native, f"LAYER_{name}")
    for name in ("CONV1D", "BATCH_NORM1D", "TANH", "MAX_POOL1D", "GLOBAL_AVERAGE_POOL1D", "FLATTEN", "DENSE", "LSTM",
                 "GRU", "GLOBAL_MAX_POOL1D", "GLOBAL_MAX_AVERAGE_POOL1D", "LAYER_NORM", "RELU", "DROPOUT",
                 "RESIDUAL")
}  # fmt: skip


def layer(name, **options):
    return {"kind": KIND[name], **options}


def network(norm=True):
    """Convolution, normalisation, tanh, pool, flatten, dense (normalised as well), dense to three scores."""
    norms = [layer("BATCH_NORM1D", momentum=0.2)] if norm else []
    layers = [layer("CONV1D", units=6, width=5), *norms, layer("TANH"), layer("MAX_POOL1D", width=2, stride=2)]
    layers += [layer("FLATTEN"), layer("DENSE", units=8), *norms, layer("TANH"), layer("DENSE", units=3)]
    return layers


def draw_codes():
    return np.random.default_rng(1).integers(0, 4, (ROWS, LENGTH), dtype=np.uint8)


def targets_of(name):
    draw = np.random.default_rng(2)
    if name == "softmax":
        return draw.integers(0, 3, ROWS, dtype=np.int32)
    if name == "flags":
        flags = draw.integers(0, 2, (ROWS, 3), dtype=np.uint8)
        flags[draw.random((ROWS, 3)) < 0.3] = 255
        return flags
    values = draw.random((ROWS, 3), dtype=np.float32)
    if name == "poisson":
        values = draw.poisson(2.0, (ROWS, 3)).astype(np.float32)
    values[draw.random((ROWS, 3)) < 0.2] = np.nan
    return values


def trainer_for(model, loss="softmax", **options):
    output, number = LOSSES[loss]
    return _native.Trainer(model, output=output, loss=number, gradient_clip=0.0, **options)


def arrays_of(model, flat):
    sizes = [int(np.prod(shape)) for _, shape in model.parameter_info]
    parts = np.split(flat, np.cumsum(sizes)[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(model.parameter_info, parts, strict=True)}
