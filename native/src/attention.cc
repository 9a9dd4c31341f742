// Attention, softmax(alpha · q · kᵀ + mask) · v for each head, and its gradient. A few rows of scores at a time stay in the cache;
// the gradient computes them again. Operands are read where they lie, also in one matrix of queries, keys and values.
#include <algorithm>
#include <cmath>

#include "gemm.h"

namespace orbit {
namespace {

/// Floats of a block of scores. Blocks of few rows leave out more of a causal mask.
constexpr int64_t kScores = 8192;
/// Scores whose mask lies so far below the largest of their row have no weight, unless the scores themselves differ as much.
constexpr float kGap = 5000.0f;
/// e to a smaller power is 0.
constexpr float kVanishes = 104.0f;

/// One matrix per batch and head inside a tensor; the elements of a row lie side by side.
struct View {
  int64_t tensor, offset, batch, head, row;
  int64_t at(int64_t b, int64_t h) const { return offset + b * batch + h * head; }
};

struct Shape {
  int64_t batches, heads, rows /* queries */, keys, width /* of queries and keys */, valueWidth;
};

/// c (+)= alpha · a · b with b in panels of `ops.columns` columns, each `k` rows long; c has whole panels.
void multiply(const GemmOps& ops, Left left, int64_t rows, int64_t k, const float* a, int64_t aStride, const float* b, int64_t panel, int64_t columns,
              float* c, int64_t cStride, float alpha, bool add) {
  int64_t blocks = (rows + ops.rows - 1) / ops.rows;
  for (int64_t j = 0; j < columns; j += ops.columns, b += panel)
    for (int64_t i = 0; i < blocks; i++) {
      int64_t first = rows * i / blocks, count = rows * (i + 1) / blocks - first; // of nearly equal heights
      ops.multiply[left](count, k, a + (left == kByRows ? first * aStride : first), aStride, b, ops.columns, c + first * cStride + j, cStride, alpha,
                         add);
    }
}

/// What forward and backward share: the operands, the mask, the blocks.
class AttentionKernel : public Kernel {
 public:
  AttentionKernel(const Info& info, int64_t mostBlocks) : name_(info.nodeName()), ops_(gemmOps()), alpha_(info.floats("alpha").at(0)) {
    Dims dims = info.ints("dims");
    if (dims.size() != 6 || *std::min_element(dims.begin(), dims.end()) < 1) fail("attributes that do not fit: dims " + text(dims));
    s_ = {dims[0], dims[1], dims[2], dims[3], dims[4], dims[5]};
    views_ = info.ints("views");
    q_ = view(0);
    k_ = view(1);
    v_ = view(2);
    mask_ = view(3);
    shapes_ = splitShapes(info.ints("shapes"));
    keyPanels_ = whole(s_.keys);
    widthPanels_ = whole(s_.width);
    valuePanels_ = whole(s_.valueWidth);
    stride_ = keyPanels_ + 16;
    block_ = std::clamp<int64_t>(kScores / stride_ / ops_.rows, 1, mostBlocks) * ops_.rows;
  }

 protected:
  [[noreturn]] void fail(const std::string& what) const { throw Failure("node " + name_ + ": " + what); }

  View view(size_t i) const {
    if (views_.size() < 5 * i + 5) fail("the attribute views is cut off");
    return {views_[5 * i], views_[5 * i + 1], views_[5 * i + 2], views_[5 * i + 3], views_[5 * i + 4]};
  }

  int64_t whole(int64_t n) const { return (n + ops_.columns - 1) / ops_.columns * ops_.columns; }
  bool masked() const { return mask_.tensor >= 0; }

  /// Fails unless the view's last element lies in a tensor of `size` elements.
  void verify(const char* name, const View& view, int64_t size, int64_t rows, int64_t width) const {
    int64_t last = view.at(s_.batches - 1, s_.heads - 1) + (rows - 1) * view.row + width;
    if (view.offset < 0 || last > size)
      fail(std::string(name) + ": " + text({s_.batches, s_.heads, rows, width}) + " do not lie in a tensor of " + std::to_string(size) + " elements");
  }

