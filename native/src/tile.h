// Elementwise arithmetic on tiles of floats that stay in the first-level cache. One table per instruction set.
#pragma once
#include <cstddef>

namespace orbit {

/// Instructions of a fused program. The numbers are the ones that src/function/graph/fusion writes.
enum Opcode : int {
  kAdd, kSub, kMul, kDiv, kMax, kMin, kGreater, kGreaterEqual, kLess, kLessEqual, kEqual, kNotEqual, kAnd, kOr,
  kSquaredDifference, kReluGrad, kBinaryEnd,
  kNeg = kBinaryEnd, kAbs, kSquare, kSqrt, kRsqrt, kReciprocal, kExp, kLog, kTanh, kSigmoid, kRelu, kStep, kErf, kNot, kSign,
  kIsNan, kCopy, kRelu6, kUnaryEnd,
  kSelect = kUnaryEnd, kRowSum, kRowMax, kOpcodeEnd,
};

/// What a binary instruction's operands are.
enum Form { kVectorVector, kVectorScalar, kScalarVector, kForms };

struct TileOps {
  void (*binary[kBinaryEnd][kForms])(float* out, const float* a, const float* b, size_t n);
  void (*unary[kUnaryEnd - kBinaryEnd])(float* out, const float* a, size_t n);
  void (*select)(float* out, const float* condition, const float* a, const float* b, size_t n);
  /// out += a
  void (*accumulate)(float* out, const float* a, size_t n);
  float (*sum)(const float* a, size_t n);
  float (*max)(const float* a, size_t n);
  void (*fill)(float* out, float value, size_t n);
  /// out = max(out, x), where NaN in x counts for nothing.
  void (*larger)(float* out, const float* x, size_t n);
  /// Where x exceeds best: best = x, place = at.
  void (*raise)(float* best, float* place, const float* x, float at, size_t n);
  /// As raise, also where x equals best.
  void (*reach)(float* best, float* place, const float* x, float at, size_t n);
  /// out += a where place = at
  void (*addWhere)(float* out, const float* a, const float* place, float at, size_t n);
  /// out += a · factor
  void (*addScaled)(float* out, const float* a, float factor, size_t n);
};

/// The best table for this processor, below the cap in ONEDNN_MAX_CPU_ISA.
const TileOps& tileOps();
/// Name of the instruction set of `tileOps`.
const char* tileOpsName();

}  // namespace orbit
