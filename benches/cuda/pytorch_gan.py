"""A recipe's networks and its training step in PyTorch, as cheaply as PyTorch plays it: gradients are asked for by name,
so that no walk computes what an update doesn't use; fake images of the discriminator's own step have no graph; its
weights are frozen in the generator's step; Adam is the fused one.

TensorFlow's `same` padding puts the larger half last, PyTorch has one number for both sides. PyTorch's padding by the
larger half is TensorFlow's seen in a mirror, where stride and sizes fit: so this side lives in a world whose images and
kernels are turned by 180 degrees, and nothing is padded or cropped in a pass of its own.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F


def same(n: int, kernel: int, stride: int) -> int:
    """The larger half of `same` padding."""
    total = max((-(-n // stride) - 1) * stride + kernel - n, 0)
    return total - total // 2


def pair(value) -> list[int]:
    return list(value) if isinstance(value, list) else [value, value]


class Reshape(nn.Module):
    """A vector as an image `[h, w, c]`, in the order of the layout's memory."""

    def __init__(self, image, channels_last):
        super().__init__()
        self.image, self.channels_last = image, channels_last

    def forward(self, x):
        h, w, c = self.image
        if self.channels_last:
            return x.view(-1, h, w, c).permute(0, 3, 1, 2)
        return x.view(-1, c, h, w)


class Flatten(nn.Module):
    def __init__(self, channels_last):
        super().__init__()
        self.channels_last = channels_last

    def forward(self, x):
        return (x.permute(0, 2, 3, 1) if self.channels_last and x.dim() == 4 else x).flatten(1)


