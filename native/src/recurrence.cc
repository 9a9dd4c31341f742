// orbit.Recurrence: a loop over time steps whose rows do not depend on one another, such as the ones of recurrent layers and
// of their gradients. Each thread runs the whole sequence for some of the rows: matrices are packed once, states and what a
// step computes for itself stay in the cache, and no thread waits for another.
#include <algorithm>
#include <cstring>
#include <map>

#include "host.h"
#include "panel.h"
#include "tile.h"
#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace orbit {
namespace {

/// While one lives, its thread takes numbers below 1.2e-38 for zero. Gradients that vanish over the steps would otherwise be
/// computed with such numbers for a long time, at a hundredth of the speed.
class TinyIsZero {
 public:
#if defined(__x86_64__) || defined(_M_X64)
  TinyIsZero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~TinyIsZero() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  TinyIsZero() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | (uint64_t{1} << 24)));
  }
  ~TinyIsZero() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  uint64_t before_ = 0;
#endif
};

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

/// The first line of the cache in some memory.
uintptr_t line(void* memory) { return (reinterpret_cast<uintptr_t>(memory) + 63) & ~uintptr_t{63}; }

/// Instructions that run together on some rows at a time, or one product.
struct Segment {
  int first, last;
  int64_t rows;
};

class Recurrence final : public Kernel {
 public:
  explicit Recurrence(const Info& info)
      : name_(info.nodeName()), steps_(info.integer("steps")), rows_(info.integer("rows")), reverse_(info.integer("reverse") != 0),
        constants_(info.floats("constants")), ops_(tileOps()), panels_(panelOps()) {
    if (steps_ < 1 || rows_ < 1) fail("a loop of " + std::to_string(steps_) + " steps over " + std::to_string(rows_) + " rows");
    readValues(info.ints("values"));
    readStates(info.ints("states"));
    readOutputs(info.ints("outputs"), splitShapes(info.ints("shapes")));
    readProgram(info.ints("program"));
    cut();
    finish();
  }

  void run(const Context& context) override {
    if (!verified_) verify(context);
    std::vector<const float*> in(context.inputCount());
    for (size_t i = 0; i < in.size(); i++) in[i] = context.input(i);
    std::vector<float*> out(outputs_.size());
    for (size_t i = 0; i < out.size(); i++) out[i] = context.output(i, outputs_[i].dims);
    auto* packed = reinterpret_cast<float*>(line(context.scratch(static_cast<size_t>(packedFloats_ + 16) * sizeof(float))));
    pack(context, in, packed);
    // Every row is computed alike by whichever task has it: the number of tasks does not show in the bits.
    int64_t tasks = std::min<int64_t>(rows_, poolThreads());
    int64_t floats = (rowFloats_ * ((rows_ + tasks - 1) / tasks) + chunkFloats_ + 15) / 16 * 16;
    auto* memory = reinterpret_cast<float*>(line(context.scratch(static_cast<size_t>(tasks * floats + 16) * sizeof(float))));
    context.parallel(static_cast<size_t>(tasks), [&](size_t t) {
      int64_t first = rows_ * static_cast<int64_t>(t) / tasks, last = rows_ * static_cast<int64_t>(t + 1) / tasks;
      runRows(in, out, packed, first, last - first, memory + static_cast<int64_t>(t) * floats);
    });
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Failure("node " + name_ + ": " + what); }

  Value& value(int64_t i) {
    if (i < 0 || i >= static_cast<int64_t>(values_.size())) fail("there is no value " + std::to_string(i));
    return values_[static_cast<size_t>(i)];
  }

  /// The value that a value is columns of, or itself.
  int rootOf(int v) const {
    while (values_[static_cast<size_t>(v)].kind == Kind::kColumns) v = values_[static_cast<size_t>(v)].source;
    return v;
  }

  bool isScalar(int v) const {
    Kind kind = values_[static_cast<size_t>(v)].kind;
    return kind == Kind::kScalar || kind == Kind::kConstant;
  }