  void verifyOperands(const Context& context) const {
    auto size = [&](const View& view) {
      if (view.tensor < 0 || view.tensor >= static_cast<int64_t>(context.inputCount())) fail("an operand is missing");
      return product(context.inputDims(static_cast<size_t>(view.tensor)));
    };
    verify("queries", q_, size(q_), s_.rows, s_.width);
    verify("keys", k_, size(k_), s_.keys, s_.width);
    verify("values", v_, size(v_), s_.keys, s_.valueWidth);
    if (masked()) verify("mask", mask_, size(mask_), s_.rows, s_.keys);
  }

  const float* data(const Context& context, const View& view) const { return context.input(static_cast<size_t>(view.tensor)); }

  /// By row of the mask: how many keys come before those that have no weight.
  std::vector<int64_t> limitsOf(const Context& context) const {
    std::vector<int64_t> limits;
    if (!masked()) return limits;
    const float* mask = data(context, mask_);
    int64_t batches = mask_.batch == 0 ? 1 : s_.batches, heads = mask_.head == 0 ? 1 : s_.heads;
    int64_t rows = mask_.row == 0 ? 1 : s_.rows;
    limits.resize(static_cast<size_t>(batches * heads * rows));
    for (int64_t b = 0, i = 0; b < batches; b++)
      for (int64_t h = 0; h < heads; h++)
        for (int64_t r = 0; r < rows; r++, i++) {
          const float* row = mask + mask_.at(b, h) + r * mask_.row;
          float most = row[0];
          for (int64_t j = 0; j < s_.keys; j++) most = row[j] > most ? row[j] : most;
          int64_t limit = s_.keys;
          while (limit > 1 && row[limit - 1] < most - kGap) limit--;
          limits[static_cast<size_t>(i)] = limit;
        }
    return limits;
  }

  /// Keys that some row of a block may give weight to.
  int64_t limitOf(const std::vector<int64_t>& limits, int64_t b, int64_t h, int64_t first, int64_t last) const {
    int64_t rows = mask_.row == 0 ? 1 : s_.rows, heads = mask_.head == 0 ? 1 : s_.heads;
    int64_t from = ((mask_.batch == 0 ? 0 : b) * heads + (mask_.head == 0 ? 0 : h)) * rows;
    if (mask_.row == 0) return limits[static_cast<size_t>(from)];
    return *std::max_element(limits.begin() + from + first, limits.begin() + from + last);
  }

  /// False where scores may differ by as much as the mask does.
  bool maskDecides(const float* q, const float* k) const {
    float bound = ops_.largestNorm(q, q_.row, s_.rows, s_.width) * ops_.largestNorm(k, k_.row, s_.keys, s_.width) * std::fabs(alpha_);
    return 2 * bound + kVanishes < kGap;
  }

  std::string name_;
  const GemmOps& ops_;
  float alpha_;
  Shape s_;
  Dims views_;
  View q_, k_, v_, mask_;
  std::vector<Dims> shapes_;
  int64_t keyPanels_, widthPanels_, valuePanels_;
  int64_t stride_;  // from one row of scores to the next
  int64_t block_;   // rows of a block
  bool verified_ = false;
};

/// Inputs: the tensors that hold q, k, v and the mask. Outputs: the result, and two numbers per row of scores for the gradient.
class Attention final : public AttentionKernel {
 public:
  explicit Attention(const Info& info) : AttentionKernel(info, 2), out_(view(4)) {
    if (shapes_.size() != 2 || product(shapes_[1]) != 2 * s_.batches * s_.heads * s_.rows) fail("attributes that do not fit: shapes " + text(shapes_.at(0)) + " and " + text(shapes_.back()));
    verify("result", out_, product(shapes_[0]), s_.rows, s_.valueWidth);
  }

  void run(const Context& context) override {
    if (!verified_) verifyOperands(context);
    verified_ = true;
    const float *q = data(context, q_), *k = data(context, k_), *v = data(context, v_);
    const float* mask = masked() ? data(context, mask_) : nullptr;
    float* out = context.output(0, shapes_[0]);
    float* statistics = context.output(1, shapes_[1]);
    std::vector<int64_t> limits = limitsOf(context);
    int64_t floats = keyPanels_ * s_.width + s_.keys * valuePanels_ + block_ * (stride_ + valuePanels_);
    forTasks(context, s_.batches * s_.heads, floats, [&](int64_t task, float* memory) {
      int64_t b = task / s_.heads, h = task % s_.heads;
      head(q + q_.at(b, h), k + k_.at(b, h), v + v_.at(b, h), mask == nullptr ? nullptr : mask + mask_.at(b, h), out + out_.at(b, h),
           statistics + task * s_.rows * 2, limits, b, h, memory);
    });
  }

