// Pooling over images [batch, height, width, channels] and its gradients.
#include <algorithm>
#include <limits>

#include "host.h"
#include "tile.h"

namespace orbit {
namespace {

/// The windows of a pooling, from a node's attributes.
struct Windows {
  explicit Windows(const Info& info)
      : x(info.ints("x")), y(info.ints("y")), kernel(info.ints("kernel")), strides(info.ints("strides")), before(info.ints("before")) {
    if (x.size() != 4 || y.size() != 4 || kernel.size() != 2 || strides.size() != 2 || before.size() != 2 || x[0] != y[0] || x[3] != y[3])
      throw Failure("attributes that do not fit: x " + text(x) + ", y " + text(y) + ", window " + text(kernel));
  }

  int64_t channels() const { return x[3]; }
  int64_t imageSize() const { return x[1] * x[2] * x[3]; }
  int64_t outSize() const { return y[1] * y[2] * y[3]; }

  /// Calls `tap(position in x, number of the tap)` for the elements of a window that lie in the image, in reading order.
  template <class Tap>
  void each(int64_t h, int64_t w, Tap tap) const {
    for (int64_t i = 0; i < kernel[0]; i++) {
      int64_t row = h * strides[0] - before[0] + i;
      if (row < 0 || row >= x[1]) continue;
      for (int64_t j = 0; j < kernel[1]; j++) {
        int64_t column = w * strides[1] - before[1] + j;
        if (column >= 0 && column < x[2]) tap((row * x[2] + column) * x[3], static_cast<float>(i * kernel[1] + j));
      }
    }
  }

  void expect(const Context& context, size_t input, const Dims& shape) const {
    Dims dims = context.inputDims(input);
    if (dims != shape) throw Failure("input " + std::to_string(input) + " has the shape " + text(dims) + ", not " + text(shape));
  }

  Dims x, y, kernel, strides, before;
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
    int64_t parts = w_.x[0] >= poolThreads() ? 1 : std::min<int64_t>(w_.y[1], poolThreads());
    context.parallel(static_cast<size_t>(w_.x[0] * parts), [&](size_t i) {
      int64_t n = static_cast<int64_t>(i) / parts, part = static_cast<int64_t>(i) % parts;
      rows(n, w_.y[1] * part / parts, w_.y[1] * (part + 1) / parts);
    });
  }

  Windows w_;
  bool verified_ = false;
};

class Forward final : public Pooling {
 public:
  Forward(const Info& info, bool average) : Pooling(info), average_(average) {}

  void run(const Context& context) override {
    if (!verified_) w_.expect(context, 0, w_.x);
    verified_ = true;
    const float* x = context.input(0);
    float* y = context.output(0, w_.y);
    const TileOps& ops = tileOps();
    size_t channels = static_cast<size_t>(w_.channels());
    forRows(context, [&](int64_t n, int64_t first, int64_t last) {
      const float* image = x + n * w_.imageSize();
      float* out = y + n * w_.outSize() + first * w_.y[2] * w_.channels();
      for (int64_t h = first; h < last; h++)
        for (int64_t w = 0; w < w_.y[2]; w++, out += channels) {
          ops.fill(out, average_ ? 0.0f : -std::numeric_limits<float>::infinity(), channels);
          int64_t count = 0;
          w_.each(h, w, [&](int64_t at, float) {
            if (average_) ops.accumulate(out, image + at, channels);
            else ops.larger(out, image + at, channels);
            count++;
          });
          if (average_) {
            float size = static_cast<float>(count);
            for (size_t c = 0; c < channels; c++) out[c] /= size;
          }
        }
    });
  }

 private:
  bool average_;
};

class MaxGradient final : public Pooling {
 public:
  explicit MaxGradient(const Info& info) : Pooling(info) {}

  void run(const Context& context) override {
    if (!verified_) {
      w_.expect(context, 0, w_.y);
      w_.expect(context, 1, w_.x);
      verified_ = true;
    }
    const float* dy = context.input(0);
    const float* x = context.input(1);
    float* dx = context.output(0, w_.x);
    const TileOps& ops = tileOps();
    size_t channels = static_cast<size_t>(w_.channels());
    forImages(context, [&](int64_t n) {
      std::vector<float> best(channels), place(channels);
      const float* image = x + n * w_.imageSize();
      const float* gradient = dy + n * w_.outSize();
      float* out = dx + n * w_.imageSize();
      std::fill(out, out + w_.imageSize(), 0.0f);
      for (int64_t h = 0; h < w_.y[1]; h++)
        for (int64_t w = 0; w < w_.y[2]; w++, gradient += channels) {
          ops.fill(best.data(), -std::numeric_limits<float>::infinity(), channels);
          ops.fill(place.data(), -1.0f, channels);
          // The first of equal maxima gets the gradient.
          w_.each(h, w, [&](int64_t at, float tap) { ops.raise(best.data(), place.data(), image + at, tap, channels); });
          w_.each(h, w, [&](int64_t at, float tap) { ops.addWhere(out + at, gradient, place.data(), tap, channels); });
        }
    });
  }
};

/// Every element of a window gets the gradient divided by the whole window, padding included.
class AverageGradient final : public Pooling {
 public:
  explicit AverageGradient(const Info& info) : Pooling(info) {}

  void run(const Context& context) override {
    if (!verified_) w_.expect(context, 0, w_.y);
    verified_ = true;
    const float* dy = context.input(0);
    float* dx = context.output(0, w_.x);
    const TileOps& ops = tileOps();
    size_t channels = static_cast<size_t>(w_.channels());
    float share = 1.0f / static_cast<float>(w_.kernel[0] * w_.kernel[1]);
    forImages(context, [&](int64_t n) {
      const float* gradient = dy + n * w_.outSize();
      float* out = dx + n * w_.imageSize();
      std::fill(out, out + w_.imageSize(), 0.0f);
      for (int64_t h = 0; h < w_.y[1]; h++)
        for (int64_t w = 0; w < w_.y[2]; w++, gradient += channels)
          w_.each(h, w, [&](int64_t at, float) { ops.addScaled(out + at, gradient, share, channels); });
    });
  }
};

}  // namespace

std::vector<Op> poolingOps() {
  return {
      {"MaxPool", [](const Info& info) -> Kernel* { return new Forward(info, false); }},
      {"AvgPool", [](const Info& info) -> Kernel* { return new Forward(info, true); }},
      {"MaxPoolGrad", [](const Info& info) -> Kernel* { return new MaxGradient(info); }},
      {"AvgPoolGrad", [](const Info& info) -> Kernel* { return new AverageGradient(info); }},
  };
}

}  // namespace orbit
