"""Draw the documents of `compare_models.py`: plots as PNG, and a report that contains them all.

A Remote Python script without modules. Its rows are the documents, one for each network. At the end
it emits one document for each file: `name`, `content-type`, and `content` as base64. Every plot is
drawn for light and for dark pages. Networks differ in colour and in marker, and the colours are
safe for colour-blind readers (Okabe and Ito).
"""

import base64
import html
import io
from itertools import zip_longest
from string import Template

from snaplogic.tool import SLTool as slt  # noqa: N813

slt.ensure("numpy")
slt.ensure("matplotlib")

import matplotlib  # noqa: E402 - installed above if it was missing
import numpy as np  # noqa: E402

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator  # noqa: E402

NEEDED = (
    *("name", "title", "layers", "weights", "precision", "epochs", "batch_size", "images", "seed"),
    *("seconds", "training_accuracy", "validation_accuracy", "published_accuracy", "history"),
    *("confusion", "mistakes", "validation_images", "libraries"),
)
WIDTH = 5.0
"""Inches; the same for all plots, so that text has the same size across the page."""
THEMES = {
    "light": {
        "page": "#ffffff",
        "text": "#1f2328",
        "line": "#c9d1d9",
        "right": "#e6eaef",
        "heat": "Oranges",
        "ink": "gray_r",
        "networks": ("#0072b2", "#d55e00", "#007a5a", "#a0508a"),
    },
    "dark": {
        "page": "#161b22",
        "text": "#e6edf3",
        "line": "#3d444d",
        "right": "#2b323b",
        "heat": "inferno",
        "ink": "gray",
        "networks": ("#56b4e9", "#f0a030", "#2fc79a", "#e39ccb"),
    },
}
MARKS = "osD^"
STEPS = sorted(digit * 10.0**power for power in range(-4, 2) for digit in (1, 2, 5))
"""Possible tick marks on the vertical axis of curves."""
TITLE = {"x": 0.015, "ha": "left", "fontsize": 11, "fontweight": "bold"}


# Plots ----------------------------------------------------------------------------------------


def themed(draw, *arguments):
    """A PNG of the figure that `draw(theme, *arguments)` returns, for each theme."""
    pictures = {}
    for name, theme in THEMES.items():
        style = {
            "font.size": 10,
            "axes.edgecolor": theme["line"],
            "axes.labelcolor": theme["text"],
            "axes.titlesize": 10,
            "axes.titlecolor": theme["text"],
            "text.color": theme["text"],
            "xtick.color": theme["text"],
            "ytick.color": theme["text"],
            "grid.color": theme["line"],
            "grid.linewidth": 0.6,
            "figure.facecolor": theme["page"],
            "axes.facecolor": theme["page"],
        }
        with pyplot.rc_context(style):
            figure = draw(theme, *arguments)
            stream = io.BytesIO()
            figure.savefig(stream, format="png", dpi=180)
            pyplot.close(figure)
        pictures[name] = stream.getvalue()
    return pictures


