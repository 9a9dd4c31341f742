// Pooling over images [batch, height, width, channels] or [batch, depth, height, width, channels] and its gradients.
#include <algorithm>
#include <limits>

#include "host.h"
#include "tile.h"

namespace orbit {
namespace {

/// The windows of a pooling, from a node's attributes. An image without a depth has the depth 1 here.
struct Windows {
  explicit Windows(const Info& info)
      : xShape(info.ints("x")), yShape(info.ints("y")), x(xShape), y(yShape), kernel(info.ints("kernel")), strides(info.ints("strides")), before(info.ints("before")) {
    size_t axes = kernel.size();
    if ((axes != 2 && axes != 3) || x.size() != axes + 2 || y.size() != axes + 2 || strides.size() != axes || before.size() != axes || x.front() != y.front() || x.back() != y.back())
      throw Failure("attributes that do not fit: x " + text(x) + ", y " + text(y) + ", window " + text(kernel));
    if (axes == 3) return;
    for (Dims* dims : {&x, &y}) dims->insert(dims->begin() + 1, 1);
    for (Dims* dims : {&kernel, &strides}) dims->insert(dims->begin(), 1);
    before.insert(before.begin(), 0);
  }

  int64_t channels() const { return x[4]; }
  int64_t imageSize() const { return x[1] * x[2] * x[3] * x[4]; }
  int64_t outSize() const { return y[1] * y[2] * y[3] * y[4]; }
  /// Rows of an image's results: of all its planes.
  int64_t outRows() const { return y[1] * y[2]; }

  /// Calls `tap(position in x, number of the tap)` for the elements of a window that lie in the image, in reading order.
  template <class Tap>
  void each(int64_t outRow, int64_t outColumn, Tap tap) const {
    int64_t d = outRow / y[2] * strides[0] - before[0], h = outRow % y[2] * strides[1] - before[1], w = outColumn * strides[2] - before[2];
    int64_t fromColumn = std::max<int64_t>(0, -w), toColumn = std::min(kernel[2], x[3] - w);
    for (int64_t k = std::max<int64_t>(0, -d); k < std::min(kernel[0], x[1] - d); k++)
      for (int64_t i = std::max<int64_t>(0, -h); i < std::min(kernel[1], x[2] - h); i++)
        for (int64_t j = fromColumn; j < toColumn; j++)
          tap((((d + k) * x[2] + h + i) * x[3] + w + j) * x[4], static_cast<float>((k * kernel[1] + i) * kernel[2] + j));
  }

  void expect(const Context& context, size_t input, const Dims& shape) const {
    Dims dims = context.inputDims(input);
    if (dims != shape) throw Failure("input " + std::to_string(input) + " has the shape " + text(dims) + ", not " + text(shape));
  }

  Dims xShape, yShape, x, y, kernel, strides, before;
};

class Pooling : public Kernel {
 public:
  explicit Pooling(const Info& info) : w_(info) {}

 protected:
  /// Runs `image(n)` for each image of the batch; each writes only its own memory.
  void forImages(const Context& context, const std::function<void(int64_t)>& image) const {
    context.parallel(static_cast<size_t>(w_.x[0]), [&](size_t n) { image(static_cast<int64_t>(n)); });
  }

  /// Runs `rows(n, first, last)` for parts of images.
  void forRows(const Context& context, const std::function<void(int64_t, int64_t, int64_t)>& rows) const {
    int64_t all = w_.outRows(), parts = w_.x[0] >= poolThreads() ? 1 : std::min<int64_t>(all, poolThreads());
    context.parallel(static_cast<size_t>(w_.x[0] * parts), [&](size_t i) {
      int64_t n = static_cast<int64_t>(i) / parts, part = static_cast<int64_t>(i) % parts;
      rows(n, all * part / parts, all * (part + 1) / parts);
    });
  }

  Windows w_;
  bool verified_ = false;
};

class Forward final : public Pooling {
 public:
  Forward(const Info& info, bool average) : Pooling(info), average_(average) {}

