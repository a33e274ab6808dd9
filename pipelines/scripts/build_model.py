"""Train a convolutional network on MNIST and emit it, as base64, in one document.

A Remote Python script. Its parameters are the pipeline's (`snaplogic_pipe["args"]`). It has no
input and emits one document, in `snaplogic_final`: `model` is a `.keras` file as base64, with
float32 layers and without the optimizer, so that it is small and loads on any processor; `litert`
is the same network compiled for LiteRT, which hosting uses; `accuracy` is that of exactly this
model on the 10,000 test images, which are used only once, after the last epoch. The last 2,000
training images are not trained on: they calibrate the probabilities and set `sure_above`.
"""

import base64
import pathlib
import platform
import resource
import tempfile
import time
import warnings
from dataclasses import asdict, dataclass

import tensorflow_setup
from parameters import choice, whole_number
from tensorflow_setup import has_bfloat16, quiet, usable_cores, use_all_cores

tensorflow_setup.ensure()

import confidence  # noqa: E402 - these need numpy, which comes with TensorFlow
import fast_network  # noqa: E402
import numpy as np  # noqa: E402
from mnist import SHAPE, TRAIN_IMAGES, load_mnist, network_input  # noqa: E402

EPOCHS = {"classic": 12, "fast": 4}
SMOOTHING = {"classic": 0.0, "fast": fast_network.SMOOTHING}
STEPS_PER_CALL = 16
"""Training steps that TensorFlow takes at a time, without going back to Python: a tenth quicker."""
LABELS = list(range(10))
HELD_OUT = 2000
"""How many training images, the last ones, are kept for calibration."""
COMPARED, TOLERANCE = 200, 1e-4
"""Number of test images to compare LiteRT and Keras on, and how far probabilities may differ."""


# Parameters -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    architecture: str
    precision: str
    epochs: int
    batch_size: int
    images: int
    seed: int


def read_settings(arguments):
    """The pipeline's parameters, which are all strings; an empty one means the default."""
    architecture = choice(arguments, "architecture", ("classic", "fast"))
    precision = choice(arguments, "precision", ("auto", "bfloat16", "float32"))
    return Settings(
        architecture=architecture,
        precision=best_precision() if precision == "auto" else precision,
        epochs=whole_number(arguments, "epochs", EPOCHS[architecture], 1, 1000),
        batch_size=whole_number(arguments, "batch_size", 128, 1, 10_000),
        images=whole_number(arguments, "images", TRAIN_IMAGES, 1, TRAIN_IMAGES),
        seed=whole_number(arguments, "seed", 1, 0, 2**32 - 1),
    )


def best_precision():
    """bfloat16 if the processor supports it, because that is faster; otherwise float32."""
    return "bfloat16" if has_bfloat16() else "float32"


# Networks -------------------------------------------------------------------------------------


def build(settings, precision, normalisation=None):
    """The network. Its weights are always float32; `precision` applies to computations."""
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    layers = keras.layers
    if settings.architecture == "classic":
        hidden = classic_layers(layers)
    else:
        normalisation = normalisation or layers.BatchNormalization
        hidden = fast_network.hidden_layers(layers, normalisation, settings.epochs)
    answer = layers.Dense(len(LABELS), activation="softmax", dtype="float32")
    return keras.Sequential([keras.Input(SHAPE), *hidden, answer])


def classic_layers(layers):
    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
    ]


def optimizer(architecture, steps):
    import keras

    return keras.optimizers.Adam() if architecture == "classic" else fast_network.one_cycle(steps)


# Training -------------------------------------------------------------------------------------


def one_hot(labels):
    return np.eye(len(LABELS), dtype=np.float32)[labels]


def say(text):
    print(text, flush=True)


class Progress:
    """Prints plain lines, five per epoch, and keeps the history of the epochs."""

    def __init__(self, epochs, steps):
        self.epochs, self.steps = epochs, steps
        self.history = []
        self.tenths = 0
        self.started = self.epoch_started = time.monotonic()

    def step(self, batch, logs):
        tenths = 10 * (batch + 1) // self.steps
        if tenths in (2, 4, 6, 8) and tenths > self.tenths:
            self.show(f"{tenths}0%", logs)
        self.tenths = tenths

    def epoch(self, number, logs):
        now = time.monotonic()
        passed, left = now - self.started, self.epochs - number - 1
        self.history.append(
            {
                "epoch": number + 1,
                "loss": float(logs["loss"]),
                "accuracy": float(logs["accuracy"]),
                "seconds": round(now - self.epoch_started, 2),
            }
        )
        self.epoch_started = now
        remaining = f", {passed / (number + 1) * left:.0f} s to go" if left else ""
        self.show("done", logs, f"  {passed:.0f} s{remaining}")

    def show(self, stage, logs, more=""):
        epoch = f"{len(self.history) + (stage != 'done'):>{len(str(self.epochs))}}"
        say(
            f"epoch {epoch}/{self.epochs}  {stage:>4}  loss {logs['loss']:.4f}"
            f"  accuracy {100 * logs['accuracy']:.2f} %{more}"
        )


def epoch_images(architecture, images, labels, random):
    """The images of an epoch in a new order, and their labels."""
    if architecture == "fast":
        return fast_network.epoch_images(images, labels, random)
    order = random.permutation(len(images))
    return images[order], labels[order]


