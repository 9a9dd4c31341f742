// Reads the program of orbit.Recurrence, decides where each value lies and which instructions run together.
#include "recurrence_program.h"

#include <algorithm>
#include <map>

namespace orbit {
namespace recurrence {

RecurrenceProgram::RecurrenceProgram(const Info& info)
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

void RecurrenceProgram::fail(const std::string& what) const { throw Failure("node " + name_ + ": " + what); }

Value& RecurrenceProgram::value(int64_t i) {
  if (i < 0 || i >= static_cast<int64_t>(values_.size())) fail("there is no value " + std::to_string(i));
  return values_[static_cast<size_t>(i)];
}

int RecurrenceProgram::rootOf(int v) const {
  while (values_[static_cast<size_t>(v)].kind == Kind::kColumns) v = values_[static_cast<size_t>(v)].source;
  return v;
}

bool RecurrenceProgram::isScalar(int v) const {
  Kind kind = values_[static_cast<size_t>(v)].kind;
  return kind == Kind::kScalar || kind == Kind::kConstant;
}

void RecurrenceProgram::readValues(const Dims& flat) {
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

void RecurrenceProgram::readStates(const Dims& flat) {
  for (size_t i = 0; i + 1 < flat.size(); i += 2) states_.push_back({static_cast<int>(flat[i]), static_cast<int>(flat[i + 1]), -1});
  for (size_t i = 0; i < values_.size(); i++) {
    if (values_[i].kind != Kind::kState) continue;
    if (values_[i].source >= static_cast<int>(states_.size())) fail("there is no state " + std::to_string(values_[i].source));
    states_[static_cast<size_t>(values_[i].source)].value = static_cast<int>(i);
  }
  for (const State& s : states_)
    if (s.value < 0 || value(s.next).width != value(s.value).width || isScalar(s.next) || value(s.next).ld == 0) fail("a state changes its shape");
}

void RecurrenceProgram::readOutputs(const Dims& flat, const std::vector<Dims>& shapes) {
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

int RecurrenceProgram::makeResult(int64_t width) {
  Value v;
  v.kind = Kind::kResult;
  v.source = 0;
  v.offset = 0;
  v.width = v.ld = width;
  values_.push_back(v);
  return static_cast<int>(values_.size()) - 1;
}

int RecurrenceProgram::makeOutput(int output, int64_t width, bool stack) {
  int v = makeResult(width);
  Value& made = values_.back();
  made.where = Where::kOutput;
  made.index = output;
  made.stride = stack ? rows_ * width : 0;
  return v;
}

void RecurrenceProgram::add(int op, int out, int a, int b, int c) {
  Instruction x{op, out, {a, b, c}};
  program_.push_back(x);
}

void RecurrenceProgram::readProgram(const Dims& flat) {
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

void RecurrenceProgram::readInstruction(const int64_t* flat) {
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

void RecurrenceProgram::handOn(int state) {
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

void RecurrenceProgram::spreadScalars() {
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

bool RecurrenceProgram::isProduct(const Instruction& x) { return x.op == kProduct || x.op == kProductTransposed; }

void RecurrenceProgram::cut() {
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

void RecurrenceProgram::finish() {
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

void RecurrenceProgram::verify(const Context& context) {
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

}  // namespace recurrence
}  // namespace orbit
