// Machine code for a fused program: what the tile kernels compute instruction by instruction, in one loop that keeps its
// values in registers. For x86-64 with AVX2; elsewhere there is none and the tile kernels serve, with the same bits.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tile.h"

namespace orbit {

/// An elementwise program. Values are numbered: inputs, constants, results of instructions.
struct VectorProgram {
  struct Instruction {
    int op;
    int operands[3];
  };
  /// By input: whether it is a single number.
  std::vector<bool> scalar;
  std::vector<float> constants;
  std::vector<Instruction> instructions;
  /// The values that are stored, in the order of the pointers that `run` gets.
  std::vector<int> stored;
};

/// A compiled program; may run on many threads at a time.
class VectorCode {
 public:
  virtual ~VectorCode() = default;
  /// Floats of the area that `prepare` fills, which begins at a multiple of 32 bytes.
  virtual size_t areaFloats() const = 0;
  /// Writes the numbers that all elements share; `in` as for `run`.
  virtual void prepare(const float* const* in, float* area) const = 0;
  /// Computes n elements: in[i] points at the first of them, or at the number itself.
  virtual void run(const float* const* in, float* const* out, const float* area, int64_t n) const = 0;
  /// As `run`, with stores that go past the caches. Every out[k] begins at a multiple of 32 bytes.
  virtual void runPastCaches(const float* const* in, float* const* out, const float* area, int64_t n) const = 0;
};

/// Machine code for a program; nullptr where the processor, the cap on its instruction set or an instruction stands against it.
std::unique_ptr<VectorCode> compileVectors(const VectorProgram& program);

}  // namespace orbit
