#include "fused_program.h"

#include <algorithm>
#include <cstring>

namespace orbit {
namespace {

/// Elements of a tile, where rows are shorter.
constexpr int64_t kTile = 1024;
/// The longest row that a program with sums over rows may have.
constexpr int64_t kLongestRow = 8192;
/// Elements times instructions that are worth a task of their own.
constexpr int64_t kTaskWork = 65536;
constexpr int64_t kMaxTasks = 64;

/// Temporary memory of one task.
struct Tiles {
  explicit Tiles(size_t floats) : memory(new float[floats + 16]) {
    data = reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(memory.get()) + 63) & ~uintptr_t{63});
  }
  std::unique_ptr<float[]> memory;
  float* data;
};

}  // namespace

FusedProgram::FusedProgram(const Info& info) : name_(info.nodeName()), constants_(info.floats("constants")) {
  constants_.pop_back();  // the attribute is never empty: its last number is no constant
  Dims accesses = info.ints("inputs");
  for (size_t i = 0; i + 1 < accesses.size(); i += 2) inputs_.push_back({static_cast<Access>(accesses[i]), accesses[i + 1]});
  row_ = info.integer("row");
  Dims outputs = info.ints("outputs");
  auto scales = info.floats("scales");
  if (outputs.size() != 3 * scales.size()) fail("outputs and scales do not fit");
  for (size_t i = 0; i < scales.size(); i++)
    outputs_.push_back({static_cast<Keep>(outputs[3 * i]), static_cast<int>(outputs[3 * i + 1]), outputs[3 * i + 2], scales[i]});
  readProgram(info.ints("program"));
  for (const Output& output : outputs_)
    if (output.operand < 0 || output.operand >= firstResult() + static_cast<int>(program_.size())) fail("an output reads a value that does not exist");
  chooseTile();
  allocate();
  compile();
}

int64_t FusedProgram::inputSize(size_t i, int64_t size) const {
  const Input& input = inputs_[i];
  return input.access == Access::kFull     ? size
         : input.access == Access::kSuffix ? input.period
         : input.access == Access::kPrefix ? size / std::max<int64_t>(1, input.period)
                                           : 1;
}

int64_t FusedProgram::outputSize(size_t i, int64_t size) const {
  const Output& output = outputs_[i];
  return output.keep == Keep::kFull         ? size
         : output.keep == Keep::kChannelSum ? output.period
         : output.keep == Keep::kTotal      ? 1
         : output.period > 0                ? size / output.period
                                            : -1;
}

void FusedProgram::verifyInput(size_t i, int64_t size, const Dims& dims, size_t position) const {
  int64_t wanted = inputSize(i, size);
  if (product(dims) != wanted) fail("input " + std::to_string(position) + " has the shape " + text(dims) + ", not " + std::to_string(wanted) + " numbers");
}

void FusedProgram::verifyOutput(size_t i, int64_t size, const Dims& dims) const {
  int64_t wanted = outputSize(i, size);
  if (product(dims) != wanted) fail("an output of shape " + text(dims) + " cannot hold " + std::to_string(wanted) + " numbers");
  if (row_ > 0 && size % row_ != 0) fail("rows of " + std::to_string(row_) + " elements in " + std::to_string(size));
  // A row may only be cut where all its elements are known to be equal.
  if (outputs_[i].keep == Keep::kPerRow && (row_ <= 0 || outputs_[i].period != row_)) fail("an output per row without rows");
}

FusedProgram::Split FusedProgram::split(int64_t size) const {
  int64_t work = size * std::max<int64_t>(1, static_cast<int64_t>(program_.size()));
  int64_t tiles = (size + tile_ - 1) / tile_;
  int64_t tasks = std::clamp<int64_t>(work / kTaskWork, 1, std::min(kMaxTasks, tiles));
  int64_t perTask = (tiles + tasks - 1) / tasks;
  return {(tiles + perTask - 1) / perTask, perTask * tile_};
}