  void readValues(const Dims& flat) {
    if (flat.size() % 4 != 0) fail("the values are cut off");
    for (size_t i = 0; i < flat.size(); i += 4) {
      if (flat[i] < 0 || flat[i] > static_cast<int>(Kind::kColumns) || flat[i + 1] < 0 || flat[i + 3] < 1) fail("an unknown kind of value");
      Value v;
      v.kind = static_cast<Kind>(flat[i]);
      v.source = static_cast<int>(flat[i + 1]);
      v.offset = flat[i + 2];
      v.width = flat[i + 3];
      values_.push_back(v);
    }
    for (Value& v : values_) {
      v.index = v.source;
      v.ld = v.width;
      switch (v.kind) {
        case Kind::kSlice:
          v.where = Where::kInput;
          v.stride = rows_ * v.width;
          break;
        case Kind::kFixed:
          v.where = Where::kInput;
          break;
        case Kind::kVector:
        case Kind::kScalar:
          v.where = Where::kInput;
          v.ld = 0;
          break;
        case Kind::kConstant:
          if (v.source >= static_cast<int>(constants_.size())) fail("there is no constant " + std::to_string(v.source));
          v.where = Where::kConstant;
          v.ld = 0;
          break;
        case Kind::kState:
          v.where = Where::kState;
          break;
        case Kind::kResult:
          break;
        case Kind::kColumns: {
          // Values that lie in later ones make no circle: each is wider than its columns, or as wide and their only name.
          int64_t from = 0;
          int base = static_cast<int>(&v - values_.data());
          for (size_t depth = 0; values_[static_cast<size_t>(base)].kind == Kind::kColumns; depth++) {
            const Value& inner = values_[static_cast<size_t>(base)];
            if (depth > values_.size() || inner.source >= static_cast<int>(values_.size())) fail("columns of no value");
            if (inner.offset < 0 || inner.offset + inner.width > values_[static_cast<size_t>(inner.source)].width) fail("columns outside their value");
            from += inner.offset;
            base = inner.source;
          }
          v.at = from;
          break;
        }
      }
    }
  }

  void readStates(const Dims& flat) {
    for (size_t i = 0; i + 1 < flat.size(); i += 2) states_.push_back({static_cast<int>(flat[i]), static_cast<int>(flat[i + 1]), -1});
    for (size_t i = 0; i < values_.size(); i++) {
      if (values_[i].kind != Kind::kState) continue;
      if (values_[i].source >= static_cast<int>(states_.size())) fail("there is no state " + std::to_string(values_[i].source));
      states_[static_cast<size_t>(values_[i].source)].value = static_cast<int>(i);
    }
    for (const State& s : states_)
      if (s.value < 0 || value(s.next).width != value(s.value).width || isScalar(s.next) || value(s.next).ld == 0) fail("a state changes its shape");
  }

  void readOutputs(const Dims& flat, const std::vector<Dims>& shapes) {
    if (flat.size() != 2 * shapes.size()) fail("outputs and shapes do not fit");
    for (size_t i = 0; i < shapes.size(); i++) {
      Output out{static_cast<Gives>(flat[2 * i]), static_cast<int>(flat[2 * i + 1]), shapes[i]};
      if (out.gives == Gives::kLast && (out.source < 0 || out.source >= static_cast<int>(states_.size()))) fail("an output of no state");
      int64_t width = value(out.gives == Gives::kLast ? states_[static_cast<size_t>(out.source)].value : out.source).width;
      int64_t wanted = rows_ * width * (out.gives == Gives::kStack ? steps_ : 1);
      if (product(out.dims) != wanted) fail("an output of shape " + text(out.dims) + " cannot hold " + std::to_string(wanted) + " numbers");
      outputs_.push_back(out);
    }
  }

  int makeResult(int64_t width) {
    Value v;
    v.kind = Kind::kResult;
    v.source = 0;
    v.offset = 0;
    v.width = v.ld = width;
    values_.push_back(v);
    return static_cast<int>(values_.size()) - 1;
  }

  /// A value that is an output's memory.
  int makeOutput(int output, int64_t width, bool stack) {
    int v = makeResult(width);
    Value& made = values_.back();
    made.where = Where::kOutput;
    made.index = output;
    made.stride = stack ? rows_ * width : 0;
    return v;
  }

  void add(int op, int out, int a, int b = -1, int c = -1) {
    Instruction x{op, out, {a, b, c}};
    program_.push_back(x);
  }

