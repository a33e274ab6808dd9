"""Train networks on MNIST one after the other, and emit one document for each.

A Remote Python script: it stands alone, because only its text is sent to the executor. Its one row
is the document of `load_mnist.py`; its parameters are the pipeline's (`snaplogic_pipe["args"]`).
The test images are the validation images: after every epoch accuracy and loss on them are noted
and do nothing. What counts is the network after its last epoch.
"""

import base64
import contextlib
import os
import pathlib
import platform
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from snaplogic.tool import SLTool as slt  # noqa: N813

LINUX_PC = (platform.system(), platform.machine()) == ("Linux", "x86_64")
slt.ensure("tensorflow-cpu" if LINUX_PC else "tensorflow")

import numpy as np  # noqa: E402 - it comes with TensorFlow

CLASSES = 10
SHAPE = (28, 28, 1)
TRAIN_IMAGES = 60_000
WORST = 24
"""Mistakes that a document shows."""


# Networks -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Network:
    """`published` is the validation accuracy, in percent, of the use case that we follow."""

    title: str
    published: float
    layers: Callable
    bfloat16: bool = True
    """Whether bfloat16 is quicker for it, on a processor that has it."""
    one_cycle: bool = False
    """Whether the learning rate rises and falls once over all epochs; else it is Adam's own."""


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
    """Three pairs of convolution and subsampling. Normalising after the pool costs a quarter."""
    hidden = []
    for filters in (32, 64, 128):
        hidden += [
            layers.Conv2D(filters, 3, use_bias=False, padding="same"),
            layers.MaxPooling2D(),
            normalisation(layers),
            layers.ReLU(),
            layers.Dropout(0.25),
        ]
    return [*hidden, layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dropout(0.5)]


NETWORKS = {
    "dense": Network("Dense network", 97.98, dense_layers, bfloat16=False),
    "cnn": Network("First CNN", 98.33, cnn_layers),
    "deep_cnn": Network("Deeper CNN", 99.38, deep_cnn_layers, one_cycle=True),
}


def normalisation(layers):
    """Batch normalisation, trained through TensorFlow's one fused operation.

    Keras composes it of many, which takes nearly twice the time.
    """
    import tensorflow as tf

    class BatchNormalization(layers.BatchNormalization):
        def call(self, inputs, training=None):
            if not training:
                return super().call(inputs)
            result, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
                x=inputs,
                scale=tf.convert_to_tensor(self.gamma),
                offset=tf.convert_to_tensor(self.beta),
                mean=tf.zeros(0),
                variance=tf.zeros(0),
                epsilon=self.epsilon,
            )
            old = self.momentum
            self.moving_mean.assign(old * self.moving_mean + (1 - old) * mean)
            self.moving_variance.assign(old * self.moving_variance + (1 - old) * variance)
            return result

    return BatchNormalization(momentum=0.95)  # 0.99 forgets too slowly for quick tries


def build(network, precision):
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    answer = keras.layers.Dense(CLASSES, activation="softmax", dtype="float32")
    return keras.Sequential([keras.Input(SHAPE), *network.layers(keras.layers), answer])


def optimizer(network, steps):
    """Adam, or AdamW in one cycle over all steps: a linear rise, then a cosine fall to nothing."""
    import keras

    if not network.one_cycle:
        return keras.optimizers.Adam()
    rise = max(1, steps // 5)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, max(1, steps - rise), warmup_target=4e-3, warmup_steps=rise
    )
    return keras.optimizers.AdamW(rate, weight_decay=1e-4, beta_2=0.99)


# Parameters -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    networks: tuple[str, ...]
    epochs: int
    batch_size: int
    images: int
    seed: int


def read_settings(arguments):
    """The pipeline's parameters, which are all texts; an empty one means its default."""
    return Settings(
        networks=chosen_networks(text_of(arguments, "networks")),
        epochs=whole_number(arguments, "epochs", 20, 1, 1000),
        batch_size=whole_number(arguments, "batch_size", 128, 1, 10_000),
        images=whole_number(arguments, "images", TRAIN_IMAGES, 1, TRAIN_IMAGES),
        seed=whole_number(arguments, "seed", 1, 0, 2**32 - 1),
    )


def chosen_networks(text):
    """The names in a text such as `dense, cnn`, in the order of the table; all, if it is empty."""
    wanted = text.replace(",", " ").split()
    for name in wanted:
        if name not in NETWORKS:
            raise ValueError(
                f"The parameter networks names '{name}', which is no network here;"
                f" choose among {', '.join(NETWORKS)}."
            )
    return tuple(name for name in NETWORKS if name in wanted or not wanted)


