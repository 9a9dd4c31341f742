// The arithmetic of 3×3 convolutions by Winograd's F(2×2, 3×3): 16 products for 4 pixels instead of 36. One table per
// instruction set.
#pragma once
#include <cstddef>

namespace orbit {

/// Elements of a transformed patch, filter or tile.
constexpr size_t kWinograd = 16;

/// How a sum of products reads its factors: c[r][j] (+)= Σ_k a[r · aRow + k · aStep] · b[k · bStep + j].
struct Product {
  const float* a;
  size_t aRow, aStep;
  const float* b;
  size_t bStep;
  float* c;
  size_t cRow;
  size_t rows, depth;
  bool add;
};

struct WinogradOps {
  /// Floats of a vector; channels must be multiples of it.
  size_t lanes;
  /// Bᵀ d B of a 4×4 patch: `at` holds its 16 pixels' first channels; element i of channel c goes to to[i · step + c].
  void (*patch)(const float* const* at, float* to, size_t step, size_t channels);
  /// A y Aᵀ of a 2×2 tile.
  void (*tile)(const float* const* at, float* to, size_t step, size_t channels);
  /// Aᵀ m A, then bias and relu: the 2×2 tile of results, at to[0 … 3] (nullptr for a pixel outside the image).
  void (*pixels)(const float* from, size_t step, float* const* to, const float* bias, bool relu, size_t channels);
  /// G g Gᵀ of filters whose 9 elements are `tap` floats apart, `channels` of them side by side.
  void (*filter)(const float* from, ptrdiff_t tap, ptrdiff_t between, float* to, size_t step, size_t channels);
  /// Gᵀ u G: the gradient by the filter.
  void (*taps)(const float* from, size_t step, float* to, size_t tap, size_t channels);
  /// A product with `2 · lanes` columns (`wide`) or `lanes`.
  void (*multiply)(const Product& product, bool wide);
};

}  // namespace orbit