  void readProgram(const Dims& flat) {
    if (flat.size() % 5 != 0) fail("the program is cut off");
    // Values before they change, then the step, then what it hands on.
    for (size_t o = 0; o < outputs_.size(); o++)
      if (outputs_[o].gives == Gives::kStack && value(rootOf(outputs_[o].source)).kind == Kind::kState)
        add(kCopy, makeOutput(static_cast<int>(o), value(outputs_[o].source).width, true), outputs_[o].source);
    for (size_t i = 0; i < flat.size(); i += 5) readInstruction(&flat[i]);
    std::vector<bool> direct(values_.size(), false);
    for (size_t o = 0; o < outputs_.size(); o++) {
      const Output& output = outputs_[o];
      if (output.gives == Gives::kLast) continue;
      int v = output.source;
      Value& given = value(v);
      if (output.gives == Gives::kSum) {
        add(kAccumulate, makeOutput(static_cast<int>(o), given.width, false), v);
      } else if (value(rootOf(v)).kind != Kind::kState) {
        if (given.kind == Kind::kResult && given.where == Where::kBuffer && !direct[static_cast<size_t>(v)]) {
          direct[static_cast<size_t>(v)] = true;
          given.where = Where::kOutput;
          given.index = static_cast<int>(o);
          given.stride = rows_ * given.width;
        } else {
          int width = static_cast<int>(given.width);
          add(kCopy, makeOutput(static_cast<int>(o), width, true), v);
        }
      }
    }
    // A state that becomes what another one was is read before that one changes.
    for (State& s : states_) {
      if (s.next == s.value || value(rootOf(s.next)).kind != Kind::kState) continue;
      int copy = makeResult(value(s.next).width);
      add(kCopy, copy, s.next);
      s.next = copy;
    }
    for (size_t i = 0; i < states_.size(); i++) handOn(static_cast<int>(i));
    spreadScalars();
  }

  void readInstruction(const int64_t* flat) {
    int op = static_cast<int>(flat[0]);
    bool matrix = op == kProduct || op == kProductTransposed;
    if (!matrix && (op < 0 || op > kSelect)) fail("unknown instruction " + std::to_string(op));
    int used = matrix ? (flat[4] < 0 ? 1 : 3) : op < kBinaryEnd ? 2 : op == kSelect ? 3 : 1;
    Value& out = value(flat[1]);
    if (value(rootOf(static_cast<int>(flat[1]))).kind != Kind::kResult) fail("an instruction writes to an input");
    for (int k = 0; k < used; k++) {
      if (matrix && k == 1) continue;
      const Value& x = value(flat[2 + k]);
      bool fits = x.width == out.width || (!matrix && (x.width == 1 || isScalar(static_cast<int>(flat[2 + k]))));
      if (matrix && k == 0) fits = x.ld > 0 || x.kind == Kind::kColumns;
      if (!fits) fail("operands of " + std::to_string(x.width) + " and " + std::to_string(out.width) + " columns");
    }
    add(op, static_cast<int>(flat[1]), static_cast<int>(flat[2]), used > 1 ? static_cast<int>(flat[3]) : -1, used > 2 ? static_cast<int>(flat[4]) : -1);
    if (!matrix) return;
    Instruction& x = program_.back();
    Matrix wanted{static_cast<int>(flat[3]), op == kProductTransposed, value(flat[2]).width, out.width, packedFloats_};
    auto same = [&](const Matrix& m) { return m.input == wanted.input && m.transposed == wanted.transposed && m.k == wanted.k && m.n == wanted.n; };
    auto found = std::find_if(matrices_.begin(), matrices_.end(), same);
    x.matrix = static_cast<int>(found - matrices_.begin());
    x.operands[1] = -1;
    if (found != matrices_.end()) return;
    matrices_.push_back(wanted);
    packedFloats_ += (panelsOf(panels_, wanted.n) * panels_.width * wanted.k + 15) / 16 * 16;
  }

