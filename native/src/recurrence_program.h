// The program of orbit.Recurrence: what its attributes say, and where its values lie.
#pragma once
#include <string>
#include <vector>

#include "host.h"
#include "panel.h"
#include "tile.h"

namespace orbit {
namespace recurrence {

/// Instructions besides the ones of tile.h. The numbers are the ones that src/function/graph/recurrence writes.
enum : int { kProduct = 100, kProductTransposed = 101, kSpread = 102, kAccumulate = 103 };

/// What a value is: a slice of a stack [steps, rows, width], the same matrix [rows, width], vector or number in each step, a
/// state, the result of an instruction, or some columns of another value.
enum class Kind : int { kSlice, kFixed, kVector, kScalar, kConstant, kState, kResult, kColumns };

enum class Gives : int { kLast, kStack, kSum };

/// Where a value lies. `kBuffer` holds all rows of a task, `kChunk` the rows that instructions compute together.
enum class Where { kInput, kConstant, kState, kBuffer, kChunk, kOutput };

/// Floats of all chunks together, so that they stay in the first-level cache.
constexpr int64_t kChunkFloats = 5120;

struct Value {
  Kind kind;
  int source;
  int64_t offset;
  int64_t width;
  // Where it lies; columns lie where the value does that they belong to.
  Where where = Where::kBuffer;
  int index = 0;       // of the input, constant, state or output
  int64_t at = 0;      // floats from there
  int64_t ld = 0;      // floats from row to row
  int64_t stride = 0;  // floats from step to step
};

struct Instruction {
  int op;
  int out;
  int operands[3];
  bool dense = false;  // rows lie side by side: one call for all
  Form form = kVectorVector;
  int matrix = -1;
};

struct Matrix {
  int input;
  bool transposed;
  int64_t k, n, at;
};

struct State {
  int next;
  int initial;
  int value;
};

struct Output {
  Gives gives;
  int source;
  Dims dims;
};

/// Instructions that run together on some rows at a time, or one product.
struct Segment {
  int first, last;
  int64_t rows;
};

/// A program as the attributes of a node give it, ready to run.
class RecurrenceProgram {
 public:
  explicit RecurrenceProgram(const Info& info);

 protected:
  [[noreturn]] void fail(const std::string& what) const;
  Value& value(int64_t i);
  /// The value that a value is columns of, or itself.
  int rootOf(int v) const;
  bool isScalar(int v) const;
  void readValues(const Dims& flat);
  void readStates(const Dims& flat);
  void readOutputs(const Dims& flat, const std::vector<Dims>& shapes);
  int makeResult(int64_t width);
  /// A value that is an output's memory.
  int makeOutput(int output, int64_t width, bool stack);
  void add(int op, int out, int a, int b = -1, int c = -1);
  void readProgram(const Dims& flat);
  void readInstruction(const int64_t* flat);
  /// Lets the instruction that computes a state's next value write it in the state's place when nothing reads the old one after that;
  /// otherwise copies it at the end of the step.
  void handOn(int state);
  /// Instructions take numbers beside vectors in one operand of two; others read a vector of equal numbers.
  void spreadScalars();
  static bool isProduct(const Instruction& x);
  /// Cuts the program at its products.
  void cut();
  /// Resolves columns, gives buffers and states their place, and finds out where rows lie side by side.
  void finish();
  void verify(const Context& context);

  std::string name_;
  int64_t steps_, rows_;
  bool reverse_;
  std::vector<float> constants_;
  const TileOps& ops_;
  const PanelOps& panels_;
  std::vector<Value> values_;
  std::vector<State> states_;
  std::vector<Output> outputs_;
  std::vector<Instruction> program_;
  std::vector<Matrix> matrices_;
  std::vector<Segment> segments_;
  std::vector<int64_t> stateAt_;
  std::vector<int64_t> offset_;  // of columns in their value
  int64_t packedFloats_ = 0;
  int64_t rowFloats_ = 0;
  int64_t chunkFloats_ = 0;
  bool verified_ = false;
};

}  // namespace recurrence
}  // namespace orbit