void FusedProgram::readProgram(const Dims& flat) {
  if (flat.size() % 4 != 0) fail("the program is cut off");
  for (size_t i = 0; i < flat.size(); i += 4) {
    Instruction instruction{static_cast<int>(flat[i]), {}, 0};
    if (instruction.op < 0 || instruction.op >= kOpcodeEnd) fail("unknown instruction " + std::to_string(flat[i]));
    int known = firstResult() + static_cast<int>(program_.size());
    int used = instruction.op < kBinaryEnd ? 2 : instruction.op == kSelect ? 3 : 1;
    for (int k = 0; k < 3; k++) {
      int64_t operand = flat[i + 1 + k];
      if (k < used && (operand < 0 || operand >= known)) fail("an instruction reads a value that does not exist yet");
      instruction.operands[k] = k < used ? static_cast<int>(operand) : -1;
    }
    if ((instruction.op == kRowSum || instruction.op == kRowMax) && row_ <= 0) fail("a sum over rows without a row length");
    program_.push_back(instruction);
  }
}

void FusedProgram::chooseTile() {
  tile_ = kTile;
  int64_t unit = 0;
  for (const Input& input : inputs_)
    if (input.access == Access::kSuffix && input.period <= kTile) unit = std::max(unit, input.period);
  for (const Output& output : outputs_)
    if (output.keep == Keep::kChannelSum && output.period <= kTile) unit = std::max(unit, output.period);
  if (row_ > 0) {
    if (row_ > kLongestRow) fail("rows of " + std::to_string(row_) + " elements");
    unit = row_;
  }
  if (unit > 0) tile_ = std::max<int64_t>(1, kTile / unit) * unit;
  // Whole lines of the cache, an odd number of them: tiles at equal places of a page would disturb each other.
  stride_ = (tile_ + 15) / 16 * 16;
  if (stride_ / 16 % 2 == 0) stride_ += 16;
}

/// Gives each instruction a tile; a tile is free again after its value's last use.
void FusedProgram::allocate() {
  int first = firstResult();
  std::vector<int> lastUse(program_.size(), -1);
  for (size_t i = 0; i < program_.size(); i++)
    for (int operand : program_[i].operands)
      if (operand >= first) lastUse[operand - first] = static_cast<int>(i);
  constexpr int kForever = 1 << 30;
  std::vector<int> direct(program_.size(), -1);
  for (size_t o = 0; o < outputs_.size(); o++) {
    int operand = outputs_[o].operand;
    if (operand < first) continue;
    lastUse[operand - first] = kForever;
    if (outputs_[o].keep == Keep::kFull && direct[operand - first] < 0) direct[operand - first] = static_cast<int>(o);
  }
  std::vector<int> free;
  temporaries_ = 0;
  for (size_t i = 0; i < program_.size(); i++) {
    if (direct[i] >= 0) {
      program_[i].buffer = -1 - direct[i];
    } else if (!free.empty()) {
      program_[i].buffer = free.back();
      free.pop_back();
    } else {
      program_[i].buffer = temporaries_++;
    }
    // After the result has its tile: no instruction writes over what it reads.
    for (size_t k = 0; k < 3; k++) {
      int operand = program_[i].operands[k];
      if (operand < first || lastUse[operand - first] != static_cast<int>(i)) continue;
      int buffer = program_[operand - first].buffer;
      if (buffer >= 0 && std::find(free.begin(), free.end(), buffer) == free.end()) free.push_back(buffer);
    }
  }
  loaded_.assign(inputs_.size(), -1);
  loads_ = 0;
  for (size_t i = 0; i < inputs_.size(); i++)
    if (inputs_[i].access == Access::kSuffix || inputs_[i].access == Access::kPrefix) loaded_[i] = loads_++;
  needsTile_.assign(inputs_.size() + constants_.size(), -1);
  auto spread = [&](int operand) {
    if (operand < first && isScalar(operand) && needsTile_[operand] < 0) needsTile_[operand] = spreads_++;
  };
  for (const Instruction& instruction : program_) {
    if (instruction.op == kSelect || instruction.op >= kBinaryEnd)
      for (int operand : instruction.operands)
        if (operand >= 0) spread(operand);
    if (instruction.op < kBinaryEnd && scalarOperand(instruction.operands[0]) && scalarOperand(instruction.operands[1])) spread(instruction.operands[0]);
  }
  for (const Output& output : outputs_) spread(output.operand);
  for (const Output& output : outputs_) {
    sumAt_.push_back(partialFloats_);
    if (output.keep == Keep::kChannelSum) partialFloats_ += output.period <= tile_ && tile_ % output.period == 0 ? tile_ : output.period;
    if (output.keep == Keep::kTotal) partialFloats_ += std::max<int64_t>(tile_, 2);  // room for a float64
  }
}

