// 3×3 convolutions and their gradients by Winograd's F(2×2, 3×3): images are cut into overlapping 4×4 patches; each
// transformed patch gives 2×2 pixels with 16 products per pair of channels. Some thousand numbers at a time stay in the cache
// from the patches to the results.
#include <algorithm>
#include <cstring>
#include <memory>

#include "convolution.h"
#include "tile.h"
#include "winograd.h"

namespace orbit {

const WinogradOps& winogradOpsBaseline();
#if defined(__x86_64__) || defined(_M_X64)
const WinogradOps& winogradOpsAvx2();
const WinogradOps& winogradOpsAvx512();
#endif

namespace {

const WinogradOps& winogradOps() {
#if defined(__x86_64__) || defined(_M_X64)
  // One choice for all kernels, made with the tables of elementwise arithmetic.
  if (std::strcmp(tileOpsName(), "AVX512") == 0) return winogradOpsAvx512();
  if (std::strcmp(tileOpsName(), "AVX2") == 0) return winogradOpsAvx2();
#endif
  return winogradOpsBaseline();
}


/// Floats of a block's transformed patches and results.
constexpr int64_t kBlockFloats = 48 * 1024;

/// Floats of the sums that tasks of a filter gradient keep, each for itself: 64 MB.
constexpr int64_t kPartialFloats = 16 * 1024 * 1024;
/// Below so many tiles, transforming the filter costs more than it saves.
constexpr int64_t kFewestTiles = 48;
/// Pairs of channels up to which sums of a filter gradient are kept by each task.
constexpr int64_t kMostPairs = 256 * 256;

/// Memory that a thread keeps from call to call, so that it stays in its cache.
float* workspace(size_t floats) {
  thread_local std::unique_ptr<float[]> memory;
  thread_local size_t size = 0;
  if (floats + 16 > size) {
    size = floats + 16;
    memory.reset(new float[size]);
  }
  return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(memory.get()) + 63) & ~uintptr_t{63});
}

/// The image that patches are cut from, and the tiles of results.
struct Plan {
  Plan(const Dims& in, const Dims& out, int64_t above, int64_t left)
      : height(in[1]), width(in[2]), channels(in[3]), outHeight(out[1]), outWidth(out[2]), outChannels(out[3]), above(above), left(left),
        down((outHeight + 1) / 2), across((outWidth + 1) / 2), tiles(in[0] * down * across), zeros(static_cast<size_t>(std::max(channels, outChannels))) {
    perBlock = std::max<int64_t>(24, kBlockFloats / (static_cast<int64_t>(kWinograd) * (channels + outChannels)) / 24 * 24);
    blocks = (tiles + perBlock - 1) / perBlock;
  }

  /// Floats from one of the 16 planes of a block to the next: no two at the same place of a page.
  size_t plane(int64_t of) const { return static_cast<size_t>(perBlock * of + 16); }

  int64_t height, width, channels, outHeight, outWidth, outChannels, above, left, down, across, tiles;
  std::vector<float> zeros;
  int64_t perBlock, blocks;
};

/// Walks over the tiles, row by row and image by image.
class Walk {
 public:
  Walk(const Plan& plan, int64_t tile) : plan_(&plan), n_(tile / (plan.down * plan.across)), row_(tile / plan.across % plan.down), column_(tile % plan.across) {}

  void next() {
    if (++column_ < plan_->across) return;
    column_ = 0;
    if (++row_ < plan_->down) return;
    row_ = 0;
    n_++;
  }

  /// The 16 pixels of the tile's patch; zeros around the image.
  void patch(const float* image, const float** at) const {
    int64_t top = 2 * row_ - plan_->above, left = 2 * column_ - plan_->left;
    const float* corner = image + ((n_ * plan_->height + top) * plan_->width + left) * plan_->channels;
    bool within = left >= 0 && left + 4 <= plan_->width;
    for (int64_t i = 0; i < 4; i++, at += 4, corner += plan_->width * plan_->channels) {
      bool inside = top + i >= 0 && top + i < plan_->height;
      for (int64_t j = 0; j < 4; j++) at[j] = inside && (within || (left + j >= 0 && left + j < plan_->width)) ? corner + j * plan_->channels : plan_->zeros.data();
    }
  }

  /// The 4 pixels of the tile; `none` outside the image.
  template <class Float>
  void pixels(Float* image, Float* none, Float** at) const {
    int64_t top = 2 * row_, left = 2 * column_;
    Float* corner = image + ((n_ * plan_->outHeight + top) * plan_->outWidth + left) * plan_->outChannels;
    bool right = left + 1 < plan_->outWidth, below = top + 1 < plan_->outHeight;
    Float* under = corner + plan_->outWidth * plan_->outChannels;
    at[0] = corner;
    at[1] = right ? corner + plan_->outChannels : none;
    at[2] = below ? under : none;
    at[3] = right && below ? under + plan_->outChannels : none;
  }