  /// Lets the instruction that computes a state's next value write it in the state's place when nothing reads the old one after that;
  /// otherwise copies it at the end of the step.
  void handOn(int state) {
    const State& s = states_[static_cast<size_t>(state)];
    if (s.next == s.value) return;
    bool possible = value(s.next).kind == Kind::kResult && value(s.next).where == Where::kBuffer;
    int written = -1;
    for (size_t i = 0; i < program_.size(); i++) {
      const Instruction& x = program_[i];
      if (rootOf(x.out) == s.next && written < 0) written = static_cast<int>(i);
      for (int operand : x.operands)
        if (operand >= 0 && written >= 0 && rootOf(operand) == s.value) possible = false;
    }
    if (possible && written >= 0) {
      Value& next = value(s.next);
      next.where = Where::kState;
      next.index = state;
    } else {
      add(kCopy, s.value, s.next);
    }
  }

  /// Instructions take numbers beside vectors in one operand of two; others read a vector of equal numbers.
  void spreadScalars() {
    std::vector<Instruction> all;
    for (Instruction x : program_) {
      if (x.op < kUnaryEnd || x.op == kSelect || x.op == kAccumulate) {
        int64_t width = value(x.out).width;
        auto single = [&](int v) { return v >= 0 && (isScalar(v) || (value(v).width == 1 && width > 1)); };
        bool binary = x.op < kBinaryEnd;
        for (int k = 0; k < 3; k++) {
          if (!single(x.operands[k]) || (binary && !(k == 0 && single(x.operands[1])))) continue;
          int spread = makeResult(width);
          all.push_back({kSpread, spread, {x.operands[k], -1, -1}});
          x.operands[k] = spread;
        }
        if (binary) x.form = single(x.operands[1]) ? kVectorScalar : single(x.operands[0]) ? kScalarVector : kVectorVector;
      }
      all.push_back(x);
    }
    program_ = all;
  }

  static bool isProduct(const Instruction& x) { return x.op == kProduct || x.op == kProductTransposed; }

  /// Cuts the program at its products.
  void cut() {
    for (int i = 0; i < static_cast<int>(program_.size()); i++) {
      bool alone = isProduct(program_[static_cast<size_t>(i)]);
      if (alone || segments_.empty() || isProduct(program_[static_cast<size_t>(segments_.back().first)])) segments_.push_back({i, i + 1, 0});
      else segments_.back().last = i + 1;
    }
    // Results that one segment alone knows need room for a chunk of rows only.
    std::vector<int> first(values_.size(), -1), last(values_.size(), -1);
    std::vector<bool> outside(values_.size(), false);
    auto touch = [&](int v, int i, bool product) {
      if (v < 0) return;
      size_t root = static_cast<size_t>(rootOf(v));
      if (first[root] < 0) first[root] = i;
      last[root] = i;
      if (product) outside[root] = true;
    };
    for (int i = 0; i < static_cast<int>(program_.size()); i++) {
      const Instruction& x = program_[static_cast<size_t>(i)];
      touch(x.out, i, isProduct(x));
      for (int operand : x.operands) touch(operand, i, isProduct(x));
    }
    for (Segment& segment : segments_) {
      std::map<int64_t, std::vector<int64_t>> free;  // by width
      int64_t used = 0;
      std::vector<int> own;
      for (int i = segment.first; i < segment.last; i++) {
        const Instruction& x = program_[static_cast<size_t>(i)];
        int root = rootOf(x.out);
        Value& v = value(root);
        if (v.kind == Kind::kResult && v.where == Where::kBuffer && first[static_cast<size_t>(root)] == i && !outside[static_cast<size_t>(root)] &&
            last[static_cast<size_t>(root)] < segment.last) {
          v.where = Where::kChunk;
          auto& list = free[v.width];
          if (list.empty()) {
            v.at = used;
            used += (v.width + 15) / 16 * 16;
          } else {
            v.at = list.back();
            list.pop_back();
          }
          own.push_back(root);
        }
        for (int r : own)
          if (last[static_cast<size_t>(r)] == i) free[value(r).width].push_back(value(r).at);
      }
      segment.rows = std::max<int64_t>(1, std::min<int64_t>(rows_, used == 0 ? 16 : kChunkFloats / used));
      for (int r : own) value(r).at *= segment.rows;
      chunkFloats_ = std::max(chunkFloats_, used * segment.rows);
    }
  }

