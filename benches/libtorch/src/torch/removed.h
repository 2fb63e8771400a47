// Functions that tch 0.26, made for PyTorch 2.13, binds and that PyTorch 2.15 no longer has. Nothing here
// calls them; they stand in so that the bindings compile.
#pragma once
#include <torch/torch.h>

namespace torch {

inline at::Tensor cholesky(const at::Tensor&, bool) {
  TORCH_CHECK(false, "cholesky was removed");
}
inline at::Tensor& cholesky_out(at::Tensor&, const at::Tensor&, bool) {
  TORCH_CHECK(false, "cholesky was removed");
}
inline std::tuple<at::Tensor, at::Tensor> qr(const at::Tensor&, bool) {
  TORCH_CHECK(false, "qr was removed");
}
inline std::tuple<at::Tensor&, at::Tensor&> qr_out(at::Tensor&, at::Tensor&, const at::Tensor&, bool) {
  TORCH_CHECK(false, "qr was removed");
}

}  // namespace torch