 private:
  const Plan* plan_;
  int64_t n_, row_, column_;
};

/// Runs `body(task, first, last)` for parts of a plan's blocks.
template <class Body>
void forBlocks(const Context& context, const Plan& plan, int64_t tasks, Body body) {
  context.parallel(static_cast<size_t>(tasks), [&](size_t t) {
    int64_t task = static_cast<int64_t>(t);
    body(task, plan.blocks * task / tasks, plan.blocks * (task + 1) / tasks);
  });
}

/// Calls `panel(first column, wide)` for columns two vectors at a time.
template <class Panel>
void forColumns(int64_t columns, int64_t lanes, Panel panel) {
  for (int64_t first = 0; first < columns; first += 2 * lanes) panel(first, columns - first > lanes);
}

/// A transformed filter, by element: the columns in panels of two vectors, each with all rows.
class Filter {
 public:
  /// `turned`: for the gradient by the input, turned by 180° and with the channels exchanged.
  Filter(const Context& context, const float* filter, int64_t in, int64_t out, bool turned)
      : data(static_cast<float*>(context.scratch(kWinograd * static_cast<size_t>(in * out) * sizeof(float)))) {
    const WinogradOps& ops = winogradOps();
    int64_t lanes = static_cast<int64_t>(ops.lanes), size = in * out;
    int64_t rows = turned ? out : in, columns = turned ? in : out;
    int64_t tasks = std::min(rows, std::max<int64_t>(1, size / 1024));
    context.parallel(static_cast<size_t>(tasks), [&](size_t t) {
      int64_t last = rows * (static_cast<int64_t>(t) + 1) / tasks;
      for (int64_t r = rows * static_cast<int64_t>(t) / tasks; r < last; r++)
        forColumns(columns, lanes, [&](int64_t first, bool wide) {
          int64_t count = wide ? 2 * lanes : lanes;
          const float* from = turned ? filter + 8 * size + first * out + r : filter + r * out + first;
          ops.filter(from, turned ? -size : size, turned ? out : 1, data + first * rows + r * count, static_cast<size_t>(size), static_cast<size_t>(count));
        });
    });
  }
  float* data;
};

void convolve(const Context& context, const Plan& plan, const float* x, const Filter& filter, const float* bias, bool relu, float* y) {
  const WinogradOps& ops = winogradOps();
  int64_t in = plan.channels, out = plan.outChannels;
  size_t inPlane = plan.plane(in), outPlane = plan.plane(out);
  forBlocks(context, plan, std::min<int64_t>(plan.blocks, 4 * poolThreads()), [&](int64_t, int64_t begin, int64_t end) {
    float* patches = workspace(kWinograd * (inPlane + outPlane));
    float* sums = patches + kWinograd * inPlane;
    for (int64_t b = begin; b < end; b++) {
      int64_t first = b * plan.perBlock, count = std::min(plan.perBlock, plan.tiles - first);
      Walk walk(plan, first);
      for (int64_t i = 0; i < count; i++, walk.next()) {
        const float* at[16];
        walk.patch(x, at);
        ops.patch(at, patches + i * in, inPlane, static_cast<size_t>(in));
      }
      for (size_t e = 0; e < kWinograd; e++)
        forColumns(out, static_cast<int64_t>(ops.lanes), [&](int64_t column, bool wide) {
          size_t width = wide ? 2 * ops.lanes : ops.lanes;
          ops.multiply({patches + e * inPlane, static_cast<size_t>(in), 1, filter.data + static_cast<int64_t>(e) * in * out + column * in, width,
                        sums + e * outPlane + column, static_cast<size_t>(out), static_cast<size_t>(count), static_cast<size_t>(in), false},
                       wide);
        });
      walk = Walk(plan, first);
      for (int64_t i = 0; i < count; i++, walk.next()) {
        float* to[4];
        walk.pixels<float>(y, nullptr, to);
        ops.pixels(sums + i * out, outPlane, to, bias, relu, static_cast<size_t>(out));
      }
    }
  });
}

class Forward final : public Convolution {
 public:
  explicit Forward(const Info& info)
      : Convolution(info), bias_(info.integer("bias") != 0), relu_(info.integer("relu") != 0), plan_(g_.x, g_.y, g_.before[0], g_.before[1]) {}

 private:
  void compute(const Context& context) override {
    expect(context, bias_ ? std::vector<Dims>{g_.x, g_.filter, {g_.y.back()}} : std::vector<Dims>{g_.x, g_.filter});
    Filter filter(context, context.input(1), g_.x[3], g_.y[3], false);
    convolve(context, plan_, context.input(0), filter, bias_ ? context.input(2) : nullptr, relu_, context.output(0, g_.y));
  }

  bool bias_, relu_;
  Plan plan_;
};

class InputGradient final : public Convolution {
 public:
  explicit InputGradient(const Info& info) : Convolution(info), plan_(g_.y, g_.x, 2 - g_.before[0], 2 - g_.before[1]) {}

