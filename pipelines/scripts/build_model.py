"""Train a convolutional network on MNIST and emit it, as base64, in one document.

A Remote Python script. Its parameters are the pipeline's (`snaplogic_pipe["args"]`). It has no
input and emits one document, in `snaplogic_final`: `model` is a `.keras` file as base64, with
float32 layers and without the optimizer, so that it is small and loads on any processor; `litert`
is the same network compiled for LiteRT, which hosting uses; `accuracy` is that of exactly this
model on the 10,000 test images, which are used only once, after the last epoch.
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

import numpy as np  # noqa: E402 - it comes with TensorFlow
from mnist import SHAPE, TRAIN_IMAGES, load_mnist, network_input  # noqa: E402

EPOCHS = {"classic": 12, "fast": 3}
LABELS = list(range(10))
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


def build(architecture, precision, normalisation=None):
    """The network. Its weights are always float32; `precision` applies to computations."""
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    layers = keras.layers
    if architecture == "classic":
        hidden = classic_layers(layers)
    else:
        hidden = fast_layers(layers, normalisation or layers.BatchNormalization)
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


def fast_layers(layers, normalisation):
    """Pooling comes before normalisation: less to normalise, with no loss of accuracy."""
    hidden = []
    for filters, pooled in ((32, True), (64, False), (64, True), (128, False)):
        hidden.append(layers.Conv2D(filters, 3, use_bias=False, kernel_initializer="he_normal"))
        if pooled:
            hidden.append(layers.MaxPooling2D())
        hidden += [normalisation(), layers.ReLU()]
    return [*hidden, layers.Flatten()]


def fused_normalisation():
    """Keras' batch normalisation, trained through TensorFlow's fused operation.

    Keras composes it of many operations, which takes nearly half of the CPU time of the fast
    network. The weights are the same, so the saved network has Keras' own layer.
    """
    import keras
    import tensorflow as tf

    class FusedBatchNormalization(keras.layers.BatchNormalization):
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

    return FusedBatchNormalization


def optimizer(architecture, steps):
    """Adam, or AdamW with one cycle over all steps: a linear rise, then a cosine decay to zero."""
    import keras

    if architecture == "classic":
        return keras.optimizers.Adam()
    rise = max(1, steps // 5)
    rate = keras.optimizers.schedules.CosineDecay(
        4e-5, max(1, steps - rise), warmup_target=4e-3, warmup_steps=rise
    )
    return keras.optimizers.AdamW(rate, weight_decay=1e-4, beta_2=0.99)


def augment(images, random):
    """Rotate, scale, shear and shift each image a little, in one TensorFlow call for all."""
    import tensorflow as tf

    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=affine_transforms(len(images), random),
        output_shape=SHAPE[:2],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    ).numpy()


def affine_transforms(count, random):
    """`count` rows of 8 numbers that map a pixel of the result to a pixel of the image."""
    angle = np.deg2rad(random.uniform(-10, 10, count))
    scale = random.uniform(0.9, 1.1, count)
    shear = random.uniform(-0.1, 0.1, count)
    right, down = random.uniform(-2, 2, (2, count))
    middle = (SHAPE[0] - 1) / 2
    a, b = np.cos(angle) / scale, (shear * np.cos(angle) - np.sin(angle)) / scale
    c, d = np.sin(angle) / scale, (shear * np.sin(angle) + np.cos(angle)) / scale
    x = middle - right - (a + b) * middle
    y = middle - down - (c + d) * middle
    zero = np.zeros(count)
    return np.stack([a, b, x, c, d, y, zero, zero], axis=1).astype(np.float32)


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
        self.started = self.epoch_started = time.monotonic()

    def step(self, batch, logs):
        tenths = 10 * (batch + 1) // self.steps
        if tenths in (2, 4, 6, 8) and tenths > 10 * batch // self.steps:
            self.show(f"{tenths}0%", logs)

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


def train(settings, images, labels):
    """A trained network and the history of its epochs."""
    import keras

    steps = -(-len(images) // settings.batch_size)
    model = build(settings.architecture, settings.precision, fused_normalisation())
    model.compile(
        optimizer=optimizer(settings.architecture, steps * settings.epochs),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,  # XLA takes several times as long on a CPU
    )
    progress = Progress(settings.epochs, steps)
    report = keras.callbacks.LambdaCallback(
        on_train_batch_end=progress.step, on_epoch_end=progress.epoch
    )
    random = np.random.default_rng(settings.seed)
    for epoch in range(settings.epochs):
        order = random.permutation(len(images))
        shuffled = images[order]
        model.fit(
            augment(shuffled, random) if settings.architecture == "fast" else shuffled,
            labels[order],
            batch_size=settings.batch_size,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
            callbacks=[report],
        )
    return model, progress.history


def portable(model, architecture):
    """The same network and weights with float32 layers, and without the optimizer."""
    copy = build(architecture, "float32")
    copy.set_weights(model.get_weights())
    return copy


def test_accuracy(model, images, labels):
    import tensorflow as tf

    predict = tf.function(lambda batch: model(batch, training=False), autograph=False)
    batches = np.array_split(images, max(1, len(images) // 500))
    answers = np.concatenate([predict(batch).numpy().argmax(axis=1) for batch in batches])
    return float(np.mean(answers == labels))


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
    images = network_input(train_x[: settings.images])
    say(
        f"training {settings.architecture} in {settings.precision} on {len(images):,} images:"
        f" {settings.epochs} epochs, batches of {settings.batch_size}, seed {settings.seed}"
    )
    trained, history = train(settings, images, one_hot(train_y[: settings.images]))
    model = portable(trained, settings.architecture)
    test_images = network_input(test_x)
    accuracy = test_accuracy(model, test_images, test_y)
    say(f"accuracy on the {len(test_x):,} test images: {100 * accuracy:.2f} %")
    started, used = session
    return {
        "model": file_text(model),
        "litert": litert_text(model, test_images[:COMPARED]),
        "accuracy": accuracy,
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
        "cpu_seconds": round(cpu_seconds() - used, 2),
    }
