"""Gradients, recording, and the check of a Python function."""

import threading

import minimax
import numpy as np
import pytest
from minimax import Tensor, ops

rng = np.random.default_rng(4)


def parameter(values):
    return Tensor(values, device="reference", requires_grad=True)


def test_gradients_of_several_inputs_and_of_one_that_is_not_used():
    w, b, other = parameter(3.0), parameter(1.0), parameter([1.0, 2.0])
    y = ops.square(w * 2 + b)
    grads = minimax.grad(y, [w, b, other])
    assert [grad.numpy().tolist() for grad in grads] == [28, 14, [0, 0]]
    assert not grads[0].requires_grad


def test_gradients_of_gradients():
    x = parameter([1.0, 2.0])
    [first] = minimax.grad(ops.sum(ops.exp(x * x)), [x], create_graph=True)
    [second] = minimax.grad(ops.sum(first), [x])
    values = x.numpy()
    np.testing.assert_allclose(first.numpy(), 2 * values * np.exp(values**2))
    np.testing.assert_allclose(second.numpy(), (2 + 4 * values**2) * np.exp(values**2))


def test_what_grad_refuses():
    x = parameter([1.0, 2.0])
    with pytest.raises(ValueError, match="must hold one value"):
        minimax.grad(x * 2, [x])
    with pytest.raises(ValueError, match="input 1 is a constant"):
        minimax.grad(ops.sum(x), [x, Tensor([1.0])])
    with pytest.raises(ValueError, match="one shape"):
        minimax.vjp(x * 2, [1, 2, 3], [x])


def test_no_grad_is_of_a_block_a_function_and_a_thread():
    x = parameter([1.0])

    @minimax.no_grad()
    def evaluate():
        return x * 2

    elsewhere = []
    with minimax.no_grad():
        with minimax.no_grad():
            assert not (x * 2).requires_grad
        assert not (x * 2).requires_grad
        thread = threading.Thread(target=lambda: elsewhere.append((x * 2).requires_grad))
        thread.start()
        thread.join()
    assert elsewhere == [True]
    with pytest.raises(RuntimeError), minimax.no_grad():
        raise RuntimeError
    assert (x * 2).requires_grad and not evaluate().requires_grad


@pytest.mark.parametrize("order, limit", [(1, 1e-7), (2, 1e-5)])
def test_a_right_function_passes(order, limit):
    def function(x, w):
        y = ops.tanh(x @ w)
        return y, ops.log_softmax(y, axis=0)

    inputs = [rng.normal(size=(4, 3)), Tensor(rng.normal(size=(3, 2)))]
    errors = minimax.gradcheck(function, inputs, order=order)
    names = ["input 0 [4, 3]", "input 1 [3, 2]"] + ["cotangents"] * (order == 2)
    assert list(errors) == names
    assert all(0 <= error <= limit for error in errors.values())


def straight_through(x, value, gradient):
    """value(x), said to have the gradient of gradient(x)."""
    said = gradient(x)
    return said + (value(x) - said).detach()


def test_a_wrong_rule_fails_and_its_input_is_named():
    def wrong(x, w):
        return ops.square(x) * straight_through(w, ops.exp, ops.square)

    inputs = [rng.normal(size=3), rng.normal(size=3)]
    with pytest.raises(minimax.Error, match=r"order 1 .*: input 1 \[3\]: \d.*e") as error:
        minimax.gradcheck(wrong, inputs)
    assert "input 0" not in str(error.value)
    with pytest.raises(minimax.Error, match="order 2"):
        minimax.gradcheck(wrong, inputs, order=2)
    assert set(minimax.gradcheck(wrong, inputs, limit=1e9)) == {"input 0 [3]", "input 1 [3]"}


def test_what_a_checked_function_does_wrong_is_raised():
    def fails(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        minimax.gradcheck(fails, [[1.0]])
    with pytest.raises(ValueError, match="matmul"):
        minimax.gradcheck(lambda x: x @ x, [[1.0, 2.0]])
    with pytest.raises(TypeError, match="gives <class 'float'>"):
        minimax.gradcheck(lambda x: x.item(), [1.0])
    with pytest.raises(ValueError, match="order 3"):
        minimax.gradcheck(ops.exp, [[1.0]], order=3)
    with pytest.raises(ValueError, match="no_grad"), minimax.no_grad():
        minimax.gradcheck(ops.exp, [[1.0]])