void FusedProgram::runTiles(const float* const* in, float* const* out, int64_t begin, int64_t end, float* partial) const {
  const TileOps& ops = tileOps();
  Tiles tiles(static_cast<size_t>((temporaries_ + loads_ + spreads_) * stride_));
  float* loads = tiles.data + temporaries_ * stride_;
  float* spreads = loads + loads_ * stride_;
  int first = firstResult();
  std::vector<const float*> at(static_cast<size_t>(first) + program_.size());
  for (size_t i = 0; i < inputs_.size(); i++) at[i] = in[i];
  for (size_t i = 0; i < constants_.size(); i++) at[inputs_.size() + i] = &constants_[i];
  for (int i = 0; i < first; i++) {
    if (needsTile_[static_cast<size_t>(i)] < 0) continue;
    float* tile = spreads + needsTile_[static_cast<size_t>(i)] * stride_;
    ops.fill(tile, *at[static_cast<size_t>(i)], static_cast<size_t>(tile_));
    at[static_cast<size_t>(i)] = tile;
  }
  for (int64_t s = begin; s < end; s += tile_) {
    int64_t n = std::min(tile_, end - s);
    for (size_t i = 0; i < inputs_.size(); i++) {
      const Input& input = inputs_[i];
      if (input.access == Access::kFull) at[i] = in[i] + s;
      else if (input.access != Access::kScalar) at[i] = load(in[i], input, s, n, loads + loaded_[i] * stride_, s == begin);
    }
    for (size_t i = 0; i < program_.size(); i++) {
      const Instruction& x = program_[i];
      float* to = x.buffer >= 0 ? tiles.data + x.buffer * stride_ : out[static_cast<size_t>(-1 - x.buffer)] + s;
      at[static_cast<size_t>(first) + i] = to;
      execute(ops, x, at, to, n);
    }
    for (size_t o = 0; o < outputs_.size(); o++) keep(ops, outputs_[o], at[static_cast<size_t>(outputs_[o].operand)], out[o], partial + sumAt_[o], s, n);
  }
}

void FusedProgram::execute(const TileOps& ops, const Instruction& x, const std::vector<const float*>& at, float* to, int64_t n) const {
  const float* a = at[static_cast<size_t>(x.operands[0])];
  size_t count = static_cast<size_t>(n);
  if (x.op < kBinaryEnd) {
    bool left = scalarOperand(x.operands[0]), right = scalarOperand(x.operands[1]);
    Form form = right ? kVectorScalar : left ? kScalarVector : kVectorVector;
    ops.binary[x.op][form](to, a, at[static_cast<size_t>(x.operands[1])], count);
  } else if (x.op < kUnaryEnd) {
    ops.unary[x.op - kBinaryEnd](to, a, count);
  } else if (x.op == kSelect) {
    ops.select(to, a, at[static_cast<size_t>(x.operands[1])], at[static_cast<size_t>(x.operands[2])], count);
  } else {
    for (int64_t r = 0; r < n; r += row_) {
      float y = x.op == kRowSum ? ops.sum(a + r, static_cast<size_t>(row_)) : ops.max(a + r, static_cast<size_t>(row_));
      ops.fill(to + r, y, static_cast<size_t>(row_));
    }
  }
}

