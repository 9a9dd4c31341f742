// orbit.TransposedProduct: alpha · aᵀ · b of two tall matrices, the gradient by a layer's weights. Few results, each the sum of many
// products: the sum is cut into parts as well as the result into blocks, and both operands are packed as they are read.
#include <algorithm>

#include "gemm.h"

namespace orbit {
namespace {

/// Rows and columns of a task's block of the result.
constexpr int64_t kBlock = 512;
/// Floats of both packed operands, which stay in the second-level cache.
constexpr int64_t kPacked = 80 * 1024;
/// Products of a sum that are added up in registers.
constexpr int64_t kLongest = 256;
/// A part of a sum has at least so many products.
constexpr int64_t kShortestPart = 256;

class TransposedProduct final : public Kernel {
 public:
  explicit TransposedProduct(const Info& info) : name_(info.nodeName()), ops_(gemmOps()), alpha_(info.floats("alpha").at(0)) {
    Dims dims = info.ints("dims");
    auto shapes = splitShapes(info.ints("shapes"));
    if (dims.size() != 3 || shapes.size() != 1 || *std::min_element(dims.begin(), dims.end()) < 1 || product(shapes[0]) != dims[1] * dims[2])
      fail("attributes that do not fit: dims " + text(dims));
    k_ = dims[0];
    m_ = dims[1];
    n_ = dims[2];
    shape_ = shapes[0];
    columns_ = (n_ + ops_.columns - 1) / ops_.columns * ops_.columns;
    rowBlocks_ = (m_ + kBlock - 1) / kBlock;
    columnBlocks_ = (n_ + kBlock - 1) / kBlock;
    parts_ = std::clamp<int64_t>((2 * poolThreads() + rowBlocks_ * columnBlocks_ - 1) / (rowBlocks_ * columnBlocks_), 1,
                                 std::max<int64_t>(1, k_ / kShortestPart));
    int64_t floats = std::min(m_, kBlock) + std::min(columns_, kBlock);
    length_ = std::clamp<int64_t>(kPacked / floats / 32 * 32, 64, kLongest);
  }

  void run(const Context& context) override {
    if (!verified_) verifyInputs(context);
    const float *a = context.input(0), *b = context.input(1);
    float* out = context.output(0, shape_);
    // Blocks have whole panels of columns: only then the result itself can take them.
    bool direct = parts_ == 1 && columns_ == n_;
    float* sums = direct ? out : static_cast<float*>(context.scratch(static_cast<size_t>(parts_ * m_ * columns_) * sizeof(float)));
    int64_t panels = (std::min(m_, kBlock) + ops_.rows - 1) / ops_.rows;
    int64_t floats = (panels * ops_.rows + std::min(columns_, kBlock)) * length_;
    int64_t blocks = rowBlocks_ * columnBlocks_;
    forTasks(context, parts_ * blocks, floats, [&](int64_t task, float* memory) {
      int64_t part = task / blocks, row = task % blocks / columnBlocks_, column = task % columnBlocks_;
      Range rows{m_ * row / rowBlocks_, m_ * (row + 1) / rowBlocks_};
      Range columns{kBlock * column, std::min(n_, kBlock * (column + 1))};
      block(a, b, sums + part * m_ * columns_, rows, columns, {k_ * part / parts_, k_ * (part + 1) / parts_}, memory);
    });
    if (!direct) add(context, sums, out);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Failure("node " + name_ + ": " + what); }

  struct Range {
    int64_t first, last;
    int64_t size() const { return last - first; }
  };

  void verifyInputs(const Context& context) {
    Dims a = context.inputDims(0), b = context.inputDims(1);
    if (context.inputCount() != 2 || product(a) != k_ * m_ || product(b) != k_ * n_)
      fail("operands of shape " + text(a) + " and " + text(b) + ", not " + text({k_, m_}) + " and " + text({k_, n_}));
    verified_ = true;
  }

  void block(const float* a, const float* b, float* sums, Range rows, Range columns, Range sum, float* memory) const {
    int64_t panels = (rows.size() + ops_.rows - 1) / ops_.rows;
    auto at = [&](int64_t panel) { return rows.size() * panel / panels; }; // panels of nearly equal heights
    float* right = memory + panels * ops_.rows * length_;
    for (int64_t first = sum.first; first < sum.last; first += length_) {
      int64_t length = std::min(length_, sum.last - first);
      ops_.pack(right, b + first * n_ + columns.first, n_, length, columns.size());
      for (int64_t p = 0; p < panels; p++)
        ops_.packRows(memory + p * ops_.rows * length, a + first * m_ + rows.first + at(p), m_, length, at(p + 1) - at(p));
      for (int64_t j = 0; j < columns.size(); j += ops_.columns)
        for (int64_t p = 0; p < panels; p++)
          ops_.multiply[kByColumns](at(p + 1) - at(p), length, memory + p * ops_.rows * length, ops_.rows, right + j * length, ops_.columns,
                                    sums + (rows.first + at(p)) * columns_ + columns.first + j, columns_, alpha_, first > sum.first);
    }
  }

  /// Adds the parts up in their order.
  void add(const Context& context, const float* sums, float* out) const {
    int64_t tasks = std::clamp<int64_t>(m_ * n_ * parts_ / 16384, 1, std::min<int64_t>(m_, 4 * poolThreads()));
    context.parallel(static_cast<size_t>(tasks), [&](size_t task) {
      for (int64_t i = m_ * static_cast<int64_t>(task) / tasks; i < m_ * (static_cast<int64_t>(task) + 1) / tasks; i++) {
        float* to = out + i * n_;
        std::copy_n(sums + i * columns_, n_, to);
        for (int64_t p = 1; p < parts_; p++) {
          const float* more = sums + (p * m_ + i) * columns_;
          for (int64_t j = 0; j < n_; j++) to[j] += more[j];
        }
      }
    });
  }

  std::string name_;
  const GemmOps& ops_;
  float alpha_;
  int64_t k_, m_, n_;
  Dims shape_;
  int64_t columns_;  // n in whole panels
  int64_t rowBlocks_, columnBlocks_, parts_;
  int64_t length_;  // products that are packed at a time
  bool verified_ = false;
};

}  // namespace

std::vector<Op> productOps() {
  return {{"TransposedProduct", [](const Info& info) -> Kernel* { return new TransposedProduct(info); }}};
}

}  // namespace orbit