  /// Resolves columns, gives buffers and states their place, and finds out where rows lie side by side.
  void finish() {
    for (size_t i = 0; i < values_.size(); i++) {
      Value& v = values_[i];
      if (v.where == Where::kBuffer && v.kind == Kind::kResult) {
        v.at = rowFloats_;
        rowFloats_ += (v.width + 15) / 16 * 16;
      }
    }
    for (State& s : states_) {
      stateAt_.push_back(rowFloats_);
      rowFloats_ += (value(s.value).width + 15) / 16 * 16;
    }
    for (size_t i = 0; i < values_.size(); i++) {
      Value& v = values_[i];
      if (v.kind != Kind::kColumns) continue;
      const Value& root = values_[static_cast<size_t>(rootOf(static_cast<int>(i)))];
      offset_.resize(values_.size(), 0);
      offset_[i] = v.at;
      v.where = root.where;
      v.index = root.index;
      v.at = root.at;
      v.ld = root.ld;
      v.stride = root.stride;
    }
    offset_.resize(values_.size(), 0);
    for (Instruction& x : program_) {
      if (isProduct(x)) continue;
      int64_t width = value(x.out).width;
      x.dense = value(x.out).ld == width;
      for (int k = 0; k < 3; k++) {
        if (x.operands[k] < 0) continue;
        const Value& v = value(x.operands[k]);
        bool number = x.op == kSpread || (x.form == kVectorScalar && k == 1) || (x.form == kScalarVector && k == 0);
        if (v.ld != (number ? 0 : width)) x.dense = false;
      }
    }
  }

  void verify(const Context& context) {
    int64_t count = static_cast<int64_t>(context.inputCount());
    auto expect = [&](int input, int64_t wanted) {
      if (input < 0 || input >= count) fail("there is no input " + std::to_string(input));
      Dims dims = context.inputDims(static_cast<size_t>(input));
      if (product(dims) != wanted) fail("input " + std::to_string(input) + " has the shape " + text(dims) + ", not " + std::to_string(wanted) + " numbers");
    };
    for (const Value& v : values_) {
      if (v.kind == Kind::kSlice) expect(v.source, steps_ * rows_ * v.width);
      if (v.kind == Kind::kFixed) expect(v.source, rows_ * v.width);
      if (v.kind == Kind::kVector) expect(v.source, v.width);
      if (v.kind == Kind::kScalar) expect(v.source, 1);
    }
    for (const State& s : states_) expect(s.initial, rows_ * values_[static_cast<size_t>(s.value)].width);
    for (const Matrix& m : matrices_) expect(m.input, m.k * m.n);
    verified_ = true;
  }

  void pack(const Context& context, const std::vector<const float*>& in, float* packed) const {
    int64_t total = 0;
    for (const Matrix& m : matrices_) total += panelsOf(panels_, m.n);
    int64_t tasks = std::min<int64_t>(total, packedFloats_ < 65536 ? 1 : 4 * poolThreads());
    context.parallel(static_cast<size_t>(tasks), [&](size_t t) {
      int64_t from = total * static_cast<int64_t>(t) / tasks, to = total * static_cast<int64_t>(t + 1) / tasks;
      for (const Matrix& m : matrices_) {
        int64_t panels = panelsOf(panels_, m.n);
        for (int64_t p = std::max<int64_t>(from, 0); p < std::min(to, panels); p++)
          panels_.pack(packed + m.at, in[static_cast<size_t>(m.input)], m.k, m.n, m.transposed, p);
        from -= panels;
        to -= panels;
      }
    });
  }