/// The elements of a broadcast input for one tile: in place where they lie side by side, else copied.
const float* FusedProgram::load(const float* source, const Input& input, int64_t s, int64_t n, float* tile, bool firstTile) const {
  int64_t period = input.period;
  if (input.access == Access::kPrefix) {
    for (int64_t i = 0; i < n;) {
      int64_t element = (s + i) / period;
      int64_t stop = std::min(n, (element + 1) * period - s);
      std::fill(tile + i, tile + stop, source[element]);
      i = stop;
    }
    return tile;
  }
  int64_t from = s % period;
  if (from + n <= period) return source + from;
  if (!firstTile && tile_ % period == 0) return tile;  // the same in every tile
  for (int64_t i = 0; i < n;) {
    int64_t count = std::min(n - i, period - from);
    std::copy(source + from, source + from + count, tile + i);
    i += count;
    from = 0;
  }
  return tile;
}

void FusedProgram::keep(const TileOps& ops, const Output& output, const float* value, float* out, float* sums, int64_t s, int64_t n) const {
  switch (output.keep) {
    case Keep::kFull:
      if (value != out + s) std::memcpy(out + s, value, static_cast<size_t>(n) * sizeof(float));
      return;
    case Keep::kPerRow:
      for (int64_t r = 0; r < n; r += row_) out[(s + r) / row_] = value[r] * output.scale;
      return;
    case Keep::kTotal:
      ops.accumulate(sums, value, static_cast<size_t>(n));
      return;
    case Keep::kChannelSum:
      if (keepsLanes(output)) return ops.accumulate(sums, value, static_cast<size_t>(n));
      for (int64_t i = 0, from = s % output.period; i < n; from = 0) {
        int64_t count = std::min(n - i, output.period - from);
        ops.accumulate(sums + from, value + i, static_cast<size_t>(count));
        i += count;
      }
  }
}

void FusedProgram::combine(float* const* out, const float* partial, int64_t tasks) const {
  for (size_t o = 0; o < outputs_.size(); o++) {
    const Output& output = outputs_[o];
    if (output.keep != Keep::kChannelSum && output.keep != Keep::kTotal) continue;
    if (output.keep == Keep::kTotal) {
      double total = 0;
      for (int64_t t = 0; t < tasks; t++) {
        double part;
        std::memcpy(&part, partial + t * partialFloats_ + sumAt_[o], sizeof part);
        total += part;
      }
      out[o][0] = static_cast<float>(total * static_cast<double>(output.scale));
      continue;
    }
    int64_t period = output.period;
    int64_t lanes = keepsLanes(output) ? tile_ : period;
    std::vector<double> total(static_cast<size_t>(period), 0.0);
    for (int64_t t = 0; t < tasks; t++)
      for (int64_t base = 0; base < lanes; base += period)
        for (int64_t i = 0; i < period; i++) total[static_cast<size_t>(i)] += partial[t * partialFloats_ + sumAt_[o] + base + i];
    for (int64_t i = 0; i < period; i++) out[o][i] = static_cast<float>(total[static_cast<size_t>(i)] * static_cast<double>(output.scale));
  }
}

/// Machine code for programs without rows.
void FusedProgram::compile() {
  VectorProgram program;
  streams_ = row_ <= 0;
  for (const Input& input : inputs_) {
    program.scalar.push_back(input.access == Access::kScalar);
    streams_ = streams_ && (input.access == Access::kFull || input.access == Access::kScalar);
  }
  program.constants = constants_;
  for (const Instruction& x : program_) program.instructions.push_back({x.op, {x.operands[0], x.operands[1], x.operands[2]}});
  for (const Output& output : outputs_) {
    program.stored.push_back(output.operand);
    streams_ = streams_ && output.keep == Keep::kFull;
  }
  if (row_ <= 0) code_ = compileVectors(program);
  streams_ = streams_ && code_ != nullptr;
}

