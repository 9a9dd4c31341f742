// The program of a fused call: its inputs, instructions and outputs, and how a range of its elements is computed.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "host.h"
#include "tile.h"
#include "vector_code.h"

namespace orbit {

/// How an input's elements follow from the position i of the element computed.
enum class Access : int64_t { kFull, kSuffix /* i mod period */, kPrefix /* i div period */, kScalar };
/// What an output keeps of its operand.
enum class Keep : int64_t { kFull, kChannelSum /* Σ over i mod period */, kTotal, kPerRow /* one of each `period` equal elements */ };

/// Elements are computed in tiles that stay in the first-level cache, and tiles in tasks for the threads.
class FusedProgram {
 public:
  struct Input {
    Access access;
    int64_t period;
  };
  struct Output {
    Keep keep;
    int operand;
    int64_t period;
    float scale;
  };
  /// The tasks of a number of elements, which depend on that number alone, so that sums have the same bits with any threads.
  struct Split {
    int64_t tasks;
    int64_t perTask;
  };

  /// Reads the attributes `inputs`, `constants`, `row`, `program`, `outputs` and `scales`.
  explicit FusedProgram(const Info& info);

  const std::vector<Input>& inputs() const { return inputs_; }
  const std::vector<Output>& outputs() const { return outputs_; }
  /// Numbers of an input, of an output, for a number of elements; -1 where they do not fit.
  int64_t inputSize(size_t input, int64_t size) const;
  int64_t outputSize(size_t output, int64_t size) const;
  /// Throws, naming the node, where the inputs of a number of elements have other shapes.
  void verifyInput(size_t input, int64_t size, const Dims& dims, size_t position) const;
  void verifyOutput(size_t output, int64_t size, const Dims& dims) const;
  Split split(int64_t size) const;
  /// Floats that each task needs for its part of the sums.
  int64_t partialFloats() const { return partialFloats_; }
  /// Computes the elements from `begin` to before `end`. `pastCaches`: the outputs are not read soon.
  void run(const float* const* in, float* const* out, int64_t begin, int64_t end, float* partial, bool pastCaches = false) const;
  /// Adds the tasks' sums up in their order.
  void combine(float* const* out, const float* partial, int64_t tasks) const;
  [[noreturn]] void fail(const std::string& what) const { throw Failure("node " + name_ + ": " + what); }

 private:
  struct Instruction {
    int op;
    int operands[3];
    int buffer;  // where the result goes: a temporary tile, or -1 - output when it is that output itself
  };

  int firstResult() const { return static_cast<int>(inputs_.size() + constants_.size()); }
  void readProgram(const Dims& flat);
  void chooseTile();
  void allocate();
  void compile();
  bool isScalar(int operand) const {
    return operand >= static_cast<int>(inputs_.size()) || inputs_[static_cast<size_t>(operand)].access == Access::kScalar;
  }
  bool scalarOperand(int operand) const { return operand < firstResult() && isScalar(operand); }
  /// The sum that keeps one lane per element of a tile and is folded at the end.
  bool keepsLanes(const Output& output) const {
    return output.keep == Keep::kTotal || (output.keep == Keep::kChannelSum && output.period <= tile_ && tile_ % output.period == 0);
  }
  void fold(float* sums) const;
  void runTiles(const float* const* in, float* const* out, int64_t begin, int64_t end, float* partial) const;
  void runCode(const float* const* in, float* const* out, int64_t begin, int64_t end, float* partial) const;
  void runStreams(const float* const* in, float* const* out, int64_t begin, int64_t end, bool pastCaches) const;
  void execute(const TileOps& ops, const Instruction& x, const std::vector<const float*>& at, float* to, int64_t n) const;
  const float* load(const float* source, const Input& input, int64_t s, int64_t n, float* tile, bool firstTile) const;
  void keep(const TileOps& ops, const Output& output, const float* value, float* out, float* sums, int64_t s, int64_t n) const;

  std::string name_;
  int64_t row_ = 0;
  int64_t tile_;
  int64_t stride_;  // floats from one tile to the next
  std::vector<float> constants_;
  std::vector<Input> inputs_;
  std::vector<Instruction> program_;
  std::vector<Output> outputs_;
  std::vector<int> loaded_;     // by input: its loading tile
  std::vector<int> needsTile_;  // by input or constant: the tile that a scalar fills where an instruction takes no scalars
  std::vector<int64_t> sumAt_;  // by output: where its sums lie in a task's partial sums
  int64_t partialFloats_ = 0;
  int temporaries_ = 0, loads_ = 0, spreads_ = 0;
  std::unique_ptr<VectorCode> code_;
  bool streams_ = false;  // the code alone computes: inputs and outputs are all as large as the elements, or single numbers
};

}  // namespace orbit