def train(settings, images, labels):
    """A trained network and the history of its epochs."""
    import keras

    steps = -(-len(images) // settings.batch_size)
    model = build(settings, settings.precision, fast_network.fused_normalisation())
    model.compile(
        optimizer=optimizer(settings.architecture, steps * settings.epochs),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=SMOOTHING[settings.architecture]),
        metrics=["accuracy"],
        steps_per_execution=STEPS_PER_CALL,
        jit_compile=False,  # XLA takes several times as long on a CPU
    )
    progress = Progress(settings.epochs, steps)
    report = keras.callbacks.LambdaCallback(
        on_train_batch_end=progress.step, on_epoch_end=progress.epoch
    )
    random = np.random.default_rng(settings.seed)
    for epoch in range(settings.epochs):
        shown, meant = epoch_images(settings.architecture, images, labels, random)
        model.fit(
            shown,
            one_hot(meant),
            batch_size=settings.batch_size,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
            callbacks=[report],
        )
    return model, progress.history


def portable(model, settings):
    """The same network and weights with float32 layers, and without the optimizer."""
    copy = build(settings, "float32")
    copy.set_weights(model.get_weights())
    return copy


def calibrate(model, architecture, images, labels):
    """Make the model's probabilities believable, and return the confidence above which it is sure.

    The images are varied like those of an epoch, so that they are no easier than what people draw.
    """
    shown, meant = epoch_images(architecture, images, labels, np.random.default_rng(0))
    answers = probabilities(model, shown)
    confidence.cool(model, confidence.temperature(answers, meant))
    return confidence.sure_above(probabilities(model, shown), meant)


def test_accuracy(model, images, labels):
    return float(np.mean(probabilities(model, images).argmax(axis=1) == labels))


def probabilities(model, images):
    import tensorflow as tf

    predict = tf.function(lambda batch: model(batch, training=False), autograph=False)
    batches = np.array_split(images, max(1, len(images) // 500))
    return np.concatenate([predict(batch).numpy() for batch in batches])


def file_text(model):
    """The model's `.keras` file as base64."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        model.save(path)
        return text_of_bytes(path.read_bytes())


def text_of_bytes(content):
    return base64.b64encode(content).decode("ascii")


def litert_text(model, images):
    """The model compiled for LiteRT, as base64. If that fails, warn and return None.

    A network that took minutes to train is still useful then: testing needs only Keras.
    """
    try:
        with quiet():
            content = litert_model(model)
            difference = largest_difference(content, model, images)
    except Exception as error:  # noqa: BLE001 - the warning says what TensorFlow raised
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:500]
    else:
        if difference <= TOLERANCE:
            return text_of_bytes(content)
        reason = f"its probabilities differ from Keras' by up to {difference:.2g}"
    say(
        "warning: the network could not be compiled for LiteRT, so model_hosting.yaml cannot use"
        f" this file; model_testing.yaml can ({reason})"
    )
    return None


def litert_model(model):
    """The model as a flatbuffer that takes any number of images at a time."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        return tf.lite.TFLiteConverter.from_saved_model(folder).convert()


def largest_difference(content, model, images):
    """The largest difference between the probabilities of the compiled model and the model."""
    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that it has moved to a separate package
        interpreter = tf.lite.Interpreter(model_content=content, num_threads=usable_cores())
    [given], [answered] = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], images)
    interpreter.invoke()
    found = interpreter.get_tensor(answered["index"])
    return float(np.abs(found - model(images, training=False).numpy()).max())


def cpu_seconds():
    """CPU seconds of this process and of its finished child processes."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


# The three functions of a Remote Python script ------------------------------------------------


def snaplogic_init():
    """Read the parameters first, so that a wrong one fails before anything is loaded."""
    global session, settings
    arguments = snaplogic_pipe.get("args", {})  # noqa: F821 - given by the executor
    settings = read_settings(arguments)
    session = (time.monotonic(), cpu_seconds())
    with quiet():
        import keras
        import tensorflow  # noqa: F401 - imported here to silence its messages

    use_all_cores()
    keras.utils.set_random_seed(settings.seed)


def snaplogic_process(row):
    """Does nothing: this snap has no input."""


def snaplogic_final():
    import keras
    import tensorflow as tf

    train_x, train_y, test_x, test_y = load_mnist()
    images, labels = network_input(train_x), np.asarray(train_y, int)
    used = min(settings.images, TRAIN_IMAGES - HELD_OUT)
    say(
        f"training {settings.architecture} in {settings.precision} on {used:,} images:"
        f" {settings.epochs} epochs, batches of {settings.batch_size}, seed {settings.seed}"
    )
    trained, history = train(settings, images[:used], labels[:used])
    model = portable(trained, settings)
    sure_above = calibrate(model, settings.architecture, images[-HELD_OUT:], labels[-HELD_OUT:])
    test_images = network_input(test_x)
    accuracy = test_accuracy(model, test_images, test_y)
    say(f"accuracy on the {len(test_x):,} test images: {100 * accuracy:.2f} %")
    started, cpu = session
    return {
        "model": file_text(model),
        "litert": litert_text(model, test_images[:COMPARED]),
        "accuracy": accuracy,
        "sure_above": sure_above,
        "history": history,
        "input_shape": list(SHAPE),
        "labels": LABELS,
        "libraries": {
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
        **asdict(settings),
        "seconds": round(time.monotonic() - started, 2),
        "cpu_seconds": round(cpu_seconds() - cpu, 2),
    }
