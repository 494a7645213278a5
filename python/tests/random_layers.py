"""Random small networks over all layers and their options, for tests that compare two ways of computing them."""

import numpy as np

from deepmotif import layers

ACTIVATIONS = (
    layers.ReLU, layers.LeakyReLU, layers.ELU, layers.GELU, layers.Sigmoid, layers.Tanh, layers.Softmax,
    layers.Exponential,
)  # fmt: skip


def flag(rng):
    return bool(rng.integers(2))


def activation(rng):
    kind = ACTIVATIONS[rng.integers(len(ACTIVATIONS))]
    if kind is layers.LeakyReLU:
        return kind(float(rng.uniform(0, 0.5)))
    if kind is layers.ELU:
        return kind(float(rng.uniform(0.2, 2)))
    return kind(flag(rng)) if kind is layers.GELU else kind()


def convolution(rng):
    paddings = ("valid", "same", "causal", tuple(int(n) for n in rng.integers(0, 6, 2)))
    return layers.Conv1D(
        int(rng.integers(1, 9)), int(rng.integers(1, 6)), padding=paddings[rng.integers(4)],
        dilation=int(rng.integers(1, 4)), stride=int(rng.integers(1, 4)), bias=flag(rng),
    )  # fmt: skip


def pool(rng):
    size = int(rng.integers(1, 5))
    stride = None if flag(rng) else int(rng.integers(1, 5))
    # Equal paddings of at most half a window are what PyTorch itself allows.
    paddings = ((0, 0), (size // 2, size // 2), tuple(int(n) for n in rng.integers(0, size, 2)), "same", "valid")
    padding = paddings[rng.integers(len(paddings))]
    if flag(rng):
        return layers.MaxPool1D(size, stride, padding, flag(rng))
    return layers.AveragePool1D(size, stride, padding, flag(rng), flag(rng))


def recurrent(rng, channels, sequences):
    units, both = int(rng.integers(1, 8)), flag(rng)
    if flag(rng):
        return layers.GRU(units, both, sequences, reset_after=flag(rng))
    return layers.LSTM(units, both, sequences, split_input=both and channels % 2 == 0 and flag(rng))


def residual(rng, channels, depth):
    """A block whose shape fits: convolutions of odd width with "same" padding, or layers that keep the positions."""
    if depth or flag(rng):
        body = [layers.Conv1D(channels, 3, padding="same", dilation=int(rng.integers(1, 3))), activation(rng)]
        if depth < 2 and flag(rng):
            body.append(residual(rng, channels, depth + 1))
        if flag(rng) and channels > 3:
            body.insert(0, layers.LayerNorm())
        return layers.Residual(body)
    units = int(rng.integers(1, 7))
    body = [layers.Dense(units), activation(rng), layers.GRU(units, reset_after=flag(rng))]
    return layers.Residual(body, [layers.Conv1D(units, 1, bias=flag(rng))])


def positional(rng, channels):
    """A layer that keeps the positions apart."""
    choice = rng.integers(7)
    if choice == 0:
        return convolution(rng)
    if choice == 1:
        return pool(rng)
    if choice == 2:
        return recurrent(rng, channels, True)
    if choice == 3:
        return residual(rng, channels, 0)
    # Two or three channels brought to variance 1 are nearly constant: rounding errors are all that is left.
    if choice == 4 and channels > 3:
        return layers.LayerNorm(float(rng.choice([1e-5, 1e-3])))
    if choice == 5:
        return layers.Dense(int(rng.integers(1, 9)), flag(rng))
    return layers.Dropout(0.3) if flag(rng) else activation(rng)


def ending(rng, channels):
    choice = rng.integers(6)
    ends = (
        layers.GlobalMaxPool1D(), layers.GlobalAveragePool1D(), layers.GlobalMaxAveragePool1D(),
        layers.Flatten("channels"), layers.Flatten(),
    )  # fmt: skip
    return recurrent(rng, channels, False) if choice == 5 else ends[choice]


def random_network(seed):
    """Layers and the length of their sequences; the last layer gives 3 scores."""
    rng = np.random.default_rng(seed)
    length = int(rng.integers(6, 40))
    network, shape = [], (length, 4)
    while len(network) < rng.integers(1, 7):
        layer = positional(rng, shape[1])
        new = layer.output_shape(*shape)
        if new[0] >= 1:
            network.append(layer)
            shape = new
    network.append(ending(rng, shape[1]))
    if flag(rng):
        network += [layers.Dense(int(rng.integers(1, 6))), activation(rng)]
    return [*network, layers.Dense(3, flag(rng))], length
