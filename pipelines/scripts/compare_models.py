"""Train networks on MNIST one after the other, and emit one document for each.

A Remote Python script. One row is the document of `load_mnist.py`; others, with `strokes` and the
`digit` that they mean, are digits that people drew. Its parameters are the pipeline's
(`snaplogic_pipe["args"]`). The test images are the validation images: accuracy and loss on them are
recorded after every epoch, but decide nothing. The result is the network after its last epoch.
"""

import base64
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow_setup
from parameters import text_of, whole_number
from tensorflow_setup import has_bfloat16, quiet, use_all_cores

tensorflow_setup.ensure()

import fast_network  # noqa: E402 - these need numpy, which comes with TensorFlow
import numpy as np  # noqa: E402
from mnist import SHAPE, TRAIN_IMAGES, network_input, unpacked  # noqa: E402
from pen_strokes import to_mnist  # noqa: E402

CLASSES = 10
WORST = 24
"""How many mistakes a document contains."""

packs = []
drawings = []


# Networks -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Network:
    """`published` is the validation accuracy, in percent, in the original use case."""

    title: str
    published: float | None
    layers: Callable
    bfloat16: bool = True
    """Whether bfloat16 is faster for it, on a processor that supports it."""
    one_cycle: bool = False
    """Whether the learning rate rises and falls once over all epochs; if not, it is constant."""
    varied: bool = False
    """Whether it is trained as `fast` is: other images in every epoch, and labels smoothed."""
    pace: int = 1
    """It is trained for one of so many epochs."""


def dense_layers(layers):
    return [layers.Flatten(), layers.Dense(128, activation="relu")]


def cnn_layers(layers):
    return [
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
    ]


def deep_cnn_layers(layers):
    """Three pairs of convolution and pooling. Normalising after the pool is four times cheaper."""
    hidden = []
    for filters in (32, 64, 128):
        hidden += [
            layers.Conv2D(filters, 3, use_bias=False, padding="same"),
            layers.MaxPooling2D(),
            fast_network.fused_normalisation()(momentum=0.95),  # 0.99 adapts too slowly
            layers.ReLU(),
            layers.Dropout(0.25),
        ]
    return [*hidden, layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dropout(0.5)]


def fast_layers(layers):
    return fast_network.hidden_layers(layers, fast_network.fused_normalisation())


NETWORKS = {
    "dense": Network("Dense network", 97.98, dense_layers, bfloat16=False),
    "cnn": Network("First CNN", 98.33, cnn_layers),
    "deep_cnn": Network("Deeper CNN", 99.38, deep_cnn_layers, one_cycle=True),
    "fast": Network("Fast network", None, fast_layers, one_cycle=True, varied=True, pace=5),
}


def build(network, precision):
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    answer = keras.layers.Dense(CLASSES, activation="softmax", dtype="float32")
    return keras.Sequential([keras.Input(SHAPE), *network.layers(keras.layers), answer])


def optimizer(network, steps):
    import keras

    return fast_network.one_cycle(steps) if network.one_cycle else keras.optimizers.Adam()


# Parameters -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    networks: tuple[str, ...]
    epochs: int
    batch_size: int
    images: int
    seed: int


def read_settings(arguments):
    """The pipeline's parameters, which are all strings; an empty one means the default."""
    return Settings(
        networks=chosen_networks(text_of(arguments, "networks")),
        epochs=whole_number(arguments, "epochs", 20, 1, 1000),
        batch_size=whole_number(arguments, "batch_size", 128, 1, 10_000),
        images=whole_number(arguments, "images", TRAIN_IMAGES, 1, TRAIN_IMAGES),
        seed=whole_number(arguments, "seed", 1, 0, 2**32 - 1),
    )


def chosen_networks(text):
    """The networks named in `dense, cnn` or the like, in the order of NETWORKS; all if empty."""
    wanted = text.replace(",", " ").split()
    for name in wanted:
        if name not in NETWORKS:
            raise ValueError(
                f"The parameter networks names the unknown network '{name}';"
                f" choose among {', '.join(NETWORKS)}."
            )
    return tuple(name for name in NETWORKS if name in wanted or not wanted)


# Training -------------------------------------------------------------------------------------


def say(text):
    print(text, flush=True)


