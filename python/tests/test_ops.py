"""Values and first gradients of ops against NumPy, written by hand."""

import math
import re

import minimax
import numpy as np
import pytest
from conftest import REPOSITORY
from minimax import Tensor, ops

rng = np.random.default_rng(3)
A, B = rng.normal(size=(3, 4)), rng.normal(size=(4,))
POSITIVE = rng.uniform(0.5, 2, size=(3, 4))
TARGETS = np.eye(4)[[1, 3, 0]]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    shifted = np.exp(x - x.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def phi(x):
    """The probability that a standard normal number is less than x."""
    return np.vectorize(lambda value: 0.5 * (1 + math.erf(value / math.sqrt(2))))(x)


# Name, op of x, x, value, gradient of the sum of U times the value.
U = rng.normal(size=(3, 4))
CASES = [
    ("neg", ops.neg, A, -A, -U),
    ("exp", ops.exp, A, np.exp(A), U * np.exp(A)),
    ("log", ops.log, POSITIVE, np.log(POSITIVE), U / POSITIVE),
    ("sqrt", ops.sqrt, POSITIVE, np.sqrt(POSITIVE), U / (2 * np.sqrt(POSITIVE))),
    ("square", ops.square, A, A * A, U * 2 * A),
    ("abs", ops.abs, A, np.abs(A), U * np.sign(A)),
    ("tanh", ops.tanh, A, np.tanh(A), U * (1 - np.tanh(A) ** 2)),
    ("sigmoid", ops.sigmoid, A, sigmoid(A), U * sigmoid(A) * (1 - sigmoid(A))),
    ("softplus", ops.softplus, A, np.log1p(np.exp(A)), U * sigmoid(A)),
    ("silu", ops.silu, A, A * sigmoid(A), U * sigmoid(A) * (1 + A * (1 - sigmoid(A)))),
    ("gelu", ops.gelu, A, A * phi(A), U * (phi(A) + A * np.exp(-A * A / 2) / math.sqrt(2 * math.pi))),
    ("relu", ops.relu, A, np.maximum(A, 0), U * (A > 0)),
    ("leaky_relu", lambda x: ops.leaky_relu(x, 0.1), A, np.where(A > 0, A, 0.1 * A), U * np.where(A > 0, 1, 0.1)),
    ("elu", ops.elu, A, np.where(A > 0, A, np.expm1(A)), U * np.where(A > 0, 1, np.exp(A))),
    ("clamp", lambda x: ops.clamp(x, -0.5, 0.5), A, A.clip(-0.5, 0.5), U * (np.abs(A) <= 0.5)),
    ("add", lambda x: ops.add(x, B), A, A + B, U),
    ("sub", lambda x: ops.sub(B, x), A, B - A, -U),
    ("mul", lambda x: ops.mul(x, B), A, A * B, U * B),
    ("div", lambda x: ops.div(B, x), POSITIVE, B / POSITIVE, -U * B / POSITIVE**2),
    ("pow", lambda x: ops.pow(x, 3.0), A, A**3, 3 * U * A**2),
    ("maximum", lambda x: ops.maximum(x, B), A, np.maximum(A, B), U * (A > B)),
    ("minimum", lambda x: ops.minimum(x, B), A, np.minimum(A, B), U * (A < B)),
    ("select", lambda x: ops.select(A > 0, x, B), A, np.where(A > 0, A, B), U * (A > 0)),
    ("softmax", ops.softmax, A, softmax(A), softmax(A) * (U - (U * softmax(A)).sum(1, keepdims=True))),
    ("log_softmax", ops.log_softmax, A, np.log(softmax(A)), U - softmax(A) * U.sum(1, keepdims=True)),
    ("matmul", lambda x: ops.matmul(x, np.diag(B) + 1), A, A @ (np.diag(B) + 1), U @ (np.diag(B) + 1).T),
    ("sum over an axis", lambda x: ops.sum(x, 0), A, A.sum(0), np.tile(U[0], (3, 1))),
    ("mean over the last", lambda x: ops.mean(x, axis=-1), A, A.mean(-1), np.repeat(U[:, :1], 4, axis=1) / 4),
    ("max that stays", lambda x: ops.max(x, 1, keepdims=True), A, A.max(1, keepdims=True), None),
    ("sum over all", ops.sum, A, A.sum(), None),
    ("mean over two", lambda x: ops.mean(x, (0, -1)), A, A.mean(), None),
    ("reshape", lambda x: ops.reshape(x, (2, 6)), A, A.reshape(2, 6), None),
    ("reshape to what is left", lambda x: ops.reshape(x, (-1, 2)), A, A.reshape(-1, 2), None),
    ("permute", lambda x: ops.permute(x, (-1, 0)), A, A.T, None),
    ("slice", lambda x: ops.slice(x, [(1, 3), (0, 2)]), A, A[1:3, :2], None),
    ("pad", lambda x: ops.pad(x, [(1, 0), (0, 2)]), A, np.pad(A, [(1, 0), (0, 2)]), None),
    ("concat", lambda x: ops.concat([x, A], axis=-1), A, np.concatenate([A, A], 1), None),
    ("stack", lambda x: ops.stack([x, A], axis=-1), A, np.stack([A, A], -1), None),
    ("broadcast_to", lambda x: ops.broadcast_to(x, (2, 3, 4)), A, np.stack([A, A]), None),
    ("sum_to", lambda x: ops.sum_to(x, [4]), A, A.sum(0), None),
    ("gather", lambda x: ops.gather(x, [2, 0, 2]), A, A[[2, 0, 2]], None),
    ("scatter_add", lambda x: ops.scatter_add(x, [1, 0, 1], 2), A, np.stack([A[1], A[0] + A[2]]), None),
    ("argmax", ops.argmax, A, A.argmax(1), None),
    ("greater", lambda x: ops.greater(x, B), A, A > B, None),
    ("one_hot", lambda x: ops.one_hot(x, 4), np.array([1, 3, 0]), TARGETS, None),
    ("mean_squared_error", lambda x: ops.mean_squared_error(x, B), A, ((A - B) ** 2).mean(), None),
    ("cross_entropy", lambda x: ops.cross_entropy(x, TARGETS), A, -(TARGETS * np.log(softmax(A))).sum() / 3, None),
    (
        "binary_cross_entropy_with_logits",
        lambda x: ops.binary_cross_entropy_with_logits(x, TARGETS),
        A,
        (np.log1p(np.exp(A)) - A * TARGETS).mean(),
        None,
    ),
    ("wasserstein", lambda x: ops.wasserstein(x, B), A, A.mean() - B.mean(), None),
    ("dense", lambda x: ops.dense(x, TARGETS.T, [1, 2, 3]), A, A @ TARGETS.T + [1, 2, 3], None),
]


@pytest.mark.parametrize("op, x, value, gradient", [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_values_and_gradients(op, x, value, gradient):
    x64 = Tensor(x, device="reference", requires_grad=True)
    y = op(x64)
    assert y.shape == np.shape(value)
    np.testing.assert_allclose(y.numpy(), value, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(op(Tensor(x)).numpy(), value, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(op(x).numpy(), value, rtol=2e-5, atol=2e-6, err_msg="of an array")
    if gradient is None:
        return
    u = np.broadcast_to(U, (3, 4)) if y.ndim == 2 else U[0] if y.shape == (4,) else U[:, 0]
    [found] = minimax.vjp(y, u, [x64])
    np.testing.assert_allclose(found.numpy(), gradient, rtol=1e-11, atol=1e-12)


def windows(x, kernel, stride):
    """[n, out_h, out_w, kh, kw, c] of x [n, h, w, c]."""
    view = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))
    return np.moveaxis(view[:, :: stride[0], :: stride[1]], 3, -1)


@pytest.mark.parametrize("padding, zeros", [(0, ((0, 0), (0, 0))), ("valid", ((0, 0), (0, 0))), ("same", ((0, 1), (1, 1))), (1, ((1, 1), (1, 1))), (((2, 0), (0, 1)), ((2, 0), (0, 1)))])
def test_convolutions(padding, zeros):
    x, w = rng.normal(size=(2, 6, 7, 3)), rng.normal(size=(3, 3, 3, 5))
    stride = (2, 2)
    patches = windows(np.pad(x, [(0, 0), *zeros, (0, 0)]), (3, 3), stride)
    expected = np.einsum("nyxijc,ijcd->nyxd", patches, w)
    x64, w64 = (Tensor(t, device="reference", requires_grad=True) for t in (x, w))
    y = ops.conv2d(x64, w64, stride, padding)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ops.conv2d(x, w, 2, padding).numpy(), expected, rtol=1e-4, atol=1e-4)

    u = rng.normal(size=expected.shape)
    x_grad, w_grad = minimax.vjp(y, u, [x64, w64])
    np.testing.assert_allclose(w_grad.numpy(), np.einsum("nyxijc,nyxd->ijcd", patches, u), rtol=1e-11, atol=1e-11)
    # Each is one of the family's ops.
    u64 = Tensor(u, device="reference")
    same = ops.conv_transpose2d(u64, w, stride, padding, output_size=(6, 7))
    assert np.array_equal(x_grad.numpy(), same.numpy())
    assert np.array_equal(w_grad.numpy(), ops.conv2d_weight_grad(Tensor(x, device="reference"), u64, 3, 2, padding).numpy())


def test_the_size_of_a_transposed_convolution():
    x, w = np.ones((1, 4, 5, 2)), np.ones((3, 3, 6, 2))
    shape = lambda **options: ops.conv_transpose2d(x, w, stride=2, **options).shape
    assert shape() == (1, 9, 11, 6)
    assert shape(padding=1) == (1, 7, 9, 6)
    assert shape(padding="same") == (1, 8, 10, 6)
    assert shape(padding=1, output_size=(8, 10)) == (1, 8, 10, 6)
    assert ops.conv_transpose2d(x, np.ones((3, 3, 3, 2)), groups=2).shape == (1, 6, 7, 6)


def test_pools_and_resampling():
    x = rng.normal(size=(2, 4, 6, 3))
    blocks = x.reshape(2, 2, 2, 3, 2, 3)
    x64 = Tensor(x, device="reference")
    assert np.array_equal(ops.max_pool2d(x64, 2).numpy(), blocks.max(axis=(2, 4)))
    np.testing.assert_allclose(ops.avg_pool2d(x64, 2).numpy(), blocks.mean(axis=(2, 4)), rtol=1e-12)
    overlapping = windows(x, (3, 3), (1, 1)).max(axis=(3, 4))
    assert np.array_equal(ops.max_pool2d(x64, 3, stride=1).numpy(), overlapping)
    large = ops.upsample_nearest(x64, 2)
    assert np.array_equal(large.numpy(), x.repeat(2, axis=1).repeat(2, axis=2))
    np.testing.assert_allclose(ops.upsample_nearest_grad(large, 2).numpy(), 4 * x, rtol=1e-12)
    assert ops.bilinear(x64, (8, 3)).shape == (2, 8, 3, 3)
    assert ops.bilinear_grad(ops.bilinear(x64, (8, 3)), (4, 6)).shape == x.shape
    assert ops.avg_pool2d_grad(ops.avg_pool2d(x64, 2), (4, 6), 2).shape == x.shape


def test_batch_norm():
    x, gamma, beta = rng.normal(size=(5, 2, 2, 3)), rng.normal(size=3), rng.normal(size=3)
    x64 = Tensor(x, device="reference")
    y, mean, variance = ops.batch_norm(x64, gamma, beta, epsilon=1e-3)
    np.testing.assert_allclose(mean.numpy(), x.mean((0, 1, 2)), atol=1e-12)
    np.testing.assert_allclose(variance.numpy(), x.var((0, 1, 2)), atol=1e-12)
    expected = gamma * (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-3) + beta
    np.testing.assert_allclose(y.numpy(), expected, atol=1e-12)
    again = ops.batch_norm_evaluate(x64, gamma, beta, mean, variance, epsilon=1e-3)
    np.testing.assert_allclose(again.numpy(), expected, atol=1e-12)


def test_batched_matmul_and_transposes():
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 5, 4))
    got = ops.batched_matmul(Tensor(a, device="reference"), b, transpose_b=True)
    np.testing.assert_allclose(got.numpy(), a @ b.swapaxes(1, 2), rtol=1e-12)
    got = ops.matmul(Tensor(a[0], device="reference"), b[0, :3], transpose_a=True)
    np.testing.assert_allclose(got.numpy(), a[0].T @ b[0, :3], rtol=1e-12)