  /// All steps for the rows from `first` on; `rows` is memory for states, buffers and chunks.
  void runRows(const std::vector<const float*>& in, const std::vector<float*>& out, const float* packed, int64_t first, int64_t count,
               float* rows) const {
    TinyIsZero tinyIsZero;
    float* chunks = rows + rowFloats_ * count;
    std::vector<float*> base(values_.size()), at(values_.size());
    for (size_t i = 0; i < values_.size(); i++) {
      const Value& v = values_[i];
      float* p = nullptr;
      switch (v.where) {
        case Where::kInput:
          p = const_cast<float*>(in[static_cast<size_t>(v.index)]) + first * v.ld;
          break;
        case Where::kConstant:
          p = const_cast<float*>(&constants_[static_cast<size_t>(v.index)]);
          break;
        case Where::kState:
          p = rows + stateAt_[static_cast<size_t>(v.index)] * count;
          break;
        case Where::kBuffer:
          p = rows + v.at * count;
          break;
        case Where::kChunk:
          p = chunks + v.at;
          break;
        case Where::kOutput:
          p = out[static_cast<size_t>(v.index)] + first * v.ld;
          break;
      }
      base[i] = at[i] = p + offset_[i];
    }
    auto bytes = [](int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); };
    for (const State& s : states_) {
      const Value& v = values_[static_cast<size_t>(s.value)];
      std::memcpy(base[static_cast<size_t>(s.value)], in[static_cast<size_t>(s.initial)] + first * v.width, bytes(count * v.width));
    }
    for (size_t o = 0; o < outputs_.size(); o++) {
      if (outputs_[o].gives != Gives::kSum) continue;
      int64_t width = values_[static_cast<size_t>(outputs_[o].source)].width;
      std::memset(out[o] + first * width, 0, bytes(count * width));
    }
    for (int64_t step = 0; step < steps_; step++) {
      int64_t t = reverse_ ? steps_ - 1 - step : step;
      for (size_t i = 0; i < values_.size(); i++)
        if (values_[i].stride != 0) at[i] = base[i] + t * values_[i].stride;
      for (const Segment& segment : segments_) runSegment(segment, at, packed, count);
    }
    for (size_t o = 0; o < outputs_.size(); o++) {
      if (outputs_[o].gives != Gives::kLast) continue;
      size_t state = static_cast<size_t>(states_[static_cast<size_t>(outputs_[o].source)].value);
      std::memcpy(out[o] + first * values_[state].width, base[state], bytes(count * values_[state].width));
    }
  }

  void runSegment(const Segment& segment, const std::vector<float*>& at, const float* packed, int64_t count) const {
    const Instruction* x = &program_[static_cast<size_t>(segment.first)];
    if (isProduct(*x)) {
      const Matrix& m = matrices_[static_cast<size_t>(x->matrix)];
      size_t a = static_cast<size_t>(x->operands[0]), c = static_cast<size_t>(x->out);
      bool adds = x->operands[2] >= 0;
      size_t more = static_cast<size_t>(adds ? x->operands[2] : 0);
      panels_.multiply(count, m.n, m.k, at[a], values_[a].ld, packed + m.at, at[c], values_[c].ld, adds ? at[more] : nullptr, values_[more].ld);
      return;
    }
    for (int64_t r = 0; r < count; r += segment.rows) {
      int64_t rows = std::min(segment.rows, count - r);
      for (int i = segment.first; i < segment.last; i++) execute(program_[static_cast<size_t>(i)], at, r, rows);
    }
  }

  void execute(const Instruction& x, const std::vector<float*>& at, int64_t r, int64_t rows) const {
    auto place = [&](int v) {
      const Value& it = values_[static_cast<size_t>(v)];
      return at[static_cast<size_t>(v)] + (it.where == Where::kChunk ? 0 : r * it.ld);
    };
    float* to = place(x.out);
    const float* operands[3];
    int64_t ld[3] = {};
    for (int k = 0; k < 3; k++) {
      int v = x.operands[k];
      operands[k] = v < 0 ? nullptr : place(v);
      ld[k] = v < 0 ? 0 : values_[static_cast<size_t>(v)].ld;
    }
    const Value& out = values_[static_cast<size_t>(x.out)];
    if (x.dense) return call(x, to, operands, static_cast<size_t>(rows * out.width));
    for (int64_t i = 0; i < rows; i++) {
      call(x, to, operands, static_cast<size_t>(out.width));
      to += out.ld;
      for (int k = 0; k < 3; k++) operands[k] += ld[k];
    }
  }

  void call(const Instruction& x, float* to, const float* const* operands, size_t n) const {
    if (x.op < kBinaryEnd) ops_.binary[x.op][x.form](to, operands[0], operands[1], n);
    else if (x.op < kUnaryEnd) ops_.unary[x.op - kBinaryEnd](to, operands[0], n);
    else if (x.op == kSelect) ops_.select(to, operands[0], operands[1], operands[2], n);
    else if (x.op == kSpread) ops_.fill(to, *operands[0], n);
    else ops_.accumulate(to, operands[0], n);
  }

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

}  // namespace

std::vector<Op> recurrenceOps() {
  return {{"Recurrence", [](const Info& info) -> Kernel* { return new Recurrence(info); }}};
}

}  // namespace orbit
