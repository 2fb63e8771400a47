"""Tensors from NumPy and to it, operators, and errors."""

import gc

import minimax
import numpy as np
import pytest
from minimax import Tensor, ops


def test_the_device_fixes_the_element_type():
    values = [[0.1, 1.0], [2.0, 3.0]]
    for device, dtype in [("cpu", np.float32), ("reference", np.float64)]:
        x = Tensor(values, device=device)
        assert (x.device, x.shape, x.ndim, x.size) == (device, (2, 2), 2, 4)
        assert x.numpy().dtype == dtype
        assert np.array_equal(x.numpy(), np.array(values, dtype))
    assert np.array_equal(x.to("cpu").numpy(), np.array(values, np.float32))


@pytest.mark.parametrize("shape", [(), (1,), (0, 3), (2, 3, 4), (1, 2, 1, 2, 1, 2)])
def test_every_shape_comes_back(shape):
    values = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    assert np.array_equal(Tensor(values).numpy(), values)
    assert np.array_equal(Tensor(values.T).numpy(), values.T), "an array that isn't contiguous"


def test_an_array_is_copied_in():
    values = np.ones(3, np.float32)
    x = Tensor(values)
    values[:] = 2
    assert x.numpy().tolist() == [1, 1, 1]


@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_a_view_shares_memory_is_read_only_and_outlives_its_tensor(device):
    x = Tensor(np.arange(100_000), device=device)
    view, again = x.numpy(), np.asarray(x)
    assert np.shares_memory(view, again)
    assert np.shares_memory(view, ops.reshape(x, [10, 10_000]).numpy()), "a reshape has the same values"
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    with pytest.raises(ValueError):
        view.flags.writeable = True
    expected = np.arange(100_000)
    del x, again
    gc.collect()
    # What memory is given back is given out again.
    others = [Tensor(np.full(100_000, -1.0), device=device) for _ in range(8)]
    assert np.array_equal(view, expected)
    del others


def test_operators_take_tensors_arrays_and_numbers_on_either_side():
    a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.5, -1.0], [2.0, 8.0]])
    x = Tensor(a, device="reference")
    for other in [b, Tensor(b, device="reference"), 2.5, b.tolist()]:
        plain = b if isinstance(other, (Tensor, list)) else other
        for got, expected in [
            (x + other, a + plain),
            (x - other, a - plain),
            (x * other, a * plain),
            (x / other, a / plain),
            (other + x, plain + a),
            (other - x, plain - a),
            (other * x, plain * a),
            (other / x, plain / a),
            (-x, -a),
        ]:
            assert isinstance(got, Tensor)
            assert np.array_equal(got.numpy(), expected)
    assert np.allclose((x @ b).numpy(), a @ b)
    assert np.allclose((b @ x).numpy(), b @ a)
    batch = np.stack([a, b])
    assert np.allclose((Tensor(batch, device="reference") @ batch).numpy(), batch @ batch)


def test_what_it_shows():
    assert repr(Tensor([1.0, 2.5])) == 'Tensor([1. , 2.5], device="cpu")'
    assert repr(Tensor(3, "reference", requires_grad=True)) == 'Tensor(3., device="reference", requires_grad=True)'
    assert Tensor([[7.0]]).item() == float(Tensor(7)) == 7
    assert Tensor(2) and not Tensor(0)


def test_shapes_that_do_not_fit_are_a_value_error_with_the_op_and_the_shapes():
    with pytest.raises(ValueError, match=r"matmul.*\[2, 3\].*\[4, 5\]"):
        ops.matmul(np.ones((2, 3)), np.ones((4, 5)))
    with pytest.raises(ValueError, match=r"\[2\].*\[3\]"):
        Tensor([1, 2]) + Tensor([1, 2, 3])
    with pytest.raises(ValueError, match="one device"):
        Tensor([1]) + Tensor([1], device="reference")
    with pytest.raises(ValueError, match="axis 2 of a tensor of 2 axes"):
        ops.sum(np.ones((2, 2)), axis=2)
    with pytest.raises(ValueError, match=r"reshape: to \[-1, -1\]"):
        ops.reshape(np.ones(4), (-1, -1))
    with pytest.raises(ValueError, match="axes"):
        Tensor(np.ones([1] * 7))
    for one in [Tensor.item, float, bool]:
        with pytest.raises(ValueError, match="holds 2 values"):
            one(Tensor([1, 2]))
    with pytest.raises(ValueError, match=r"^conv2d: input \[3\]"):
        ops.conv2d(np.ones(3), np.ones(3), padding="same")
    with pytest.raises(ValueError):
        Tensor([[1], [2, 3]])


def test_an_argument_that_is_none_of_what_it_may_be_is_said():
    x, w = np.ones((1, 4, 4, 1)), np.ones((3, 3, 1, 1))
    with pytest.raises(TypeError, match=r"^a number, 0 at least, or \(rows, columns\), not 'a'"):
        ops.conv2d(x, w, stride="a")
    with pytest.raises(TypeError, match="^\"same\", .*, not 'both'"):
        ops.conv2d(x, w, padding="both")
    with pytest.raises(TypeError, match="^an axis or several, not 1.5"):
        ops.sum(x, axis=1.5)


def test_a_device_that_is_not_there_is_an_error():
    with pytest.raises(minimax.Error, match='device "gpu": no such device'):
        Tensor([1], device="gpu")
    with pytest.raises(minimax.Error, match="cuda"):
        Tensor([1], device="cuda:99")


def test_nothing_is_said_on_the_standard_error(capfd):
    for call in [lambda: ops.matmul([1], [2]), lambda: Tensor([1], device="gpu"), lambda: minimax.load("nowhere")]:
        with pytest.raises((ValueError, minimax.Error)):
            call()
    assert capfd.readouterr() == ("", "")