  void run(const Context& context) override {
    if (!verified_) w_.expect(context, 0, w_.xShape);
    verified_ = true;
    const float* x = context.input(0);
    float* y = context.output(0, w_.yShape);
    const TileOps& ops = tileOps();
    size_t channels = static_cast<size_t>(w_.channels());
    forRows(context, [&](int64_t n, int64_t first, int64_t last) {
      const float* image = x + n * w_.imageSize();
      float* out = y + n * w_.outSize() + first * w_.y[3] * w_.channels();
      for (int64_t row = first; row < last; row++)
        for (int64_t column = 0; column < w_.y[3]; column++, out += channels) {
          ops.fill(out, average_ ? 0.0f : -std::numeric_limits<float>::infinity(), channels);
          int64_t count = 0;
          w_.each(row, column, [&](int64_t at, float) {
            if (average_) ops.accumulate(out, image + at, channels);
            else ops.larger(out, image + at, channels);
            count++;
          });
          if (average_) {
            // A window that holds nothing gives 0 / 0, or 0 in space, as in tfjs.
            float size = static_cast<float>(w_.x.size() == w_.xShape.size() ? std::max<int64_t>(1, count) : count);
            for (size_t c = 0; c < channels; c++) out[c] /= size;
          }
        }
    });
  }

 private:
  bool average_;
};

/// One of equal maxima gets the gradient: of a plane the first, of a space the last, as in tfjs.
class MaxGradient final : public Pooling {
 public:
  explicit MaxGradient(const Info& info) : Pooling(info), last_(w_.xShape.size() == 5) {}

  void run(const Context& context) override {
    if (!verified_) {
      w_.expect(context, 0, w_.yShape);
      w_.expect(context, 1, w_.xShape);
      verified_ = true;
    }
    const float* dy = context.input(0);
    const float* x = context.input(1);
    float* dx = context.output(0, w_.xShape);
    const TileOps& ops = tileOps();
    size_t channels = static_cast<size_t>(w_.channels());
    forImages(context, [&](int64_t n) {
      std::vector<float> best(channels), place(channels);
      const float* image = x + n * w_.imageSize();
      const float* gradient = dy + n * w_.outSize();
      float* out = dx + n * w_.imageSize();
      std::fill(out, out + w_.imageSize(), 0.0f);
      for (int64_t row = 0; row < w_.outRows(); row++)
        for (int64_t column = 0; column < w_.y[3]; column++, gradient += channels) {
          ops.fill(best.data(), -std::numeric_limits<float>::infinity(), channels);
          ops.fill(place.data(), -1.0f, channels);
          w_.each(row, column, [&](int64_t at, float tap) { (last_ ? ops.reach : ops.raise)(best.data(), place.data(), image + at, tap, channels); });
          w_.each(row, column, [&](int64_t at, float tap) { ops.addWhere(out + at, gradient, place.data(), tap, channels); });
        }
    });
  }

 private:
  bool last_;
};

/// Every element of a window gets the gradient divided by the whole window, padding included.
class AverageGradient final : public Pooling {
 public:
  explicit AverageGradient(const Info& info) : Pooling(info) {}

  void run(const Context& context) override {
    if (!verified_) w_.expect(context, 0, w_.yShape);
    verified_ = true;
    const float* dy = context.input(0);
    float* dx = context.output(0, w_.xShape);
    const TileOps& ops = tileOps();
    size_t channels = static_cast<size_t>(w_.channels());
    float share = 1.0f / static_cast<float>(w_.kernel[0] * w_.kernel[1] * w_.kernel[2]);
    forImages(context, [&](int64_t n) {
      const float* gradient = dy + n * w_.outSize();
      float* out = dx + n * w_.imageSize();
      std::fill(out, out + w_.imageSize(), 0.0f);
      for (int64_t row = 0; row < w_.outRows(); row++)
        for (int64_t column = 0; column < w_.y[3]; column++, gradient += channels)
          w_.each(row, column, [&](int64_t at, float) { ops.addScaled(out + at, gradient, share, channels); });
    });
  }
};

}  // namespace

std::vector<Op> poolingOps() {
  auto most = [](const Info& info) -> Kernel* { return new Forward(info, false); };
  auto average = [](const Info& info) -> Kernel* { return new Forward(info, true); };
  auto mostGradient = [](const Info& info) -> Kernel* { return new MaxGradient(info); };
  auto averageGradient = [](const Info& info) -> Kernel* { return new AverageGradient(info); };
  return {{"MaxPool", most},     {"AvgPool", average},     {"MaxPoolGrad", mostGradient},     {"AvgPoolGrad", averageGradient},
          {"MaxPool3D", most},   {"AvgPool3D", average},   {"MaxPool3DGrad", mostGradient},   {"AvgPool3DGrad", averageGradient}};
}

}  // namespace orbit
