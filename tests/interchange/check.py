"""Checks that exported networks compute what `minimax` computes.

    pip install -r requirements.txt
    python check.py [--minimax PATH] [--data NAME|DIR] [RUN | RECIPE ...]

Each argument is a run's folder, or a recipe (a built-in one or a .toml file) that is first trained for
three steps, on --data if given. Without any, the default recipe is. For each of its networks, on 20 inputs:

    keras   the safetensors file, evaluated by plain NumPy loops over the layers of its header
    onnx    the ONNX file, checked by the onnx package and run by onnxruntime
    torch   the safetensors file, loaded with load_state_dict into a torch.nn.Sequential made from its
            header and from the modules below (skipped where torch isn't installed)

The generator's are compared with what `minimax sample` makes of the same latents, the discriminator's,
on noise, with the first of them. Those that take labels are told ten classes in turn, as `minimax sample` asks for
them. A line per recipe; the exit status is 1 if anything differs by more
than 1e-4, or by more than 1e-4 of the range of the values where that is less than 1.
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
import safetensors
import safetensors.numpy

try:
    import torch
except ImportError:
    torch = None

COUNT = 20
LIMIT = 1e-4


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minimax", default=root / "target" / "release" / "minimax")
    parser.add_argument("--data", help="what recipes are trained on, instead of their own data")
    parser.add_argument("runs", nargs="*", default=["quickstart"], metavar="RUN|RECIPE")
    args = parser.parse_args()
    if torch is None:
        print("torch isn't installed: the torch layout is not checked")
    ok = True
    with tempfile.TemporaryDirectory() as folder:
        for index, run in enumerate(args.runs):
            work = pathlib.Path(folder) / str(index)
            work.mkdir()
            try:
                ok &= check(args, run, work)
            except subprocess.CalledProcessError as error:
                print(f"{run}: FAILED: {error.stderr.strip()}")
                ok = False
    sys.exit(not ok)


def check(args, run, work):
    """Prints the line of one run; true if everything in it agrees."""

    def minimax(*arguments):
        command = [str(args.minimax), *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    name = pathlib.Path(run).stem
    if not pathlib.Path(run).is_dir():
        data = ["--data", args.data] if args.data else []
        if "[triple]" in minimax("recipes", run):  # of a hundred pictures few can have labels
            few = ["labelled=20", "supervised=20", "pairs=[2, 8]", "generated=20"]
            data += [word for setting in few for word in ("--set", f"training.triple.{setting}")]
        folder = work / "run"
        minimax("train", run, "--steps", 3, "--batch-size", 8, "--out", folder, *data)
        run = folder

    def export(network, format, *layout):
        out = work / "-".join([network, format, *layout[1:]])
        minimax("export", run, "--network", network, "--format", format, *layout, "--out", out)
        return out

    differences = {}
    networks = ["generator", "discriminator"] + (["classifier"] if "[classifier]" in (pathlib.Path(run) / "recipe.toml").read_text() else [])
    for network in networks:
        header, weights = read(export(network, "safetensors", "--layout", "keras"))
        shape = (COUNT, *header["input"])
        inputs = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
        if network == "generator":
            np.save(work / "latents.npy", inputs)
            latents, samples = work / "latents.npy", work / "samples.npy"
            minimax("sample", run, "--latents", latents, "--out", samples)
            expected = np.load(samples)
            differences["generator keras"] = difference(keras(header, weights, inputs, labels(header)), expected)
        else:
            expected = keras(header, weights, inputs, labels(header))
        if "minibatch_stddev" not in json.dumps(header["layers"]):  # which no ONNX file can hold
            actual = run_onnx(export(network, "onnx"), inputs, labels(header))
            differences[f"{network} onnx"] = difference(actual, expected)
        if torch is not None:
            actual = run_torch(export(network, "safetensors", "--layout", "torch"), inputs)
            differences[f"{network} torch"] = difference(actual, expected)
    ok = all(value <= LIMIT for value in differences.values())
    listed = ", ".join(f"{what} {value:.1e}" for what, value in differences.items())
    print(f"{name}: {'ok' if ok else 'FAILED'}: {listed}", flush=True)
    return ok


def labels(header):
    """A row of each class after the other, `[20, classes]`, where the network takes labels."""
    if "classes" not in header:
        return None
    classes = header["classes"]
    columns = max(COUNT // classes, 1)
    return np.eye(classes, dtype=np.float32)[np.arange(COUNT) // columns % classes]


def difference(actual, expected):
    """The largest, as a share of the values' range if that is below 1. What isn't a number never passes."""
    if actual.shape != expected.shape:
        return np.inf
    return np.abs(actual - expected).max() / min(1, np.ptp(expected))


def read(path):
    """The header and the tensors of an exported safetensors file."""
    with safetensors.safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["model"]), safetensors.numpy.load_file(path)


def run_onnx(path, inputs, labels):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feeds = {session.get_inputs()[0].name: inputs} | ({} if labels is None else {"labels": labels})
    return session.run(None, feeds)[0]


def run_torch(path, inputs):
    header, weights = read(path)
    model = sequential(header["layers"])
    model.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
    model.eval()
    if "classes" in header:
        for module in model.modules():
            module.labels = torch.from_numpy(labels(header))
    x = torch.from_numpy(inputs)
    with torch.no_grad():
        if x.ndim == 4:
            return model(x.permute(0, 3, 1, 2)).numpy()
        y = model(x)
        return (y.permute(0, 2, 3, 1) if y.ndim == 4 else y).numpy()


def sequential(modules):
    """The Sequential that a list of the header describes."""

    def module(arguments):
        kind, normalises = arguments.pop("module"), arguments.pop("spectral_norm", False)
        made = (OURS[kind] if kind in OURS else getattr(torch.nn, kind))(**arguments)
        for part in list(made.children()) or [made] if normalises else []:
            torch.nn.utils.parametrizations.spectral_norm(part)
        return made

    return torch.nn.Sequential(*map(module, modules))


class JoinLabel(torch.nn.Module if torch else object):
    """The label, or its embedding, beside x."""

    def __init__(self, classes, embedding, image):
        super().__init__()
        self.image = image
        self.embedding = torch.nn.Parameter(torch.zeros(classes, embedding)) if embedding else None
        self.weight = self.bias = None
        if embedding and image:
            pixels = image[0] * image[1]
            self.weight = torch.nn.Parameter(torch.zeros(pixels, embedding))
            self.bias = torch.nn.Parameter(torch.zeros(pixels))

    def forward(self, x):
        label = self.labels if self.embedding is None else self.labels @ self.embedding
        if self.weight is not None:
            label = torch.nn.functional.linear(label, self.weight, self.bias).unflatten(1, (1, *self.image))
        elif self.image:
            label = label[:, :, None, None].expand(-1, -1, *self.image)
        return torch.cat([x, label], 1)


class ConditionalBatchNorm(torch.nn.Module if torch else object):
    """A batch norm whose weight and bias are the rows of the examples' classes."""

    def __init__(self, classes, num_features, eps, momentum):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = torch.nn.Parameter(torch.ones(classes, num_features))
        self.bias = torch.nn.Parameter(torch.zeros(classes, num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x):
        y = torch.nn.functional.batch_norm(
            x, self.running_mean, self.running_var, training=self.training, momentum=self.momentum, eps=self.eps
        )
        weight, bias = self.labels @ self.weight, self.labels @ self.bias
        return y * weight[:, :, None, None] + bias[:, :, None, None] if x.ndim == 4 else y * weight + bias


class Projection(torch.nn.Module if torch else object):
    """A Linear to one number, and x by the label's embedding."""

    def __init__(self, classes, in_features):
        super().__init__()
        self.linear = torch.nn.Linear(in_features, 1)
        self.embedding = torch.nn.Linear(classes, in_features, bias=False)

    def forward(self, x):
        return self.linear(x) + (x * self.embedding(self.labels)).sum(1, keepdim=True)


class Residual(torch.nn.Module if torch else object):
    """The sum of two Sequentials."""

    def __init__(self, layers, shortcut):
        super().__init__()
        self.layers, self.shortcut = sequential(layers), sequential(shortcut)

    def forward(self, x):
        return self.layers(x) + self.shortcut(x)


class Attention(torch.nn.Module if torch else object):
    """Means over the places of an image, weighted by what each asks for."""

    def __init__(self, channels):
        super().__init__()
        self.query, self.key, self.value, self.output = (
            torch.nn.Conv2d(*sizes, 1, bias=False)
            for sizes in [(channels, channels // 8)] * 2 + [(channels, channels // 2), (channels // 2, channels)]
        )
        self.gamma = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x):
        pooled = lambda x: torch.nn.functional.max_pool2d(x, 2).flatten(2)
        weights = (self.query(x).flatten(2).mT @ pooled(self.key(x))).softmax(-1)
        means = (pooled(self.value(x)) @ weights.mT).unflatten(2, x.shape[2:])
        return x + self.gamma * self.output(means)


class MinibatchStddev(torch.nn.Module if torch else object):
    """One more channel: how much the examples of a group differ."""

    def __init__(self, group):
        super().__init__()
        self.group = group

    def forward(self, x):
        group = next(size for size in range(min(self.group, len(x)), 0, -1) if len(x) % size == 0)
        deviation = (x.unflatten(0, (group, -1)).var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
        channel = deviation.repeat(group)[:, None, None, None].expand(-1, 1, *x.shape[2:])
        return torch.cat([x, channel], 1)


OURS = {of.__name__: of for of in (JoinLabel, ConditionalBatchNorm, Projection, Residual, Attention, MinibatchStddev)}


def keras(header, weights, x, labels):
    """What the layers of a file in Keras's layouts make of x, channels last, in float64."""
    return chain(header["layers"], "layers", weights, x.astype(np.float64), labels).astype(np.float32)


def chain(layers, name, weights, x, labels):
    """What these layers make of x, whose weights are called `name`.1 and so on."""
    for index, layer in enumerate(layers, 1):
        prefix = f"{name}.{index}."
        own = {k.removeprefix(prefix): w for k, w in weights.items() if k.startswith(prefix)}
        x = apply(layer, own, x, labels)
        assert x.shape == (len(x), *layer["output"]), (index, layer, x.shape)
    return x


def used(own, of="", transposed=False):
    """A kernel as it is used: divided by its largest singular value where u and v are there."""
    kernel = own[f"{of}kernel"].astype(np.float64)
    if f"{of}u" not in own:
        return kernel
    matrix = kernel.swapaxes(2, 3) if transposed else kernel
    return kernel / (own[f"{of}v"] @ matrix.reshape(-1, matrix.shape[-1]) @ own[f"{of}u"])


def apply(layer, own, x, labels):
    kind = layer["layer"]
    if kind == "join_label":
        label = labels @ own["embedding"] if "embedding" in own else labels
        if x.ndim == 4:
            if "kernel" in own:
                label = (label @ own["kernel"] + own["bias"]).reshape(*x.shape[:3], 1)
            else:
                label = np.broadcast_to(label[:, None, None, :], (*x.shape[:3], label.shape[1]))
        return np.concatenate([x, label], axis=-1)
    if kind == "conditional_batch_norm":
        y = (x - own["running_mean"]) / np.sqrt(own["running_variance"] + layer["epsilon"])
        rows = [(labels @ own[name]).reshape(len(x), *[1] * (x.ndim - 2), -1) for name in ("gamma", "beta")]
        return y * rows[0] + rows[1]
    if kind == "projection":
        fit = (x * (labels @ used(own, "embedding."))).sum(axis=1, keepdims=True)
        return x @ used(own) + own["bias"] + fit
    if kind == "residual":
        return sum(chain(layer[branch], branch, own, x, labels) for branch in ("layers", "shortcut"))
    if kind == "global_average_pool":
        return x.mean(axis=(1, 2))
    if kind == "attention":
        return attention(own, x)
    if kind == "dense":
        kernel = own["kernel"] / np.linalg.norm(own["kernel"], axis=0) if layer.get("unit_norm") else used(own)
        return x @ kernel + own.get("bias", 0)
    if kind == "conv2d":
        return convolve(layer, used(own), x) + own.get("bias", 0)
    if kind == "conv_transpose2d":
        return transposed(layer, used(own, transposed=True), x) + own.get("bias", 0)
    if kind == "batch_norm":
        scale = own["gamma"] / np.sqrt(own["running_variance"] + layer["epsilon"])
        return (x - own["running_mean"]) * scale + own["beta"]
    if kind in ("group_norm", "layer_norm", "instance_norm"):
        groups = {"group_norm": layer.get("groups"), "layer_norm": 1, "instance_norm": x.shape[-1]}[kind]
        parts = x.reshape(len(x), -1, groups, x.shape[-1] // groups)
        mean, variance = parts.mean(axis=(1, 3), keepdims=True), parts.var(axis=(1, 3), keepdims=True)
        parts = (parts - mean) / np.sqrt(variance + layer["epsilon"])
        return parts.reshape(x.shape) * own["gamma"] + own["beta"]
    if kind in ("reshape", "flatten"):
        return x.reshape(len(x), *layer["output"])
    if kind in ("max_pool", "average_pool"):
        return pool(layer, x)
    if kind == "pixel_shuffle":
        (n, h, w, c), f = x.shape, layer["factor"]
        parts = x.reshape(n, h, w, c // f**2, f, f).transpose(0, 1, 4, 2, 5, 3)
        return parts.reshape(n, h * f, w * f, c // f**2)
    if kind == "minibatch_stddev":
        return minibatch_stddev(x, layer["group"])
    if kind == "downsample" or layer.get("method") == "bilinear":
        for axis in (1, 2):
            n, length = x.shape[axis], layer["output"][axis - 1]
            place = np.maximum((np.arange(length) + 0.5) * n / length - 0.5, 0)
            first = np.floor(place).astype(int)
            share = np.expand_dims(place - first, [a for a in range(4) if a != axis])
            second = np.minimum(first + 1, n - 1)
            x = (1 - share) * x.take(first, axis) + share * x.take(second, axis)
        return x
    if kind == "upsample":
        return x.repeat(layer["factor"], axis=1).repeat(layer["factor"], axis=2)
    functions = {
        "dropout": lambda x: x,
        "gaussian_noise": lambda x: x,
        "leaky_relu": lambda x: np.maximum(x, layer["slope"] * x),
        "relu": lambda x: np.maximum(x, 0),
        "tanh": np.tanh,
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "gelu": lambda x: 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
        "silu": lambda x: x / (1 + np.exp(-x)),
        "softplus": lambda x: np.logaddexp(x, 0),
        "elu": lambda x: np.where(x > 0, x, layer["alpha"] * np.expm1(np.minimum(x, 0))),
    }
    return functions[kind](x)


def windows(layer, kernel, height, width):
    """Kernel row and column, and where the kernel's positions put them in the padded image."""
    stride = np.broadcast_to(layer["stride"], 2)
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            rows = slice(i, i + stride[0] * (height - 1) + 1, stride[0])
            columns = slice(j, j + stride[1] * (width - 1) + 1, stride[1])
            yield i, j, rows, columns


def pool(layer, x):
    """The largest value or the mean of each window, over what of it lies inside the image."""
    sides, size = layer["sides"], np.broadcast_to(layer["size"], 2)
    rows, columns = (sides["top"], sides["bottom"]), (sides["left"], sides["right"])
    padded = np.pad(x, [(0, 0), rows, columns, (0, 0)], constant_values=np.nan)
    windows_of = np.lib.stride_tricks.sliding_window_view(padded, size, axis=(1, 2))
    stride = np.broadcast_to(layer["stride"], 2)
    windows_of = windows_of[:, :: stride[0], :: stride[1]]
    return {"max_pool": np.nanmax, "average_pool": np.nanmean}[layer["layer"]](windows_of, axis=(-2, -1))


def attention(own, x):
    """x + gamma · o(softmax(q · kᵀ) · v), keys and values max-pooled 2x2."""

    def pooled(x):
        n, h, w, c = x.shape
        return x.reshape(n, h // 2, 2, w // 2, 2, c).max(axis=(2, 4)).reshape(n, -1, c)

    query, key, value = (x @ used(own, f"{name}.")[0, 0] for name in ("query", "key", "value"))
    scores = query.reshape(len(x), -1, query.shape[-1]) @ pooled(key).transpose(0, 2, 1)
    weights = np.exp(scores - scores.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    means = (weights @ pooled(value)).reshape(*x.shape[:3], -1)
    return x + own["gamma"] * (means @ used(own, "output.")[0, 0])


def minibatch_stddev(x, most):
    """One more channel: the mean of the standard deviations over groups of examples."""
    n, h, w, c = x.shape
    group = next(size for size in range(min(most, n), 0, -1) if n % size == 0)
    deviation = np.sqrt(x.reshape(group, n // group, -1).var(axis=0) + 1e-8).mean(axis=1)
    channel = np.broadcast_to(np.tile(deviation, group)[:, None, None, None], (n, h, w, 1))
    return np.concatenate([x, channel], axis=3)


def convolve(layer, kernel, x):
    sides, (height, width, filters) = layer["sides"], layer["output"]
    rows, columns = (sides["top"], sides["bottom"]), (sides["left"], sides["right"])
    padded = np.pad(x, [(0, 0), rows, columns, (0, 0)])
    y = np.zeros((len(x), height, width, filters))
    for i, j, rows, columns in windows(layer, kernel, height, width):
        for into, of in groups(layer, filters, x.shape[-1]):
            y[..., into] += padded[:, rows, columns, of] @ kernel[i, j][:, into]
    return y


def groups(layer, *channels):
    """For each group of a convolution, its share of so many channels."""
    count = layer.get("groups", 1)
    for group in range(count):
        yield [slice(group * c // count, (group + 1) * c // count) for c in channels]


def transposed(layer, kernel, x):
    sides, (height, width, filters) = layer["sides"], layer["output"]
    stride = np.broadcast_to(layer["stride"], 2)
    full = [
        max((x.shape[1 + a] - 1) * stride[a] + kernel.shape[a], sides[s] + layer["output"][a])
        for a, s in enumerate(["top", "left"])
    ]
    y = np.zeros((len(x), *full, filters))
    for i, j, rows, columns in windows(layer, kernel, x.shape[1], x.shape[2]):
        for into, of in groups(layer, filters, x.shape[-1]):
            y[:, rows, columns, into] += x[..., of] @ kernel[i, j][:, of].T
    return y[:, sides["top"] :][:, :height, sides["left"] :][:, :, :width]


if __name__ == "__main__":
    main()
