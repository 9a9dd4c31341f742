// orbit.Recurrence: a loop over time steps whose rows do not depend on one another, such as the ones of recurrent layers and
// of their gradients. Each thread runs the whole sequence for some of the rows: matrices are packed once, states and what a
// step computes for itself stay in the cache, and no thread waits for another.
#include <algorithm>
#include <cstring>

#include "recurrence_program.h"
#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace orbit {
namespace recurrence {
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

/// The first line of the cache in some memory.
uintptr_t line(void* memory) { return (reinterpret_cast<uintptr_t>(memory) + 63) & ~uintptr_t{63}; }

class Recurrence final : public Kernel, RecurrenceProgram {
 public:
  explicit Recurrence(const Info& info) : RecurrenceProgram(info) {}

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
};

}  // namespace
}  // namespace recurrence

std::vector<Op> recurrenceOps() {
  return {{"Recurrence", [](const Info& info) -> Kernel* { return new recurrence::Recurrence(info); }}};
}

}  // namespace orbit