 private:
  void head(const float* q, const float* k, const float* v, const float* mask, float* out, float* statistics, const std::vector<int64_t>& limits,
            int64_t b, int64_t h, float* memory) const {
    float* keys = memory;
    float* values = keys + keyPanels_ * s_.width;
    float* scores = values + s_.keys * valuePanels_;
    float* sums = scores + block_ * stride_;
    ops_.packTransposed(keys, k, k_.row, s_.width, s_.keys);
    ops_.pack(values, v, v_.row, s_.keys, s_.valueWidth);
    bool limited = mask != nullptr && maskDecides(q, k);
    for (int64_t first = 0; first < s_.rows; first += block_) {
      int64_t rows = std::min(block_, s_.rows - first);
      int64_t n = limited ? limitOf(limits, b, h, first, first + rows) : s_.keys;
      multiply(ops_, kByRows, rows, s_.width, q + first * q_.row, q_.row, keys, s_.width * ops_.columns, n, scores, stride_, alpha_, false);
      for (int64_t r = 0; r < rows; r++) {
        float* pair = statistics + (first + r) * 2;
        ops_.softmax(scores + r * stride_, mask == nullptr ? nullptr : mask + (first + r) * mask_.row, n, pair, pair + 1);
        pair[1] = 1.0f / pair[1];
      }
      multiply(ops_, kByRows, rows, n, scores, stride_, values, s_.keys * ops_.columns, s_.valueWidth, sums, valuePanels_, 1.0f, false);
      for (int64_t r = 0; r < rows; r++) {
        float factor = statistics[(first + r) * 2 + 1];
        float* to = out + (first + r) * out_.row;
        for (int64_t i = 0; i < s_.valueWidth; i++) to[i] = sums[r * valuePanels_ + i] * factor;
      }
    }
  }

  View out_;
};

/// Inputs: as before, then the gradient of the result and the two numbers per row. Outputs: the tensors that hold dq, dk and dv.
class AttentionGradient final : public AttentionKernel {
 public:
  explicit AttentionGradient(const Info& info)
      : AttentionKernel(info, 4), dy_(view(4)), dq_(view(5)), dk_(view(6)), dv_(view(7)) {
    auto size = [&](const View& view) {
      if (view.tensor < 0 || view.tensor >= static_cast<int64_t>(shapes_.size())) fail("a result is missing");
      return product(shapes_[static_cast<size_t>(view.tensor)]);
    };
    verify("gradient by queries", dq_, size(dq_), s_.rows, s_.width);
    verify("gradient by keys", dk_, size(dk_), s_.keys, s_.width);
    verify("gradient by values", dv_, size(dv_), s_.keys, s_.valueWidth);
  }

  void run(const Context& context) override {
    size_t statisticsAt = static_cast<size_t>(dy_.tensor) + 1;
    if (!verified_) {
      verifyOperands(context);
      if (statisticsAt >= context.inputCount()) fail("an operand is missing");
      verify("gradient", dy_, product(context.inputDims(static_cast<size_t>(dy_.tensor))), s_.rows, s_.valueWidth);
      if (product(context.inputDims(statisticsAt)) != 2 * s_.batches * s_.heads * s_.rows) fail("two numbers per row are missing");
      verified_ = true;
    }
    Operands in{data(context, q_), data(context, k_), data(context, v_), masked() ? data(context, mask_) : nullptr, data(context, dy_),
                context.input(statisticsAt)};
    std::vector<float*> out(shapes_.size());
    for (size_t i = 0; i < out.size(); i++) out[i] = context.output(i, shapes_[i]);
    std::vector<int64_t> limits = limitsOf(context);
    int64_t floats = keyPanels_ * (s_.width + s_.valueWidth) + s_.keys * (2 * widthPanels_ + valuePanels_) +
                     block_ * (2 * stride_ + 2 * widthPanels_ + valuePanels_);
    forTasks(context, s_.batches * s_.heads, floats, [&](int64_t task, float* memory) {
      int64_t b = task / s_.heads, h = task % s_.heads;
      head({in.q + q_.at(b, h), in.k + k_.at(b, h), in.v + v_.at(b, h), in.mask == nullptr ? nullptr : in.mask + mask_.at(b, h),
            in.dy + dy_.at(b, h), in.statistics + task * s_.rows * 2},
           out[static_cast<size_t>(dq_.tensor)] + dq_.at(b, h), out[static_cast<size_t>(dk_.tensor)] + dk_.at(b, h),
           out[static_cast<size_t>(dv_.tensor)] + dv_.at(b, h), limits, b, h, memory);
    });
  }

