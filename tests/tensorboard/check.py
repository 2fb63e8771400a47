"""Reads a run's event file with TensorBoard's own reader and holds it against the run's other files.

    pip install -r tests/tensorboard/requirements.txt
    python tests/tensorboard/check.py RUN

The numbers must be those of log.csv and epochs.csv at the same steps, a hundred or more and three an epoch at
least; every sample grid must decode as PNG to one of the pictures in samples/; the text must hold recipe.toml. Prints one line and
exits with 0, or says what is wrong and exits with 1.
"""

import csv
import io
import math
import sys
import tomllib
from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

# The column of log.csv or epochs.csv that a tag repeats, and the places after the point that it is written to, if it
# doesn't have seven significant digits; none for what only event files have. Tags of one group have the same steps.
DISCRIMINATOR = {
    "loss/discriminator": ("d_loss", None),
    "output/real": ("d_real", None),
    "output/fake": ("d_fake", None),
    "throughput/images_per_second": ("images_per_second", 1),
    "gradient_norm/discriminator": None,
    "learning_rate/discriminator": None,
}
WASSERSTEIN = {"loss/wasserstein_estimate": ("wasserstein_estimate", None)}
CLASSIFIER = {"loss/classifier": ("c_loss", None)}
GENERATOR = {
    "loss/generator": ("g_loss", None),
    "gradient_norm/generator": None,
    "learning_rate/generator": None,
}
EPOCH = {
    "epoch/seconds": ("seconds", None),
    "epoch/data_wait_seconds": ("data_wait_seconds", None),
    "epoch/augment_chance": ("augment_chance", None),
    "score/sliced_wasserstein": ("sliced_wasserstein", None),
    "score/frechet_distance": ("frechet_distance", None),
    "score/frechet_floor": ("frechet_floor", None),
    "score/confidence": ("confidence", None),
    "score/asked_class": ("asked_class", None),
    "score/asked_floor": ("asked_floor", None),
    "score/sliced_floor": ("sliced_floor", None),
    "score/classes_present": ("classes_present", 0),
    "score/modes_found": ("modes_found", 0),
    "score/modes_floor": ("modes_floor", 0),
    "score/modes_divergence": ("modes_divergence", None),
    "score/divergence_floor": ("divergence_floor", None),
    "score/classifier_error": ("classifier_error", None),
    "score/good_share": ("good_share", None),
}


class Mismatch(Exception):
    """What of the event file is not as it should be."""


def demand(condition, what):
    if not condition:
        raise Mismatch(what)


def read_table(path):
    """The rows of a table by step, as numbers; an empty field is none."""
    with path.open(newline="") as file:
        rows = [{key: float(value or "nan") for key, value in row.items()} for row in csv.DictReader(file)]
    return {int(row["step"]): row for row in rows}


def check_scalars(events, log, epochs, wasserstein):
    """Every tag, its steps and its values; gives the discriminator's steps."""
    discriminator = DISCRIMINATOR | (WASSERSTEIN if wasserstein else {})
    if not math.isnan(next(iter(log.values()))["c_loss"]):
        discriminator |= CLASSIFIER
    tags = set(events.Tags()["scalars"])
    needed = {*discriminator, *GENERATOR}
    demand(needed <= tags <= {*needed, *EPOCH}, f"scalars {sorted(tags)}, expected {sorted(needed)}")

    steps = check_group(events, log, discriminator)
    # With a critic loop the generator's point is that of its next step.
    later = check_group(events, log, GENERATOR)
    demand(later[0] >= steps[0] and len(later) <= len(steps), f"the generator's steps {later[:5]}...")
    for tag in tags & set(EPOCH):
        check_group(events, epochs, {tag: EPOCH[tag]})

    demand(len(steps) >= min(100, len(log)), f"{len(steps)} points of {len(log)} steps, expected a hundred or more")
    whole = sorted({row["epoch"] for row in log.values()})[:-1]
    for epoch in whole:
        count = sum(log[step]["epoch"] == epoch for step in steps)
        least = min(3, sum(row["epoch"] == epoch for row in log.values()))
        demand(count >= least, f"{count} points in epoch {epoch:.0f}, expected three at least")
    return steps


