"""Makes the files of `fixtures/keras`: models of Keras 3 with random weights, their formats, and their answers.

Run it where keras >= 3, tensorflow and tf2onnx are installed, with the folder as argument. The tests need none of them.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers

LENGTH = 20


def sequential():
    return keras.Sequential(
        [
            keras.Input((LENGTH, 4)),
            layers.Conv1D(5, 5, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.SpatialDropout1D(0.2),
            layers.MaxPooling1D(3, strides=2, padding="same"),
            layers.Conv1D(4, 3, padding="causal", dilation_rate=2, use_bias=False),
            layers.LeakyReLU(negative_slope=0.1),
            layers.AveragePooling1D(3, strides=2, padding="same"),
            layers.Conv1D(4, 3, strides=2, padding="same", activation="elu"),
            layers.Flatten(),
            layers.GaussianNoise(0.1),
            layers.Dense(6, activation="tanh"),
            layers.Dense(3, activation="softmax"),
        ]
    )


def recurrent():
    return keras.Sequential(
        [
            keras.Input((LENGTH, 4)),
            layers.Conv1D(4, 3, activation="gelu"),
            layers.LayerNormalization(),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.GRU(4, return_sequences=True),
            layers.Bidirectional(layers.GRU(3, reset_after=False)),
            layers.Dropout(0.5),
            layers.Dense(2, activation="sigmoid"),
        ]
    )


def both():
    return keras.Sequential(
        [
            keras.Input((LENGTH, 4)),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.GlobalMaxPooling1D(),
            layers.Dense(2),
        ]
    )


def functional():
    inputs = keras.Input((LENGTH, 4))
    first = layers.Conv1D(4, 5, padding="same", name="z")(inputs)
    body = layers.Conv1D(4, 3, padding="same", activation="relu", name="a")(first)
    x = layers.Add()([first, layers.Conv1D(4, 3, padding="same")(body)])
    x = layers.Activation("exponential")(x)
    x = layers.Concatenate()([layers.GlobalMaxPooling1D()(x), layers.GlobalAveragePooling1D()(x)])
    return keras.Model(inputs, layers.Dense(1)(x))


def image():
    return keras.Sequential(
        [
            keras.Input((LENGTH, 4, 1)),
            layers.Conv2D(4, (5, 4), activation="relu"),
            layers.MaxPooling2D((2, 1)),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    X = np.random.default_rng(1).dirichlet(np.ones(4), (4, LENGTH)).astype(np.float32)
    answers = {"X": X}
    for make in (sequential, recurrent, both, functional, image):
        keras.utils.set_random_seed(1)
        random = np.random.default_rng(2)
        model = make()
        values = [random.normal(0, 0.4, w.shape) for w in model.get_weights()]
        # Variances are positive.
        names = [weight.path for weight in model.weights]
        model.set_weights([abs(v) + 0.5 if "variance" in n else v for n, v in zip(names, values, strict=True)])
        letters = X[..., None] if make is image else X
        answers[make.__name__] = model.predict(letters, verbose=0)
        if make is not both:
            model.save(folder / f"{make.__name__}.keras")
        if make in (sequential, recurrent):
            model.save(folder / f"{make.__name__}.h5")
        # tf2onnx knows neither this GELU nor a GRU.
        if make is not recurrent:
            model.export(str(folder / f"{make.__name__}.onnx"), format="onnx", verbose=False)
    np.savez(folder / "answers.npz", **answers)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