 private:
  void compute(const Context& context) override {
    expect(context, {g_.y, g_.filter});
    Filter filter(context, context.input(1), g_.x[3], g_.y[3], true);
    convolve(context, plan_, context.input(0), filter, nullptr, false, context.output(0, g_.x));
  }

  Plan plan_;
};

class FilterGradient final : public Convolution {
 public:
  explicit FilterGradient(const Info& info) : Convolution(info), plan_(g_.x, g_.y, g_.before[0], g_.before[1]) {}

 private:
  void compute(const Context& context) override {
    expect(context, {g_.x, g_.y});
    const WinogradOps& ops = winogradOps();
    const float* x = context.input(0);
    const float* dy = context.input(1);
    float* to = context.output(0, g_.filter);
    int64_t in = plan_.channels, out = plan_.outChannels, size = in * out, all = static_cast<int64_t>(kWinograd) * size;
    size_t inPlane = plan_.plane(in), outPlane = plan_.plane(out);
    int64_t tasks = std::min({plan_.blocks, static_cast<int64_t>(2 * poolThreads()), std::max<int64_t>(1, kPartialFloats / all)});
    float* partial = static_cast<float*>(context.scratch(static_cast<size_t>(tasks * all) * sizeof(float)));
    forBlocks(context, plan_, tasks, [&](int64_t task, int64_t begin, int64_t end) {
      float* patches = workspace(kWinograd * (inPlane + outPlane));
      float* gradients = patches + kWinograd * inPlane;
      for (int64_t b = begin; b < end; b++) {
        int64_t first = b * plan_.perBlock, count = std::min(plan_.perBlock, plan_.tiles - first);
        Walk walk(plan_, first);
        for (int64_t i = 0; i < count; i++, walk.next()) {
          const float* at[16];
          walk.patch(x, at);
          ops.patch(at, patches + i * in, inPlane, static_cast<size_t>(in));
          walk.pixels<const float>(dy, plan_.zeros.data(), at);
          ops.tile(at, gradients + i * out, outPlane, static_cast<size_t>(out));
        }
        for (size_t e = 0; e < kWinograd; e++)
          forColumns(out, static_cast<int64_t>(ops.lanes), [&](int64_t column, bool wide) {
            ops.multiply({patches + e * inPlane, 1, static_cast<size_t>(in), gradients + e * outPlane + column, static_cast<size_t>(out),
                          partial + task * all + static_cast<int64_t>(e) * size + column, static_cast<size_t>(out), static_cast<size_t>(in),
                          static_cast<size_t>(count), b > begin},
                         wide);
          });
      }
    });
    int64_t parts = std::min(in, std::max<int64_t>(1, tasks * all / 65536));
    context.parallel(static_cast<size_t>(parts), [&](size_t p) {
      float* sums = workspace(kWinograd * static_cast<size_t>(out));
      int64_t last = in * (static_cast<int64_t>(p) + 1) / parts;
      for (int64_t row = in * static_cast<int64_t>(p) / parts; row < last; row++) {
        for (int64_t e = 0; e < static_cast<int64_t>(kWinograd); e++)
          for (int64_t c = 0; c < out; c++) {
            float sum = 0;
            for (int64_t t = 0; t < tasks; t++) sum += partial[t * all + e * size + row * out + c];
            sums[e * out + c] = sum;
          }
        ops.taps(sums, static_cast<size_t>(out), to + row * out, static_cast<size_t>(size), static_cast<size_t>(out));
      }
    });
  }

  Plan plan_;
};

}  // namespace

bool fitsWinograd(const Geometry& g) {
  auto all = [](const Dims& dims, auto test) { return std::all_of(dims.begin(), dims.end(), test); };
  auto fits = [](int64_t channels) { return channels >= 16 && channels % static_cast<int64_t>(winogradOps().lanes) == 0; };
  return g.strides.size() == 2 && !g.depthwise && g.filter[0] == 3 && g.filter[1] == 3 && g.filter[2] == g.x[3] && fits(g.x[3]) && fits(g.y[3]) &&
         all(g.strides, [](int64_t s) { return s == 1; }) && all(g.dilations, [](int64_t d) { return d == 0; }) &&
         all(g.before, [](int64_t p) { return p <= 2; }) && g.y[0] * ((g.y[1] + 1) / 2) * ((g.y[2] + 1) / 2) >= kFewestTiles;
}

bool fitsWinogradFilterGradient(const Geometry& g) { return fitsWinograd(g) && g.x[3] * g.y[3] <= kMostPairs; }

Kernel* winogradForward(const Info& info) { return new Forward(info); }
Kernel* winogradInputGradient(const Info& info) { return new InputGradient(info); }
Kernel* winogradFilterGradient(const Info& info) { return new FilterGradient(info); }

}  // namespace orbit