def whole_number(arguments, name, default, least, most):
    text = text_of(arguments, name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise ValueError(
            f"The parameter {name} is '{text}', but must be a whole number"
            f" from {least} to {most:,}, or empty for {default:,}."
        )
    return int(text)


def text_of(arguments, name):
    value = arguments.get(name)
    return "" if value is None else str(value).strip()


def has_bfloat16():
    """Whether the processor computes in it."""
    try:
        described = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return bool({"avx512_bf16", "amx_bf16"} & set(described.split()))


# Training -------------------------------------------------------------------------------------


def say(text):
    print(text, flush=True)


def unpack(packed):
    """The uint8 array that `load_mnist.py` has packed."""
    content = zlib.decompress(base64.b64decode(packed["zlib"]))
    return np.frombuffer(content, np.uint8).reshape(packed["shape"])


def network_input(images):
    """Grey values 0..255 as float32 0..1 of shape (N, 28, 28, 1)."""
    return (images.astype(np.float32) / 255).reshape(-1, *SHAPE)


def train(name, precision, training, validation):
    """The network, the history of its epochs, and its last answers to the validation images.

    `training` and `validation` are pairs of images and labels. An epoch's seconds are those of
    training alone.
    """
    import keras

    network = NETWORKS[name]
    keras.backend.clear_session()
    keras.utils.set_random_seed(settings.seed)
    images, labels = training
    steps = -(-len(images) // settings.batch_size)
    model = build(network, precision)
    model.compile(
        optimizer=optimizer(network, steps * settings.epochs),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,  # XLA would cost several times the time on a processor
    )
    random = np.random.default_rng(settings.seed)
    history = []
    for epoch in range(settings.epochs):
        order = random.permutation(len(images))
        started = time.monotonic()
        fitted = model.fit(
            images[order],
            labels[order],
            batch_size=settings.batch_size,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
        )
        seconds = time.monotonic() - started
        answers = probabilities(model, validation[0])
        history.append(noted(fitted.history, seconds, answers, validation[1]))
        tell(network, history)
    return model, history, answers


def noted(fitted, seconds, answers, labels):
    """One epoch. Figures of training are means over it, while the network still learns."""
    return {
        "seconds": round(seconds, 2),
        "training_accuracy": round(float(fitted["accuracy"][0]), 6),
        "training_loss": round(float(fitted["loss"][0]), 6),
        "validation_accuracy": round(float(np.mean(answers.argmax(axis=1) == labels)), 6),
        "validation_loss": round(float(losses(answers, labels).mean()), 6),
    }


def losses(answers, labels):
    """Cross entropy of each answer, with Keras' bound on the probability."""
    return -np.log(np.maximum(answers[np.arange(len(labels)), labels], 1e-7))


def probabilities(model, images):
    batches = np.array_split(images, max(1, len(images) // 500))
    return np.concatenate([model.predict_on_batch(batch) for batch in batches])


def tell(network, history):
    last = history[-1]
    say(
        f"{network.title}  epoch {len(history):>{len(str(settings.epochs))}}/{settings.epochs}"
        f"  {last['seconds']:.1f} s"
        f"  training {100 * last['training_accuracy']:.2f} %"
        f"  validation {100 * last['validation_accuracy']:.2f} %"
    )


# Documents ------------------------------------------------------------------------------------


def document(name, precision, model, history, answers, validation):
    """All that is known of a trained network but its weights, as plain data."""
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
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "images": settings.images,
        "validation_images": len(labels),
        "seed": settings.seed,
        "seconds": round(sum(epoch["seconds"] for epoch in history), 2),
        "training_accuracy": last["training_accuracy"],
        "validation_accuracy": last["validation_accuracy"],
        "published_accuracy": round(network.published / 100, 4),
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


def described(layer):
    """A layer in a few words, such as `Conv2D 64 3x3 relu`."""
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
    """Ten rows of ten counts: row for the true digit, column for the answer."""
    counts = np.zeros((CLASSES, CLASSES), int)
    np.add.at(counts, (labels, answers.argmax(axis=1)), 1)
    return counts.tolist()


def worst_mistakes(answers, images, labels):
    """The wrong answers with the largest loss, the worst first; 28x28 bytes each as base64."""
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
    """Parameters first, so that a wrong one fails before anything is loaded."""
    global settings
    settings = read_settings(snaplogic_pipe.get("args", {}))  # noqa: F821 - given by the executor
    with quiet():
        import tensorflow as tf

    threads = usable_cores()
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def usable_cores():
    """Those that this process may run on, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def quiet():
    """TensorFlow tells of itself on the error stream, whatever its log level; not to us."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def snaplogic_process(row):
    """One document for each network, when all are trained."""
    train_x, train_y = (unpack(row["train"][part]) for part in ("images", "labels"))
    test_x, test_y = (unpack(row["test"][part]) for part in ("images", "labels"))
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


def snaplogic_final():
    return None