 private:
  struct Operands {
    const float *q, *k, *v, *mask, *dy, *statistics;
  };

  void head(const Operands& in, float* dq, float* dk, float* dv, const std::vector<int64_t>& limits, int64_t b, int64_t h, float* memory) const {
    float* keysTransposed = memory;
    float* valuesTransposed = keysTransposed + keyPanels_ * s_.width;
    float* keys = valuesTransposed + keyPanels_ * s_.valueWidth;
    float* keySums = keys + s_.keys * widthPanels_;
    float* valueSums = keySums + s_.keys * widthPanels_;
    float* weights = valueSums + s_.keys * valuePanels_;
    float* gradients = weights + block_ * stride_;
    float* querySums = gradients + block_ * stride_;
    float* queries = querySums + block_ * widthPanels_;
    float* results = queries + block_ * widthPanels_;
    int64_t panel = ops_.columns;
    ops_.packTransposed(keysTransposed, in.k, k_.row, s_.width, s_.keys);
    ops_.packTransposed(valuesTransposed, in.v, v_.row, s_.valueWidth, s_.keys);
    ops_.pack(keys, in.k, k_.row, s_.keys, s_.width);
    std::fill(keySums, weights, 0.0f);
    bool limited = in.mask != nullptr && maskDecides(in.q, in.k);
    for (int64_t first = 0; first < s_.rows; first += block_) {
      int64_t rows = std::min(block_, s_.rows - first);
      int64_t n = limited ? limitOf(limits, b, h, first, first + rows) : s_.keys;
      const float* q = in.q + first * q_.row;
      const float* dy = in.dy + first * dy_.row;
      multiply(ops_, kByRows, rows, s_.width, q, q_.row, keysTransposed, s_.width * panel, n, weights, stride_, alpha_, false);
      multiply(ops_, kByRows, rows, s_.valueWidth, dy, dy_.row, valuesTransposed, s_.valueWidth * panel, n, gradients, stride_, 1.0f, false);
      for (int64_t r = 0; r < rows; r++) {
        const float* pair = in.statistics + (first + r) * 2;
        ops_.softmaxAgain(weights + r * stride_, in.mask == nullptr ? nullptr : in.mask + (first + r) * mask_.row, n, pair[0], pair[1]);
        ops_.softmaxGradient(gradients + r * stride_, weights + r * stride_, n);
      }
      ops_.pack(queries, q, q_.row, rows, s_.width);
      ops_.pack(results, dy, dy_.row, rows, s_.valueWidth);
      multiply(ops_, kByColumns, n, rows, weights, stride_, results, rows * panel, s_.valueWidth, valueSums, valuePanels_, 1.0f, true);
      multiply(ops_, kByColumns, n, rows, gradients, stride_, queries, rows * panel, s_.width, keySums, widthPanels_, alpha_, true);
      multiply(ops_, kByRows, rows, n, gradients, stride_, keys, s_.keys * panel, s_.width, querySums, widthPanels_, alpha_, false);
      for (int64_t r = 0; r < rows; r++) std::copy_n(querySums + r * widthPanels_, s_.width, dq + (first + r) * dq_.row);
    }
    for (int64_t r = 0; r < s_.keys; r++) {
      std::copy_n(keySums + r * widthPanels_, s_.width, dk + r * dk_.row);
      std::copy_n(valueSums + r * valuePanels_, s_.valueWidth, dv + r * dv_.row);
    }
  }

  View dy_, dq_, dk_, dv_;
};

}  // namespace

std::vector<Op> attentionOps() {
  return {
      {"Attention", [](const Info& info) -> Kernel* { return new Attention(info); }},
      {"AttentionGrad", [](const Info& info) -> Kernel* { return new AttentionGradient(info); }},
  };
}

}  // namespace orbit
