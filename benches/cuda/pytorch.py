"""PyTorch on the rows of `cargo bench --bench cuda`: the other side of compare.py, which starts this program and asks it
row by row, as JSON lines: what it is (`spec`), the precision, `how` (launches: eager; graph: captured in a CUDA graph),
and seconds for a timing. Each is timed as ours are (timing.rs): again and again, waited for at the end, the median of
five parts; in a graph an op stands twenty times. Where there are images, the faster of contiguous and channels-last counts.
"""

import argparse
import json
import math
import statistics
import sys
import time

import torch
import torch.nn.functional as F

from pytorch_gan import Gan

IN_A_GRAPH = 20
PARTS = 5
LAYOUTS = {"contiguous": False, "channels-last": True}


class Machine:
    """The device and the one stream on which all is done: what is captured must have been begun there."""

    def __init__(self, name: str):
        self.device = torch.device(name)
        self.on_cuda = self.device.type == "cuda"
        self.stream = torch.cuda.Stream() if self.on_cuda else None

    def wait(self):
        if self.on_cuda:
            torch.cuda.synchronize()

    def capture(self, f, times: int = 1):
        """What replays `times` times f."""
        for _ in range(3):
            f()
        self.wait()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            for _ in range(times):
                f()
        return graph.replay

    def timed(self, f, times: int) -> float:
        """Milliseconds."""
        self.wait()
        start = time.perf_counter()
        f(times)
        self.wait()
        return 1e3 * (time.perf_counter() - start)

    def median(self, f, seconds: float) -> float:
        """The median of what f takes for each of the times that it is asked for."""
        first = self.timed(f, 1)
        times = min(max(math.ceil(1e3 * seconds / PARTS / first), 1), 100_000)
        parts = 1 if first > 1e3 * seconds else PARTS
        return statistics.median(self.timed(f, times) / times for _ in range(parts))


class Op:
    """An op, eager or twenty times in a graph."""

    def __init__(self, machine: Machine, how: str, f):
        # A graph goes to where its tensors lay, and only the function that was captured keeps them there.
        self.machine, self.f, self.kept, self.once = machine, f, f, 1
        if how == "graph":
            self.f, self.once = machine.capture(f, IN_A_GRAPH), IN_A_GRAPH
        self.run(3)

    def run(self, times: int):
        for _ in range(times):
            self.f()

    def ms(self, seconds: float) -> float:
        return self.machine.median(self.run, seconds) / self.once