def train(name, precision, training, validation):
    """The network, the history of its epochs, and its final answers for the validation images.

    `training` and `validation` are pairs of images and labels. The seconds of an epoch count
    training only.
    """
    import keras

    network = NETWORKS[name]
    keras.backend.clear_session()
    keras.utils.set_random_seed(settings.seed)
    images, labels = training
    epochs = max(1, settings.epochs // network.pace)
    steps = -(-len(images) // settings.batch_size)
    model = build(network, precision)
    model.compile(
        optimizer=optimizer(network, steps * epochs),
        loss=keras.losses.CategoricalCrossentropy(
            label_smoothing=fast_network.SMOOTHING if network.varied else 0
        ),
        metrics=["accuracy"],
        jit_compile=False,  # XLA takes several times as long on a CPU
    )
    random = np.random.default_rng(settings.seed)
    history = []
    for epoch in range(epochs):
        started = time.monotonic()
        shown, meant = epoch_images(network, images, labels, random)
        fitted = model.fit(
            shown,
            np.eye(CLASSES, dtype=np.float32)[meant],
            batch_size=settings.batch_size,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
        )
        seconds = time.monotonic() - started
        answers = probabilities(model, validation[0])
        history.append(epoch_record(fitted.history, seconds, answers, validation[1]))
        show_progress(network, history, epochs)
    return model, history, answers


def epoch_images(network, images, labels, random):
    """The images of an epoch in a new order, and their labels."""
    if network.varied:
        return fast_network.epoch_images(images, labels, random)
    order = random.permutation(len(images))
    return images[order], labels[order]


def epoch_record(fitted, seconds, answers, labels):
    """The figures of one epoch. Those of training are means over it, while the network learns."""
    return {
        "seconds": round(seconds, 2),
        "training_accuracy": round(float(fitted["accuracy"][0]), 6),
        "training_loss": round(float(fitted["loss"][0]), 6),
        "validation_accuracy": round(float(np.mean(answers.argmax(axis=1) == labels)), 6),
        "validation_loss": round(float(losses(answers, labels).mean()), 6),
    }


def losses(answers, labels):
    """The cross entropy of each answer, with Keras' lower bound on the probability."""
    return -np.log(np.maximum(answers[np.arange(len(labels)), labels], 1e-7))


def probabilities(model, images):
    batches = np.array_split(images, max(1, len(images) // 500))
    return np.concatenate([model.predict_on_batch(batch) for batch in batches])


def show_progress(network, history, epochs):
    last = history[-1]
    say(
        f"{network.title}  epoch {len(history):>{len(str(epochs))}}/{epochs}"
        f"  {last['seconds']:.1f} s"
        f"  training {100 * last['training_accuracy']:.2f} %"
        f"  validation {100 * last['validation_accuracy']:.2f} %"
    )


# Documents ------------------------------------------------------------------------------------


def document(name, precision, model, history, answers, validation):
    """Everything about a trained network except its weights, as plain data."""
    import keras
    import tensorflow as tf

    network, last = NETWORKS[name], history[-1]
    images, labels = validation
    return {
        "name": name,
        "title": network.title,
        "layers": [described(layer) for layer in model.layers],
        "weights": int(model.count_params()),
        "precision": precision,
        "epochs": len(history),
        "batch_size": settings.batch_size,
        "images": settings.images,
        "validation_images": len(labels),
        "seed": settings.seed,
        "seconds": round(sum(epoch["seconds"] for epoch in history), 2),
        "training_accuracy": last["training_accuracy"],
        "validation_accuracy": last["validation_accuracy"],
        "strokes_accuracy": strokes_accuracy(model),
        "drawings": len(drawings),
        "published_accuracy": network.published and round(network.published / 100, 4),
        "history": history,
        "confusion": confusion(answers, labels),
        "mistakes": worst_mistakes(answers, images, labels),
        "libraries": {
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
    }


def strokes_accuracy(model):
    """The share that is right of what people drew; None if there are no such rows."""
    if not drawings:
        return None
    images = np.stack([to_mnist(row["strokes"]) for row in drawings])
    digits = np.array([row["digit"] for row in drawings])
    return round(float(np.mean(probabilities(model, images).argmax(axis=1) == digits)), 6)


def described(layer):
    """A short description of a layer, such as `Conv2D 64 3x3 relu`."""
    config = layer.get_config()
    words = [type(layer).__name__]
    words += [str(config[key]) for key in ("filters", "units", "rate") if key in config]
    size = config.get("kernel_size") or config.get("pool_size")
    if size:
        words.append("x".join(map(str, size)))
    if config.get("activation") not in (None, "linear"):
        words.append(config["activation"])
    return " ".join(words)


def confusion(answers, labels):
    """Ten rows of ten counts: a row for each true digit, a column for each answer."""
    counts = np.zeros((CLASSES, CLASSES), int)
    np.add.at(counts, (labels, answers.argmax(axis=1)), 1)
    return counts.tolist()


def worst_mistakes(answers, images, labels):
    """The wrong answers with the largest loss, worst first, each with its 28x28 bytes as base64."""
    predicted = answers.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(-losses(answers, labels)[wrong], kind="stable")][:WORST]
    return [
        {
            "index": int(at),
            "label": int(labels[at]),
            "predicted": int(predicted[at]),
            "confidence": round(float(answers[at, predicted[at]]), 4),
            "image": base64.b64encode(images[at].tobytes()).decode("ascii"),
        }
        for at in worst
    ]


# The three functions of a Remote Python script ------------------------------------------------


def snaplogic_init():
    """Read the parameters first, so that a wrong one fails before anything is loaded."""
    global settings
    settings = read_settings(snaplogic_pipe.get("args", {}))  # noqa: F821 - given by the executor
    with quiet():
        import tensorflow  # noqa: F401 - imported here to silence its messages

    use_all_cores()


def snaplogic_process(row):
    """Keep the row; all networks are trained at the end."""
    if "strokes" in row:
        drawings.append(row)
    else:
        packs.append(row)


def snaplogic_final():
    """One document for each network."""
    [row] = packs
    train_x, train_y = (unpacked(row["train"][part]) for part in ("images", "labels"))
    test_x, test_y = (unpacked(row["test"][part]) for part in ("images", "labels"))
    training = network_input(train_x[: settings.images]), train_y[: settings.images].astype(int)
    say(
        f"training {', '.join(settings.networks)} on {len(training[0]):,} images:"
        f" {settings.epochs} epochs, batches of {settings.batch_size}, seed {settings.seed}"
    )
    documents = []
    for name in settings.networks:
        precision = "bfloat16" if NETWORKS[name].bfloat16 and has_bfloat16() else "float32"
        model, history, answers = train(name, precision, training, (network_input(test_x), test_y))
        documents.append(document(name, precision, model, history, answers, (test_x, test_y)))
    return documents
