// What the yardstick needs of libtorch and tch does not bind: one of a convolution's gradients without the
// other, batch norm's gradient, leaky ReLU of any slope, the fused Adam, averages of many tensors and the
// reader of MNIST. A tensor of tch is an at::Tensor*.
//
// Each function returns null, or what went wrong as a string that lives until the thread's next error.
// What `out` is set to is the caller's.
#include <torch/torch.h>
#include <torch/version.h>

#include <array>
#include <string>
#include <vector>

namespace {

template <typename F>
const char* guarded(F f) {
  static thread_local std::string message;
  try {
    f();
    return nullptr;
  } catch (const std::exception& error) {
    message = error.what();
    return message.c_str();
  }
}

std::vector<at::Tensor> list(const at::Tensor* const* tensors, size_t count) {
  std::vector<at::Tensor> all;
  all.reserve(count);
  for (size_t i = 0; i < count; ++i) all.push_back(*tensors[i]);
  return all;
}

}  // namespace

extern "C" {

const char* yardstick_version() { return TORCH_VERSION; }

const char* yardstick_leaky_relu(at::Tensor** out, const at::Tensor* x, double slope) {
  return guarded([&] { *out = new at::Tensor(at::leaky_relu(*x, slope)); });
}

// The gradient of the input, if `want_input`, else that of the weight.
const char* yardstick_convolution_backward(at::Tensor** out, const at::Tensor* grad, const at::Tensor* x,
                                           const at::Tensor* weight, const int64_t* stride,
                                           const int64_t* padding, bool transposed,
                                           const int64_t* output_padding, bool want_input) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    const std::array<int64_t, 2> dilation{1, 1};
    const auto pair = [](const int64_t* values) { return at::IntArrayRef(values, 2); };
    auto grads = at::convolution_backward(*grad, *x, *weight, at::OptionalIntArrayRef(), pair(stride),
                                          pair(padding), dilation, transposed, pair(output_padding), 1,
                                          {want_input, !want_input, false});
    *out = new at::Tensor(want_input ? std::get<0>(grads) : std::get<1>(grads));
  });
}

// All three gradients, from what the forward pass saved; only the input's is handed on.
const char* yardstick_batch_norm_backward(at::Tensor** out, const at::Tensor* grad, const at::Tensor* x,
                                          const at::Tensor* gamma, const at::Tensor* mean,
                                          const at::Tensor* inverse_deviation, double epsilon) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    auto grads = at::native_batch_norm_backward(*grad, *x, *gamma, {}, {}, *mean, *inverse_deviation,
                                                /*train=*/true, epsilon, {true, true, true});
    *out = new at::Tensor(std::get<0>(grads));
  });
}

// Step number `step`, counted from 1, over `count` parameters and their moments, in place. The fused kernel
// reads memory straight through, so a gradient must lie in memory as its parameter does; one that doesn't is
// copied, as autograd does before it stores one in `.grad`.
const char* yardstick_fused_adam(const at::Tensor* const* parameters, const at::Tensor* const* grads,
                                 const at::Tensor* const* first, const at::Tensor* const* second,
                                 size_t count, double step, double learning_rate, double beta1, double beta2,
                                 double epsilon) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    const std::vector<at::Tensor> steps(count, at::scalar_tensor(step, at::kFloat));
    auto gradients = list(grads, count);
    for (size_t i = 0; i < count; ++i) {
      if (gradients[i].strides() != parameters[i]->strides()) {
        gradients[i] = at::empty_like(*parameters[i]).copy_(gradients[i]);
      }
    }
    at::_fused_adam_(list(parameters, count), gradients, list(first, count), list(second, count), {},
                     steps, learning_rate, beta1, beta2, /*weight_decay=*/0.0, epsilon, /*amsgrad=*/false,
                     /*maximize=*/false);
  });
}

// Each of `count` averages moved towards its weights by `share` of the way, in place.
const char* yardstick_lerp(const at::Tensor* const* averages, const at::Tensor* const* weights, size_t count,
                           double share) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    at::_foreach_lerp_(list(averages, count), list(weights, count), at::Scalar(share));
  });
}

// The training images in `folder` as floats in [0, 1].
const char* yardstick_read_mnist(at::Tensor** out, const char* folder) {
  return guarded([&] { *out = new at::Tensor(torch::data::datasets::MNIST(folder).images()); });
}
}