def check_group(events, table, group):
    """That the tags of `group` have the same steps, in order, and the table's values; gives the steps."""
    first = next(iter(group))
    steps = [point.step for point in events.Scalars(first)]
    demand(steps and set(steps) <= set(table), f"{first}: steps {steps[:5]}... are not those of the table")
    demand(all(a < b for a, b in zip(steps, steps[1:])), f"{first}: a step stands twice or out of order")
    for tag, source in group.items():
        points = events.Scalars(tag)
        found = [point.step for point in points]
        # A network that waits while the classifier learns alone has a loss and no gradient.
        waits = source is None and "loss/classifier" in group and found == steps[-len(found) :]
        demand(found == steps or waits, f"{tag} has steps {found[:5]}..., {first} {steps[:5]}...")
        times = [point.wall_time for point in points]
        demand(times == sorted(times), f"{tag}: times fall")
        for point in points:
            if source is None:
                # A gradient's norm and a learning rate are never negative.
                fine = math.isfinite(point.value) and point.value >= 0
                demand(fine, f"{tag} at step {point.step}: {point.value}")
                continue
            column, places = source
            written = table[point.step][column]
            off = 0 if places is None else 0.51 * 10**-places
            same = math.isclose(point.value, written, rel_tol=1e-6, abs_tol=off)
            demand(same, f"{tag} at step {point.step}: {point.value}, the table has {written}")
    return steps


def check_images(events, log, folder):
    """Every picture decodes, and is a grid that the run has left; gives their number."""
    tags = events.Tags()["images"]
    demand(tags == ["samples"], f"images {tags}, expected samples")
    left = [np.asarray(Image.open(path).convert("RGB")) for path in folder.glob("*.png")]
    images = events.Images("samples")
    demand(images, "there is no sample grid")
    for image in images:
        picture = Image.open(io.BytesIO(image.encoded_image_string))
        demand(picture.format == "PNG", f"samples at step {image.step}: {picture.format}")
        sizes = (image.width, image.height)
        demand(picture.size == sizes, f"samples at step {image.step}: {picture.size}, not {sizes}")
        demand(image.step in log, f"samples at step {image.step}, which the log does not have")
    # A grid in the middle of an epoch is later replaced by that of its end.
    last = np.asarray(picture.convert("RGB"))
    demand(any(np.array_equal(last, other) for other in left), "the last picture is not in samples/")
    return len(images)


def check_text(events, recipe):
    """The text holds the recipe, whatever Markdown makes it stand out."""
    demand("recipe" in events.Tags()["tensors"], "there is no text named recipe")
    tensors = events.Tensors("recipe")
    demand(len(tensors) == 1, f"recipe stands {len(tensors)} times")
    plugin = events.SummaryMetadata("recipe").plugin_data.plugin_name
    demand(plugin == "text", f"recipe is for the plugin {plugin!r}")
    lines = tensors[0].tensor_proto.string_val[0].decode().splitlines()
    shown = {line.strip() for line in lines}
    missing = [line for line in recipe.splitlines() if line.strip() not in shown]
    demand(not missing, f"the text lacks the recipe's {missing[:3]}")


def main(run):
    files = list(run.glob("events.out.tfevents.*"))
    demand(len(files) == 1, f"{len(files)} event files in {run}, expected one")
    # 0 keeps every event where the default would keep a sample of them.
    events = EventAccumulator(str(files[0]), {"scalars": 0, "images": 0, "tensors": 0})
    events.Reload()
    demand(events.file_version == 2.0, f"file version {events.file_version}")

    log, epochs = read_table(run / "log.csv"), read_table(run / "epochs.csv")
    recipe = (run / "recipe.toml").read_text()
    wasserstein = "wasserstein" in str(tomllib.loads(recipe)["training"]["loss"])
    steps = check_scalars(events, log, epochs, wasserstein)
    pictures = check_images(events, log, run / "samples")
    check_text(events, recipe)
    print(f"{files[0]}: {len(steps)} points of every number, {pictures} sample grids, the recipe")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tests/tensorboard/check.py RUN")
    try:
        main(Path(sys.argv[1]))
    except Mismatch as mismatch:
        sys.exit(f"{sys.argv[1]}: {mismatch}")
