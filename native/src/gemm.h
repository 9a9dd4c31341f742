// Products of small blocks of matrices, and the softmax between two of them. One table per instruction set.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>

#include "host.h"

namespace orbit {

/// How a left matrix lies in memory: row by row, or column by column (a transposed matrix, or one packed in panels of rows).
enum Left : int { kByRows, kByColumns };

struct GemmOps {
  /// Rows and columns of the block that stays in registers.
  int64_t rows, columns;
  /// c = alpha · a · b, or c + alpha · a · b, with at most `rows` rows and exactly `columns` columns. `a` steps by `aStride` from
  /// row to row (kByRows) or from column to column (kByColumns); b and c from row to row.
  void (*multiply[2])(int64_t rows, int64_t k, const float* a, int64_t aStride, const float* b, int64_t bStride, float* c, int64_t cStride,
                      float alpha, bool add);
  /// x = e^(x + mask - max) with the largest x + mask as max; the mask may be null. Gives max and the sum.
  void (*softmax)(float* x, const float* mask, int64_t n, float* max, float* sum);
  /// x = e^(x + mask - max) · factor, from the numbers that `softmax` gave.
  void (*softmaxAgain)(float* x, const float* mask, int64_t n, float max, float factor);
  /// dp = p · (dp - Σ p · dp)
  void (*softmaxGradient)(float* dp, const float* p, int64_t n);
  /// Packs x[k, n] into panels of `columns` columns, each stored row by row and padded with zeros.
  void (*pack)(float* to, const float* x, int64_t stride, int64_t k, int64_t n);
  /// As `pack`, of the transpose of x[n, k].
  void (*packTransposed)(float* to, const float* x, int64_t stride, int64_t k, int64_t n);
  /// Packs `rows` columns of x[k, …], the rows of its transpose, into one panel that steps by GemmOps::rows from column to column.
  void (*packRows)(float* to, const float* x, int64_t stride, int64_t k, int64_t rows);
  /// The largest Euclidean norm of a row; infinite where a number is not finite.
  float (*largestNorm)(const float* x, int64_t stride, int64_t rows, int64_t n);
};

/// The best table for this processor, below the cap in ONEDNN_MAX_CPU_ISA.
const GemmOps& gemmOps();

/// Runs tasks on the pool, each with `floats` floats of memory that its worker hands on from task to task.
void forTasks(const Context& context, int64_t tasks, int64_t floats, const std::function<void(int64_t task, float* memory)>& run);

/// Floats up to a whole line of the cache.
inline int64_t wholeLines(int64_t floats) { return (floats + 15) / 16 * 16; }

}  // namespace orbit
