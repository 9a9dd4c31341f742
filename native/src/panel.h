// Products of a few rows with a matrix that was packed once: the recurrent products of a whole sequence.
#pragma once
#include <cstddef>
#include <cstdint>

namespace orbit {

/// A matrix [k, n] as panels of `width` columns, each stored row by row and padded with zeros.
struct PanelOps {
  /// Columns of a panel.
  int64_t width;
  /// Packs panel number p of b: [k, n] with rows of n numbers, or its transpose, [n, k] with rows of k.
  void (*pack)(float* packed, const float* b, int64_t k, int64_t n, bool transposed, int64_t p);
  /// c = a · b, or c = add + a · b where `add` is no null pointer; rows of a, c and add start lda, ldc and ldadd floats apart.
  /// Each element is summed in the order of k, so that its bits do not depend on the number of rows.
  void (*multiply)(int64_t rows, int64_t n, int64_t k, const float* a, int64_t lda, const float* packed, float* c, int64_t ldc,
                   const float* add, int64_t ldadd);
};

/// The table for the instruction set of `tileOps`.
const PanelOps& panelOps();

/// Panels of a matrix of n columns.
inline int64_t panelsOf(const PanelOps& ops, int64_t n) { return (n + ops.width - 1) / ops.width; }

}  // namespace orbit
