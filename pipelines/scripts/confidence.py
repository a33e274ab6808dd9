"""Make a network's confidence honest: believable probabilities, and a limit for "sure".

A module of the digit scripts. Both come from images that the network was not trained on.
"""

import numpy as np

UNSURE = 0.01
"""Share of the right answers that are called not sure."""
TEMPERATURES = np.geomspace(0.1, 10, 201)


def temperature(probabilities, labels):
    """What the logits must be divided by, so that the right answers are as likely as possible.

    Guo et al., On Calibration of Modern Neural Networks, 2017: it changes no answer.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-30))
    losses = [loss(logits / each, labels) for each in TEMPERATURES]
    return float(TEMPERATURES[np.argmin(losses)])


def loss(logits, labels):
    chosen = logits[np.arange(len(labels)), labels]
    return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - chosen))


def cool(model, divisor):
    """Divide the logits of a network that ends with a dense layer, by dividing its weights."""
    model.layers[-1].set_weights([each / divisor for each in model.layers[-1].get_weights()])


def sure_above(probabilities, labels):
    """The confidence that all but a share UNSURE of the right answers have."""
    right = probabilities.argmax(axis=1) == labels
    return round(float(np.quantile(probabilities.max(axis=1)[right], UNSURE)), 4)