void FusedProgram::run(const float* const* in, float* const* out, int64_t begin, int64_t end, float* partial, bool pastCaches) const {
  if (partialFloats_ > 0) std::memset(partial, 0, static_cast<size_t>(partialFloats_) * sizeof(float));
  if (code_ == nullptr) runTiles(in, out, begin, end, partial);
  else if (streams_) runStreams(in, out, begin, end, pastCaches);
  else runCode(in, out, begin, end, partial);
  for (size_t o = 0; o < outputs_.size(); o++)
    if (outputs_[o].keep == Keep::kTotal) fold(partial + sumAt_[o]);
}

/// Adds a tile of sums up, in eight lanes, and leaves the float64 in its place.
void FusedProgram::fold(float* sums) const {
  double lanes[8] = {};
  int64_t i = 0;
  for (; i + 8 <= tile_; i += 8)
    for (int64_t k = 0; k < 8; k++) lanes[k] += sums[i + k];
  for (int64_t k = 0; i < tile_; i++, k++) lanes[k] += sums[i];
  double total = 0;
  for (double lane : lanes) total += lane;
  std::memcpy(sums, &total, sizeof total);
}

/// One loop over all elements.
void FusedProgram::runStreams(const float* const* in, float* const* out, int64_t begin, int64_t end, bool pastCaches) const {
  Tiles area(code_->areaFloats());
  code_->prepare(in, area.data);
  std::vector<const float*> from(inputs_.size());
  std::vector<float*> to(outputs_.size());
  auto at = [&](int64_t position) {
    for (size_t i = 0; i < from.size(); i++) from[i] = inputs_[i].access == Access::kFull ? in[i] + position : in[i];
    for (size_t o = 0; o < to.size(); o++) to[o] = out[o] + position;
  };
  auto beyond = [](const float* p) { return (reinterpret_cast<uintptr_t>(p) & 31) / sizeof(float); };
  at(begin);
  for (const float* p : to) pastCaches = pastCaches && beyond(p) == beyond(to[0]);
  if (!pastCaches) return code_->run(from.data(), to.data(), area.data, end - begin);
  int64_t first = std::min<int64_t>(end - begin, static_cast<int64_t>((8 - beyond(to[0])) % 8));
  code_->run(from.data(), to.data(), area.data, first);
  at(begin + first);
  code_->runPastCaches(from.data(), to.data(), area.data, end - begin - first);
}

/// Tile by tile, for broadcast inputs and sums.
void FusedProgram::runCode(const float* const* in, float* const* out, int64_t begin, int64_t end, float* partial) const {
  const TileOps& ops = tileOps();
  Tiles memory(static_cast<size_t>((loads_ + static_cast<int>(outputs_.size())) * stride_) + code_->areaFloats());
  float* sums = memory.data + loads_ * stride_;
  float* area = sums + static_cast<int64_t>(outputs_.size()) * stride_;
  code_->prepare(in, area);
  std::vector<const float*> at(in, in + inputs_.size());
  std::vector<float*> to(outputs_.size());
  for (int64_t s = begin; s < end; s += tile_) {
    int64_t n = std::min(tile_, end - s);
    for (size_t i = 0; i < inputs_.size(); i++) {
      const Input& input = inputs_[i];
      if (input.access == Access::kFull) at[i] = in[i] + s;
      else if (input.access != Access::kScalar) at[i] = load(in[i], input, s, n, memory.data + loaded_[i] * stride_, s == begin);
    }
    for (size_t o = 0; o < to.size(); o++)
      to[o] = outputs_[o].keep == Keep::kFull ? out[o] + s : sums + static_cast<int64_t>(o) * stride_;
    code_->run(at.data(), to.data(), area, n);
    for (size_t o = 0; o < to.size(); o++)
      if (outputs_[o].keep != Keep::kFull) keep(ops, outputs_[o], to[o], out[o], partial + sumAt_[o], s, n);
  }
}

}  // namespace orbit