class Training:
    """Steps on batches of bytes that come from the processor; what a step reports is read when the next has been asked
    for. With `epoch`, batches are drawn from images that lie on the device, and all of them are timed once."""

    def __init__(self, machine: Machine, how: str, spec: dict, channels_last: bool):
        self.machine, self.gan = machine, Gan(spec, machine.device, channels_last)
        shape = [spec["batch"], *spec["recipe"]["discriminator"]["input"]]
        self.batch = torch.zeros(shape, dtype=torch.uint8, device=machine.device)
        self.images = spec.get("images")
        count = self.images or 16 * spec["batch"]
        self.data = torch.randint(0, 256, [count, *shape[1:]], dtype=torch.uint8)
        if self.images:
            self.data = self.data.to(machine.device)
        elif machine.on_cuda:
            self.data = self.data.pin_memory()
        self.losses, self.steps = None, 0
        self.told = [torch.zeros(2, pin_memory=machine.on_cuda) for _ in range(2)]
        self.marks = [torch.cuda.Event() if machine.on_cuda else None for _ in range(2)]
        self.play = machine.capture(self.step) if how == "graph" else self.step
        self.run(5)

    def step(self):
        self.losses = self.gan.step(self.batch)

    def run(self, times: int):
        for _ in range(times):
            size = self.batch.shape[0]
            if self.images:
                place = self.steps % (self.images // size)
                if place == 0 or self.steps == 0:
                    self.order = torch.randperm(self.images, device=self.data.device)
                self.batch.copy_(self.data[self.order[place * size : (place + 1) * size]])
            else:
                place = self.steps % 16
                self.batch.copy_(self.data[place * size : (place + 1) * size], non_blocking=True)
            self.play()
            turn = self.steps % 2
            self.told[turn][: len(self.losses)].copy_(self.losses, non_blocking=True)
            if self.machine.on_cuda:
                self.marks[turn].record()
                if self.steps > 0:
                    self.marks[1 - turn].synchronize()
            self.steps += 1

    def ms(self, seconds: float) -> float:
        if self.images:
            self.steps = 0
            return self.machine.timed(self.run, self.images // self.batch.shape[0])
        return self.machine.median(self.run, seconds)


def convolution(machine: Machine, spec: dict, channels_last: bool):
    """A convolution's forward pass or one of its gradients, in the mirror (pytorch_gan.py)."""
    large, small, kernel, stride = spec["large"], spec["small"], spec["kernel"], spec["stride"]
    transposed, batch = spec["transposed"], spec["batch"]
    padding = [spec["padding"]["bottom"], spec["padding"]["right"]]
    extra = [large[i] + 2 * padding[i] - (small[i] - 1) * stride[i] - kernel[i] for i in range(2)]
    if any(not 0 <= extra[i] < stride[i] for i in range(2)):
        raise ValueError(f"PyTorch has no such convolution: {spec}")
    layout = torch.channels_last if channels_last else torch.contiguous_format

    def drawn(*shape):
        return torch.randn(shape, device=machine.device).to(memory_format=layout)

    large_maps = drawn(batch, large[2], large[0], large[1])
    small_maps = drawn(batch, small[2], small[0], small[1])
    weight = drawn(small[2], large[2], *kernel)
    x, grad = (small_maps, large_maps) if transposed else (large_maps, small_maps)
    attributes = [stride, padding, [1, 1], transposed, extra if transposed else [0, 0], 1]
    if spec["part"] == "forward":
        return lambda: torch.convolution(x, weight, None, *attributes)
    mask = [spec["part"] == "input_gradient", spec["part"] == "weight_gradient", False]
    backward = torch.ops.aten.convolution_backward
    return lambda: backward(grad, x, weight, None, *attributes, mask)


def dense(machine: Machine, spec: dict):
    def drawn(*shape):
        return torch.randn(shape, device=machine.device)

    batch, inputs, outputs = spec["batch"], spec["inputs"], spec["outputs"]
    x, weight, grad = drawn(batch, inputs), drawn(outputs, inputs), drawn(batch, outputs)
    bias = drawn(outputs) if spec["bias"] else None
    return {
        "forward": lambda: F.linear(x, weight, bias),
        "input_gradient": lambda: grad.mm(weight),
        "weight_gradient": lambda: grad.t().mm(x),
    }[spec["part"]]


def elementwise(machine: Machine, spec: dict, channels_last: bool):
    """Batch norm, or leaky ReLU with dropout, forward or backward."""
    shape = spec["shape"]
    if len(shape) == 4:
        shape = [shape[0], shape[3], shape[1], shape[2]]
    layout = torch.channels_last if channels_last and len(shape) == 4 else torch.contiguous_format
    backward = spec["backward"]
    x, grad = (torch.randn(shape, device=machine.device).to(memory_format=layout) for _ in range(2))
    inputs = [x.requires_grad_(backward)]
    if spec["kind"] == "batch_norm":
        channels = (torch.full([shape[1]], v, device=machine.device, requires_grad=backward) for v in (1.0, 0.0))
        inputs += channels

        def forward():
            return F.batch_norm(inputs[0], None, None, *inputs[1:], training=True, eps=spec["epsilon"])
    else:

        def forward():
            return F.dropout(F.leaky_relu(inputs[0], spec["slope"]), spec["rate"])

    if not backward:
        return forward
    y = forward()
    return lambda: torch.autograd.grad(y, inputs, grad, retain_graph=True)


def adam(machine: Machine, spec: dict):
    gan = Gan(spec, machine.device, True)
    for parameter in gan.g + gan.d:
        parameter.grad = torch.randn_like(parameter)
    return lambda: (gan.g_adam.step(), gan.d_adam.step())


def made(machine: Machine, spec: dict, how: str, channels_last: bool):
    kind = spec["kind"]
    if kind in ("step", "epoch"):
        return Training(machine, how, spec, channels_last)
    if kind == "sample":
        gan = Gan(spec, machine.device, channels_last)
        gan.generator.eval()
        return Op(machine, how, lambda: gan.sample(spec["count"]))
    if kind == "convolution":
        f = convolution(machine, spec, channels_last)
    elif kind == "dense":
        f = dense(machine, spec)
    elif kind == "gemm":
        a, b = (torch.randn(spec["size"], spec["size"], device=machine.device) for _ in range(2))
        f = lambda: torch.mm(a, b)
    elif kind == "adam":
        f = adam(machine, spec)
    else:
        f = elementwise(machine, spec, channels_last)
    return Op(machine, how, f)


def has_layouts(spec: dict) -> bool:
    return spec["kind"] in ("step", "epoch", "sample", "convolution") or len(spec.get("shape", [])) == 4


class Bench:
    """The subjects of the latest row, which the next request may be about again."""

    def __init__(self, machine: Machine):
        self.machine, self.row, self.subjects = machine, None, {}

    def answer(self, request: dict) -> dict:
        told = {"row": request["row"], "side": "pytorch", "precision": request["precision"], "how": request["how"]}
        if request["how"] == "graph" and not self.machine.on_cuda:
            return told | {"error": "the processor has no CUDA graphs"}
        if self.row != request["row"]:
            self.row, self.subjects = request["row"], {}
        tf32 = request["precision"] == "tf32"
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
        try:
            subject, layout = self.subject(request)
            return told | {"ms": subject.ms(request["seconds"]), "layout": layout}
        except Exception as error:  # one row less, not the end of all
            return told | {"error": f"{type(error).__name__}: {error}".splitlines()[0]}

    def subject(self, request: dict):
        key = (request["precision"], request["how"])
        if key not in self.subjects:
            spec, how = request["spec"], request["how"]
            if has_layouts(spec):
                sides = [(made(self.machine, spec, how, last), name) for name, last in LAYOUTS.items()]
                # An epoch's networks are those of its steps, in short.
                quickly = [self.machine.median(side.run, 0.02) for side, _ in sides]
                self.subjects[key] = sides[quickly.index(min(quickly))]
            else:
                self.subjects[key] = (made(self.machine, spec, how, False), None)
        return self.subjects[key]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    machine = Machine(parser.parse_args().device)
    torch.backends.cudnn.benchmark = True
    bench = Bench(machine)

    def say(answer):
        print(json.dumps(answer), flush=True)

    def serve():
        say({"device": f"PyTorch {torch.__version__} on {machine.device}"})
        for line in sys.stdin:
            say(bench.answer(json.loads(line)))

    if machine.on_cuda:
        with torch.cuda.stream(machine.stream):
            serve()
    else:
        serve()


if __name__ == "__main__":
    main()
