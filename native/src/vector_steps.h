// A fused program in steps that are one instruction of the processor each, on vectors of eight floats.
#pragma once
#include <cstdint>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "vector_code.h"

namespace orbit {

enum class Step {
  kLoad,       // input `immediate`
  kStore,      // a, as output `immediate`
  kAdd, kSub, kMul, kDiv,
  kMax, kMin,  // the second operand where one is NaN
  kSqrt,
  kFma,        // a · b + c
  kCompare,    // all bits set where the comparison `immediate` holds
  kAnd, kOr, kXor,
  kBlend,      // b where the mask c is set, else a
  kAddInt, kSubInt, kShiftLeft, kShiftRight, kToFloat,
};

/// An operand: the result of an earlier step, or from -1 downwards an entry of the pool.
using Operand = int;

struct VectorStep {
  Step step;
  Operand a, b, c;
  int immediate;
};

/// A number that all elements share: an input, or bits known beforehand.
struct PoolEntry {
  int input;  // -1: the bits
  uint32_t bits;
};

struct VectorSteps {
  std::vector<VectorStep> steps;
  std::vector<PoolEntry> pool;
};

/// The comparisons of AVX that are used.
enum Comparison { kEqualTo = 0x00, kLessThan = 0x11, kGreaterThan = 0x1e, kAtLeast = 0x1d, kAtMost = 0x12, kUnequal = 0x04, kUnordered = 0x03 };

/// The steps of a program; false where it has an instruction that works on rows.
bool vectorSteps(const VectorProgram& program, VectorSteps& out);

}  // namespace orbit