def draw_curves(theme, networks, measure):
    """Accuracy or loss per epoch, on a scale that spreads values close to perfect."""
    figure, axes = pyplot.subplots(figsize=(WIDTH, 4.0), layout="constrained")
    for number, network in enumerate(networks):
        colour, mark = theme["networks"][number % 4], MARKS[number % 4]
        epochs = np.arange(len(network["history"])) + 1
        for part, style in (("training", "--"), ("validation", "-")):
            axes.plot(
                epochs,
                [height(epoch[f"{part}_{measure}"], measure) for epoch in network["history"]],
                *(mark + style,),
                color=colour,
                linewidth=1.6 if part == "validation" else 1.1,
                markersize=4.5 if part == "validation" else 3 * (len(epochs) == 1),
            )
    axes.set_xlabel("Epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    scale_curves(axes, measure)
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(
        **legend(theme, networks),
        loc="outside upper left",
        ncols=max(2, len(networks)),
        frameon=False,
        fontsize=9,
        handlelength=1.6,
        handletextpad=0.5,
        columnspacing=1.0,
    )
    return figure


def height(value, measure):
    """The height of a value in the plot: a loss as it is, an accuracy as the share of mistakes.

    Anything better than 99.99 % is drawn at 99.99 %: beyond that, single images decide.
    """
    return max(1 - value, 1e-4) if measure == "accuracy" else max(value, 1e-4)


def scale_curves(axes, measure):
    """A logarithmic scale, from the tick mark below all values to the one above them."""
    axes.set_yscale("log")
    axes.yaxis.set_minor_locator(NullLocator())
    lowest, highest = axes.dataLim.intervaly
    below = max(step for step in STEPS if step <= lowest)
    above = min((step for step in STEPS if step >= highest), default=highest)
    axes.set_ylim(below * 0.9, above * 1.1)
    if measure == "loss":
        axes.set_ylabel("Loss, on a logarithmic scale")
        text = "{:g}".format
    else:
        axes.set_ylabel("Accuracy, mistakes on a logarithmic scale")
        axes.invert_yaxis()

        def text(mistakes):
            return f"{100 - 100 * mistakes:g} %"

    axes.yaxis.set_major_locator(FixedLocator([step for step in STEPS if below <= step <= above]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: text(round(value, 6))))


def legend(theme, networks):
    """The networks in one row, the two kinds of line below. Matplotlib fills legends by column."""
    text, colours = theme["text"], theme["networks"]
    rows = (
        [
            Line2D([], [], color=colours[number % 4], marker=MARKS[number % 4], markersize=5)
            for number, _ in enumerate(networks)
        ],
        [
            Line2D([], [], color=text, linewidth=1.6),
            Line2D([], [], color=text, linewidth=1.1, linestyle="--"),
        ],
    )
    labels = ([network["title"] for network in networks], ["validation", "training"])
    handles = [handle for column in zip_longest(*rows) for handle in column if handle]
    texts = [label for column in zip_longest(*labels) for label in column if label]
    return {"handles": handles, "labels": texts}


def draw_confusion(theme, network):
    """Counts of mistakes, coloured by size; right answers, on the diagonal, are neutral."""
    counts = np.array(network["confusion"])
    wrong = counts.astype(float)
    np.fill_diagonal(wrong, np.nan)
    wrong[wrong == 0] = np.nan
    figure, axes = pyplot.subplots(figsize=(WIDTH, 5.0), layout="constrained")
    most = max(1, np.nan_to_num(wrong).max())
    image = axes.imshow(wrong, cmap=theme["heat"], vmin=-0.15 * most, vmax=1.1 * most)
    for (true, answered), count in np.ndenumerate(counts):
        if true == answered:
            box = pyplot.Rectangle((answered - 0.5, true - 0.5), 1, 1, color=theme["right"])
            axes.add_patch(box)
        if count:
            colour = theme["text"] if true == answered else letter_on(image, count)
            axes.text(answered, true, f"{count}", ha="center", va="center", color=colour,
                      fontsize=8.5)  # fmt: skip
    figure.suptitle(f"{network['title']}: answers for each digit", **TITLE)
    axes.set_xticks(range(10))
    axes.set_yticks(range(10))
    axes.set_xlabel("Answer of the network")
    axes.set_ylabel("Digit in the image")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def letter_on(image, count):
    """Black or white, whichever is more readable on the colour of a count."""
    red, green, blue, _ = image.cmap(image.norm(count))
    return "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.5 else "white"


def draw_mistakes(theme, network):
    """The worst first, from left to right, each with its digit and the network's answer."""
    mistakes = network["mistakes"]
    columns, rows = 6, max(1, -(-len(mistakes) // 6))
    figure, grid = pyplot.subplots(
        rows, columns, figsize=(WIDTH, 1.15 * rows + 0.4), layout="constrained", squeeze=False
    )
    figure.suptitle(f"{network['title']}: worst mistakes", **TITLE)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, mistake in zip(grid.flat, mistakes, strict=False):
        pixels = np.frombuffer(base64.b64decode(mistake["image"]), np.uint8).reshape(28, 28)
        axes.imshow(pixels, cmap=theme["ink"], vmin=0, vmax=255)
        axes.set_title(
            f"{mistake['label']} read as {mistake['predicted']}\n"
            f"{100 * mistake['confidence']:.0f} % sure",
            fontsize=8.5,
            pad=3,
            linespacing=1.15,
        )
    if not mistakes:
        figure.text(0.5, 0.5, "No mistakes", ha="center", va="center")
    return figure


# Report ---------------------------------------------------------------------------------------

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root { --page: #f6f8fa; --card: #fff; --text: #1f2328; --quiet: #59636e; --line: #d1d9e0; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0d1117; --card: #161b22; --text: #e6edf3; --quiet: #9198a1; --line: #3d444d; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; }
p { margin: 0 0 .75rem; max-width: 44rem; }
.quiet { color: var(--quiet); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: 1rem; min-width: 0; }
.pair { display: grid; gap: 1rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); }
.wide { overflow-x: auto; padding: 0; }
img { display: block; width: 100%; max-width: 40rem; height: auto; margin: 0 auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .6rem 1rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { font-weight: 600; }
thead th { color: var(--quiet); font-size: .875rem; white-space: normal; vertical-align: bottom; }
tbody tr:last-child > * { border-bottom: 0; }
th:first-child { text-align: left; }
ol { margin: 0; padding-left: 1.5rem; columns: 2 16rem; }
li { break-inside: avoid; }
@media (max-width: 40rem) {
  h1 { font-size: 1.375rem; }
  .card { padding: .5rem; }
  .wide { padding: 0; }
  th, td, thead th { padding: .5rem .35rem; font-size: .8125rem; }
  th { white-space: normal; }
  tr > :first-child { padding-left: .6rem; }
  tr > :nth-child(4) { padding-right: .6rem; }
  tr > :nth-child(n + 5) { display: none; } /* the section of each network repeats them */
}
</style>
<main>
<h1>$title</h1>
<p class="quiet">$subtitle</p>
<h2>Summary</h2>
<div class="card wide" tabindex="0" role="region" aria-label="Summary table"><table>
<thead><tr><th scope="col">Network<th scope="col">Training time<th scope="col">Training
accuracy<th scope="col">Validation accuracy<th scope="col">Real strokes<th scope="col">Published
<th scope="col">Weights
<tbody>$rows</table></div>
<p class="quiet" style="margin-top: .75rem">$reading</p>
<h2>Learning</h2>
<div class="pair">
<div class="card">$accuracy</div>
<div class="card">$loss</div>
</div>
$networks
</main>
</html>
""")

NETWORK = Template("""<section>
<h2>$title</h2>
<p>$sentence</p>
<div class="pair">
<div class="card">$confusion</div>
<div class="card">$mistakes</div>
</div>
<details class="card" style="margin-top: 1rem"><summary>Layers</summary><ol>$layers</ol></details>
</section>
""")

ROW = Template(
    "<tr><th scope='row'>$title<td>$seconds<td>$training<td>$validation<td>$strokes"
    "<td>$published<td>$weights"
)


def report(networks, pictures):
    """The page, with every picture embedded."""
    return PAGE.substitute(
        title="Networks for handwritten digits, compared",
        subtitle=html.escape(conditions(networks)),
        rows="".join(summary_row(network) for network in networks),
        reading=html.escape(reading(networks)),
        accuracy=picture(pictures["accuracy"], "Accuracy of each network per epoch"),
        loss=picture(pictures["loss"], "Loss of each network per epoch"),
        networks="".join(section(network, pictures) for network in networks),
    )


def conditions(networks):
    first = networks[0]
    libraries = first["libraries"]
    return (
        f"MNIST, {first['images']:,} training images and {first['validation_images']:,} validation"
        f" images. Batches of {first['batch_size']}, seed {first['seed']}. TensorFlow"
        f" {libraries['tensorflow']}, Keras {libraries['keras']}."
    )


def reading(networks):
    """How to read the table: what the figures mean, and how certain they are."""
    count = networks[0]["validation_images"]
    best = max(network["validation_accuracy"] for network in networks)
    error = 100 * (best * (1 - best) / count) ** 0.5
    return (
        "Validation accuracy is measured after the last epoch, on images that the network was not"
        " trained on; it was not used to choose an epoch. Training accuracy is the mean over the"
        " last epoch, with dropout and while weights still change. One standard error of a"
        f" validation accuracy of {percent(best)} is {error:.2f} points."
    )


def summary_row(network):
    return ROW.substitute(
        title=html.escape(network["title"]),
        seconds=duration(network["seconds"]),
        training=percent(network["training_accuracy"]),
        validation=f"<strong>{percent(network['validation_accuracy'])}</strong>",
        strokes=percent(network.get("strokes_accuracy")),
        published=percent(network["published_accuracy"]),
        weights=f"{network['weights']:,}",
    )


def section(network, pictures):
    title, name = html.escape(network["title"]), network["name"]
    wrong = np.array(network["confusion"])
    wrong = int(wrong.sum() - np.trace(wrong))
    return NETWORK.substitute(
        title=title,
        sentence=f"{network['weights']:,} weights. {counted(wrong, 'mistake')} on"
        f" {network['validation_images']:,} images after {counted(network['epochs'], 'epoch')} in"
        f" {duration(network['seconds'])}, computed in {html.escape(network['precision'])};"
        f" validation accuracy {percent(network['validation_accuracy'])}.",
        confusion=picture(pictures[f"confusion_{name}"], f"Confusion matrix: {title}"),
        mistakes=picture(pictures[f"mistakes_{name}"], f"Worst mistakes: {title}"),
        layers="".join(f"<li>{html.escape(layer)}" for layer in network["layers"]),
    )


def picture(themes, description):
    light, dark = (
        f"data:image/png;base64,{base64.b64encode(themes[name]).decode('ascii')}"
        for name in ("light", "dark")
    )
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img src="{light}" alt="{description}"></picture>'
    )


def percent(share):
    return "–" if share is None else f"{100 * share:.2f} %"


def duration(seconds):
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02} s"


def counted(count, what):
    return f"{count:,} {what}{'' if count == 1 else 's'}"


# The three functions of a Remote Python script ------------------------------------------------

networks = []


def snaplogic_init():
    return None


def snaplogic_process(row):
    missing = [name for name in NEEDED if name not in row]
    if missing:
        raise ValueError(
            f"The document does not describe a network; it lacks the fields {', '.join(missing)}."
            " Use the file that compare_models.yaml saved."
        )
    networks.append(row)
    return slt.get_drop_doc()


def snaplogic_final():
    """One document for each file."""
    if not networks:
        raise ValueError("There are no networks to draw: no document came.")
    pictures = {measure: themed(draw_curves, networks, measure) for measure in ("accuracy", "loss")}
    for network in networks:
        pictures[f"confusion_{network['name']}"] = themed(draw_confusion, network)
        pictures[f"mistakes_{network['name']}"] = themed(draw_mistakes, network)
    files = [
        written(f"{name}.png", "image/png", themes["light"]) for name, themes in pictures.items()
    ]
    page = report(networks, pictures).encode()
    return [*files, written("report.html", "text/html; charset=utf-8", page)]


def written(name, kind, content):
    return {
        "name": name,
        "content-type": kind,
        "content": base64.b64encode(content).decode("ascii"),
    }
