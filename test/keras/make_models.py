"""Makes the models of models/ and what they compute, cases.json.

    pip install keras==3.15.1 jax h5py
    KERAS_BACKEND=jax python3 test/keras/make_models.py

Files in the layout of earlier versions are rewritten from those that Keras wrote, by the functions that say so; their
sources are keras/src/saving/saving_lib.py (H5IOStore before it noted names) and the HDF5 format of Keras 2
(keras/src/legacy/saving/legacy_h5_format.py), whose variables were called "dense/kernel:0".
"""

import io
import json
import pathlib
import zipfile

import h5py
import keras
import numpy as np
from keras import layers

here = pathlib.Path(__file__).parent / "models"
here.mkdir(exist_ok=True)
random = np.random.default_rng(0)


def with_values(model):
    """Random values for every variable; variances are positive."""
    for variable in model.weights:
        value = random.standard_normal(variable.shape).astype("float32")
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.path else value)
    return model


def mlp():
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(5, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )


def conv():
    return keras.Sequential(
        [
            keras.Input((7, 6, 2)),
            layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(scale=False),
            layers.ReLU(),
            layers.DepthwiseConv2D(2, depth_multiplier=2),
            layers.BatchNormalization(center=False, epsilon=1e-5),
            layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
            layers.Flatten(),
            layers.BatchNormalization(),
            layers.Dense(5),
            layers.LayerNormalization(),
            layers.Dense(3, use_bias=False),
        ]
    )


def norms():
    """Functional, so that Keras lists the input among the layers; a chain all the same."""
    x = inputs = keras.Input((8, 4))
    x = layers.BatchNormalization(scale=False, center=False)(x)
    x = layers.Conv1DTranspose(4, 3, strides=2)(x)
    x = layers.Conv1D(6, 3, padding="causal", dilation_rate=2)(x)
    x = layers.GroupNormalization(groups=2)(x)
    x = layers.Conv1D(6, 3, padding="same", groups=3)(x)
    x = layers.LayerNormalization(center=False)(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(2)(x))


def branches():
    x = inputs = keras.Input((4, 4, 3))
    left = layers.Conv2D(3, 1, name="left")(x)
    right = layers.Conv2D(3, 1, name="right")(x)
    x = layers.Add()([left, layers.ReLU()(right)])
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def nested():
    """What is not trained comes last in older files: here it is first."""
    inner = keras.Sequential(
        [
            layers.BatchNormalization(scale=False, center=False, name="bare"),
            layers.Dense(4, name="first"),
            layers.BatchNormalization(),
            layers.ReLU(),
        ],
        name="inner",
    )
    return keras.Sequential([keras.Input((3,)), inner, layers.Dense(2)])


class Own(keras.Model):
    """Keras keeps its layers under the names of its attributes, in the order of the alphabet."""

    def __init__(self, width=4):
        super().__init__()
        self.width = width
        self.later = layers.Dense(4)
        self.earlier = layers.Dense(width)

    def get_config(self):
        return {"width": self.width}

    def call(self, x):
        return self.later(self.earlier(x))


def subclassed(width=5):
    model = Own(width)
    model(np.zeros((1, 4)))
    return model


def alike():
    return subclassed(4)


def half():
    return keras.Sequential([keras.Input((3,)), layers.Dense(4, dtype="bfloat16"), layers.Dense(2, dtype="float16")])


def flat():
    return keras.Sequential([keras.Input((3, 2, 4)), layers.Flatten(), layers.Dense(2)])


def first(turned=False):
    """Images with the channels first; Flatten takes them as they come, or turns them around when it is told."""
    flatten = layers.Flatten(data_format="channels_first" if turned else "channels_last")
    return keras.Sequential(
        [
            keras.Input((2, 5, 4)),
            layers.Conv2D(3, 2, data_format="channels_first"),
            layers.BatchNormalization(axis=1),
            flatten,
            layers.Dense(2),
        ]
    )


def turned():
    return first(turned=True)


def without_names(group):
    """As Keras 3 wrote before it noted the layers' names, and h5py before HDF5 2.0."""
    copy = io.BytesIO()
    with h5py.File(copy, "w", libver=("earliest", "v108")) as target:

        def write(path, item):
            if isinstance(item, h5py.Group):
                target.create_group(path)
            else:
                target[path] = item[()]

        group.visititems(write)
    return copy.getvalue()


def as_keras_2(source, target):
    """Renames dense/kernel to dense/kernel:0, and writes as h5py did before HDF5 2.0."""
    with h5py.File(source) as old, h5py.File(target, "w", libver=("earliest", "v108")) as new:
        for key, value in old.attrs.items():
            new.attrs[key] = value
        weights = new.create_group("model_weights")
        weights.attrs["backend"] = b"tensorflow"
        weights.attrs["keras_version"] = b"2.15.0"
        names = [name for name in old["model_weights"].attrs["layer_names"]]
        # As long lists are: in parts.
        weights.attrs["layer_names0"] = np.array(names[:2], dtype="S")
        weights.attrs["layer_names1"] = np.array(names[2:], dtype="S")
        for layer, group in old["model_weights"].items():
            copy = weights.create_group(layer)
            paths = [path.decode() if isinstance(path, bytes) else path for path in group.attrs["weight_names"]]
            copy.attrs["weight_names"] = np.array([f"{path}:0".encode() for path in paths], dtype="S") if paths else np.zeros(0)
            for path in paths:
                copy.create_dataset(f"{path}:0", data=group[path][()])


result = {"script": "make_models.py", "keras": keras.__version__, "h5py": h5py.__version__, "models": {}}
for make in (mlp, conv, norms, branches, nested, half, flat, first, turned, subclassed, alike):
    keras.utils.clear_session()
    model = with_values(make())
    name = make.__name__
    model.save(here / f"{name}.keras")
    shape = (4,) if make in (subclassed, alike) else model.input_shape[1:]
    x = random.standard_normal((4, *shape)).astype("float32")
    y = np.asarray(model(x, training=False)).astype("float64")
    # The channels first, as evenkeel has them.
    images = x if make in (first, turned) else np.moveaxis(x, -1, 1)
    result["models"][name] = {"shape": list(images.shape), "x": images.ravel().tolist(), "y": y.tolist()}
    if make in (mlp, conv, norms):
        model.save_weights(here / f"{name}.weights.h5")
    if make in (mlp, conv, nested):
        model.save(here / f"{name}.h5")
with h5py.File(here / "mlp.weights.h5") as file:
    (here / "mlp-without-names.weights.h5").write_bytes(without_names(file))
as_keras_2(here / "mlp.h5", here / "mlp-keras-2.h5")
with zipfile.ZipFile(here / "mlp.keras") as source, zipfile.ZipFile(here / "mlp-deflated.keras", "w", zipfile.ZIP_DEFLATED) as target:
    for name in source.namelist():
        target.writestr(name, source.read(name))
(here.parent / "cases.json").write_text(json.dumps(result) + "\n")