def test_dropout_is_chosen_by_its_seed():
    x = Tensor(np.ones(1000), requires_grad=True)
    y = ops.dropout(x, 0.25, seed=5)
    kept = y.numpy() != 0
    assert 0.7 < kept.mean() < 0.8
    np.testing.assert_allclose(y.numpy()[kept], 1 / 0.75, rtol=1e-6)
    assert np.array_equal(y.numpy(), ops.dropout(x, 0.25, seed=5).numpy())
    assert not np.array_equal(y.numpy(), ops.dropout(x, 0.25, seed=6).numpy())
    [grad] = minimax.grad(ops.sum(y), [x])
    assert np.array_equal(grad.numpy(), y.numpy())


def test_every_op_of_the_library_is_here():
    text = (REPOSITORY / "src/ops/mod.rs").read_text()
    names = {name for line in re.findall(r"^pub use \w+::(.*?);", text, re.MULTILINE | re.DOTALL) for name in re.findall(r"\w+", line)}
    # Types; what is two or three ops in one pass; groups, which are an argument here; random numbers, which NumPy has.
    left_out = {"Axes", "Transpose", "Finish", "random_normal", "random_uniform"}
    left_out |= {"finished_conv2d", "finished_conv_transpose2d", "leaky_relu_dropout", "batch_norm_leaky_relu", "batch_norm_training"}
    left_out |= {"grouped_conv2d", "grouped_conv_transpose2d", "grouped_conv2d_weight_grad"}
    assert left_out < names
    assert set(ops.__all__) == names - left_out
