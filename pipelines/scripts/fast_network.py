"""The network `fast` of the digit scripts, and how it is trained.

A module of the digit scripts: four small convolutions with batch normalisation, AdamW with one
cycle of the learning rate, and other images in every epoch. Some of these are drawn
(`drawn_digits.py`), and all are turned, scaled, sheared and shifted a little.
"""

import numpy as np
from drawn_digits import drawn_digits
from mnist import SHAPE

DRAWN = 0.2
"""Share of an epoch's images that are drawn."""
LONG = 8
"""From so many epochs on, the second convolution has 64 filters: only a long training uses them."""
AT_A_TIME = 1000
"""Number of images that are varied at a time: few enough to stay in the processor's cache."""
SMOOTHING = 0.1
"""Share of a label that goes to all ten digits: a network that is less sure generalises better."""


def hidden_layers(layers, normalisation, epochs=1):
    """Pooling comes before normalisation: less to normalise, with no loss of accuracy."""
    second = 48 if epochs < LONG else 64
    hidden = []
    for filters, pooled in ((32, True), (second, False), (64, True), (128, False)):
        hidden.append(layers.Conv2D(filters, 3, use_bias=False, kernel_initializer="he_normal"))
        if pooled:
            hidden.append(layers.MaxPooling2D())
        hidden += [normalisation(), layers.ReLU()]
    return [*hidden, layers.Flatten()]


def fused_normalisation():
    """Keras' batch normalisation, trained through TensorFlow's fused operation.

    Keras composes it of many operations, which takes nearly half of the CPU time of the network.
    The weights are the same, so the saved network has Keras' own layer.
    """
    import keras
    import tensorflow as tf

    class BatchNormalization(keras.layers.BatchNormalization):
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

    return BatchNormalization


def one_cycle(steps):
    """AdamW with one cycle over all steps: a linear rise, then a cosine decay to zero."""
    import keras

    rise = max(1, steps // 5)
    rate = keras.optimizers.schedules.CosineDecay(
        4e-5, max(1, steps - rise), warmup_target=4e-3, warmup_steps=rise
    )
    return keras.optimizers.AdamW(rate, weight_decay=1e-4, beta_2=0.99)


def epoch_images(images, labels, random):
    """As many images as given and their labels, in a new order: most of these, and some drawn."""
    drawn, digits = drawn_digits(round(DRAWN * len(images)), random)
    kept = random.permutation(len(images))[len(drawn) :]
    order = random.permutation(len(images))
    meant = np.concatenate([labels[kept], digits])[order]
    shown = np.empty_like(images)
    for start in range(0, len(images), AT_A_TIME):
        chosen = order[start : start + AT_A_TIME]
        is_kept = chosen < len(kept)
        mixed = np.empty((len(chosen), *SHAPE), np.float32)
        mixed[is_kept] = images[kept[chosen[is_kept]]]
        mixed[~is_kept] = drawn[chosen[~is_kept] - len(kept)]
        shown[start : start + AT_A_TIME] = augment(mixed, random)
    return shown, meant


def augment(images, random):
    """Rotate, scale, shear and shift each image a little, in one TensorFlow call."""
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