def network(spec: dict, channels_last: bool) -> nn.Sequential:
    """The network of a recipe, with PyTorch's own initial weights."""
    shape, layers = list(spec["input"]), []
    for layer in spec["layers"]:
        kind = layer["layer"]
        if kind == "dense":
            layers.append(nn.Linear(shape[0], layer["units"], bias=layer.get("bias", True)))
            shape = [layer["units"]]
        elif kind in ("conv2d", "conv_transpose2d"):
            if layer.get("padding", "same") != "same":
                raise ValueError("this side knows `same` padding")
            kernel, stride = pair(layer["kernel"]), pair(layer.get("stride", 1))
            small = [-(-n // s) for n, s in zip(shape, stride)]
            large = [n * s for n, s in zip(shape, stride)]
            down = kind == "conv2d"
            of = shape if down else large
            padding = [same(n, k, s) for n, k, s in zip(of, kernel, stride)]
            bias = layer.get("bias", True)
            if down:
                layers.append(nn.Conv2d(shape[2], layer["filters"], kernel, stride, padding, bias=bias))
            else:
                extra = [n + 2 * p - (m - 1) * s - k for n, p, m, s, k in zip(large, padding, shape, stride, kernel)]
                layers.append(nn.ConvTranspose2d(shape[2], layer["filters"], kernel, stride, padding, extra, bias=bias))
            shape = [*(small if down else large), layer["filters"]]
        elif kind == "batch_norm":
            norm = nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d
            momentum = 1.0 - layer.get("momentum", 0.99)
            layers.append(norm(shape[-1], eps=layer.get("epsilon", 1e-3), momentum=momentum))
        elif kind == "dropout":
            layers.append(nn.Dropout(layer["rate"]))
        elif kind == "leaky_relu":
            layers.append(nn.LeakyReLU(layer.get("slope", 0.3)))
        elif kind in ("relu", "tanh", "sigmoid"):
            layers.append({"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[kind]())
        elif kind == "flatten":
            layers.append(Flatten(channels_last))
            shape = [torch.Size(shape).numel()]
        elif kind == "reshape" and len(layer["shape"]) == 3:
            layers.append(Reshape(layer["shape"], channels_last))
            shape = list(layer["shape"])
        else:
            raise ValueError(f"this side knows no {kind}")
    made = nn.Sequential(*layers)
    return made.to(memory_format=torch.channels_last) if channels_last else made


def optimizer(spec: dict, parameters, on_cuda: bool) -> torch.optim.Optimizer:
    if spec["kind"] != "adam":
        raise ValueError("this side knows Adam")
    betas = tuple(spec.get("betas", (0.9, 0.999)))
    options = {"lr": spec["learning_rate"], "betas": betas, "eps": spec.get("epsilon", 1e-7)}
    options["weight_decay"] = spec.get("weight_decay", 0.0)
    return torch.optim.Adam(parameters, fused=True, capturable=on_cuda, **options)


class Gan:
    """Both networks, their optimisers and the game's rules."""

    def __init__(self, spec: dict, device: torch.device, channels_last: bool):
        recipe = spec["recipe"]
        self.training, self.latent, self.device = recipe["training"], recipe["generator"]["input"][0], device
        self.low, self.high = recipe["data"]["range"]
        self.channels_last = channels_last
        self.generator = network(recipe["generator"], channels_last).to(device)
        self.discriminator = network(recipe["discriminator"], channels_last).to(device)
        self.g, self.d = list(self.generator.parameters()), list(self.discriminator.parameters())
        counts = [sum(p.numel() for p in parameters) for parameters in (self.g, self.d)]
        if counts != spec["parameters"]:
            raise ValueError(f"{counts} parameters, not {spec['parameters']}")
        on_cuda = device.type == "cuda"
        self.g_adam = optimizer(recipe["generator"]["optimizer"], self.g, on_cuda)
        self.d_adam = optimizer(recipe["discriminator"]["optimizer"], self.d, on_cuda)
        self.loss = self.training["loss"]
        if self.loss not in ("bce", "wasserstein"):
            raise ValueError(f"this side knows no loss {self.loss}")
        self.of_probabilities = recipe["discriminator"]["layers"][-1]["layer"] == "sigmoid"

    def images(self, data: torch.Tensor) -> torch.Tensor:
        """Bytes `[n, h, w, c]` as the networks' images."""
        images = (data.to(torch.float32) * ((self.high - self.low) / 255.0) + self.low).permute(0, 3, 1, 2)
        return images if self.channels_last else images.contiguous()

    def step(self, data: torch.Tensor) -> torch.Tensor:
        """A step of the game, of a critic loop the critic's alone; the losses, on the device."""
        real = self.images(data)
        update = self.training["update"]
        if update == "simultaneous":
            return self.simultaneous_step(real)
        d_loss = self.discriminator_step(real)
        if update == "alternating":
            return torch.stack([d_loss, self.generator_step(real.shape[0])])
        return d_loss.reshape(1)

    def latents(self, count: int) -> torch.Tensor:
        return torch.randn(count, self.latent, device=self.device)

    def simultaneous_step(self, real):
        on_fake = self.discriminator(self.generator(self.latents(real.shape[0])))
        d_loss = self.discriminator_loss(self.discriminator(real), on_fake)
        g_loss = self.generator_loss(on_fake)
        d_grads = torch.autograd.grad(d_loss, self.d, retain_graph=True)
        g_grads = torch.autograd.grad(g_loss, self.g)
        update(self.d_adam, self.d, d_grads)
        update(self.g_adam, self.g, g_grads)
        return torch.stack([d_loss.detach(), g_loss.detach()])

    def discriminator_step(self, real):
        with torch.no_grad():
            fake = self.generator(self.latents(real.shape[0]))
        loss = self.discriminator_loss(self.discriminator(real), self.discriminator(fake))
        if weight := self.training.get("gradient_penalty"):
            loss = loss + weight * self.penalty(real, fake)
        update(self.d_adam, self.d, torch.autograd.grad(loss, self.d))
        return loss.detach()

    def generator_step(self, count):
        self.discriminator.requires_grad_(False)
        loss = self.generator_loss(self.discriminator(self.generator(self.latents(count))))
        grads = torch.autograd.grad(loss, self.g)
        self.discriminator.requires_grad_(True)
        update(self.g_adam, self.g, grads)
        return loss.detach()

    def penalty(self, real, fake):
        """The mean of (‖∇D‖ - 1)² between real and fake images."""
        share = torch.rand(real.shape[0], 1, 1, 1, device=self.device)
        between = (share * real + (1 - share) * fake).requires_grad_(True)
        output = self.discriminator(between).sum()
        (gradient,) = torch.autograd.grad(output, between, create_graph=True)
        norms = (gradient.square().sum(dim=(1, 2, 3)) + 1e-12).sqrt()
        return (norms - 1).square().mean()

    def discriminator_loss(self, real, fake):
        if self.loss == "wasserstein":
            return fake.mean() - real.mean()
        return self.cross_entropy(real, 1.0) + self.cross_entropy(fake, 0.0)

    def generator_loss(self, fake):
        return -fake.mean() if self.loss == "wasserstein" else self.cross_entropy(fake, 1.0)

    def cross_entropy(self, output, label):
        labels = torch.full_like(output, label)
        if self.of_probabilities:
            return F.binary_cross_entropy(output, labels)
        return F.binary_cross_entropy_with_logits(output, labels)

    def sample(self, count: int) -> torch.Tensor:
        """Images in evaluation mode, in slices of 256."""
        with torch.no_grad():
            slices = torch.randn(count, self.latent).to(self.device).split(256)
            return torch.cat([self.generator(z) for z in slices])


def update(adam, parameters, grads):
    for parameter, grad in zip(parameters, grads):
        # The fused Adam wants equal strides, which a weight of one channel has two ways to have.
        alike = grad.stride() == parameter.stride()
        parameter.grad = grad if alike else torch.empty_like(parameter).copy_(grad)
    adam.step()
