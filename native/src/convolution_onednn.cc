// Convolutions and their gradients by oneDNN, and the choice of who computes one.
#include <cstring>

#include "convolution.h"
#include "onednn.h"

namespace orbit {
namespace {

using dnnl::algorithm;
using dnnl::prop_kind;
using Desc = dnnl::memory::desc;

/// Batch, channels, then the spatial axes: the order of dimensions in oneDNN. In memory the channels come last.
Desc image(const Dims& shape) {
  Dims dims{shape.front(), shape.back()};
  dims.insert(dims.end(), shape.begin() + 1, shape.end() - 1);
  std::vector<int> order{0};
  for (size_t i = 2; i < shape.size(); i++) order.push_back(static_cast<int>(i));
  order.push_back(1);
  return ordered(dims, order);
}

/// The filter as it lies in memory.
Desc plainFilter(const Geometry& g) {
  size_t axes = g.strides.size();
  int64_t in = g.filter[axes], out = g.filter[axes + 1];
  Dims dims = g.depthwise ? Dims{in, out, 1} : Dims{out, in};
  int first = static_cast<int>(dims.size());
  dims.insert(dims.end(), g.filter.begin(), g.filter.begin() + static_cast<std::ptrdiff_t>(axes));
  std::vector<int> order;
  for (size_t i = 0; i < axes; i++) order.push_back(first + static_cast<int>(i));
  if (g.depthwise) order.insert(order.end(), {0, 1, 2});
  else order.insert(order.end(), {1, 0});
  return ordered(dims, order);
}

/// The filter in whatever form the primitive likes best.
Desc anyFilter(const Geometry& g) { return Desc(plainFilter(g).get_dims(), dnnl::memory::data_type::f32, dnnl::memory::format_tag::any); }

Desc biasOf(const Geometry& g) { return Desc({g.y.back()}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a); }

dnnl::convolution_forward::primitive_desc forward(const Geometry& g, const dnnl::primitive_attr& attributes, bool bias) {
  if (bias)
    return {cpu(), prop_kind::forward_training, algorithm::convolution_direct, image(g.x), anyFilter(g), biasOf(g), image(g.y),
            g.strides, g.dilations, g.before, g.after, attributes};
  return {cpu(), prop_kind::forward_training, algorithm::convolution_direct, image(g.x), anyFilter(g), image(g.y),
          g.strides, g.dilations, g.before, g.after, attributes};
}

/// The first implementation on oneDNN's list, unless it is one that the next is faster than: with strides, the input gradient by
/// batched products took 1.1 to 1.7 times as long as the direct one (2 cores, AVX2, 16 to 64 channels).
template <class Described>
Described chosen(Described described) {
  Described next = described;
  if (std::strncmp(described.impl_info_str(), "brgconv_strided", 15) == 0 && next.next_impl() && std::strncmp(next.impl_info_str(), "jit", 3) == 0) return next;
  return described;
}

/// A gradient's description, with the forward convolution that oneDNN asks for as a hint.
template <class Described>
Described gradient(const Geometry& g) {
  Maker maker;
  return chosen(Described(cpu(), algorithm::convolution_direct, image(g.x), anyFilter(g), image(g.y), g.strides, g.dilations, g.before, g.after,
                          forward(g, maker.attributes, false), maker.attributes));
}

/// The filter of a step, in the form that a primitive likes.
class PackedFilter {
 public:
  PackedFilter() = default;
  PackedFilter(const Geometry& g, const Desc& packed) : plain_(plainFilter(g)), packed_(packed), pack_(plain_, packed) {}
  dnnl::memory of(Execution& run, const float* filter) const {
    auto plain = run.memory(plain_, filter);
    if (!pack_.needed()) return plain;
    auto packed = run.memory(packed_);
    pack_.run(run, plain, packed);
    return packed;
  }

 private:
  Desc plain_, packed_;
  Reorder pack_;
};

/// A convolution whose primitive oneDNN makes; its errors tell shapes, too.
class Primitive : public Convolution {
 public:
  using Convolution::Convolution;

 protected:
  template <class Make>
  void prepare(Make make) const {
    try {
      make();
    } catch (const std::exception& e) {
      throw Failure(std::string(e.what()) + ": " + g_.describe());
    }
  }

  Desc scratchpad_;
};

class Forward final : public Primitive {
 public:
  explicit Forward(const Info& info) : Primitive(info), bias_(info.integer("bias") != 0) {
    prepare([&] {
      Maker maker;
      if (info.integer("relu") != 0) {
        dnnl::post_ops after;
        after.append_eltwise(algorithm::eltwise_relu, 0.0f, 0.0f);
        maker.attributes.set_post_ops(after);
      }
      auto described = forward(g_, maker.attributes, bias_);
      primitive_ = dnnl::convolution_forward(described);
      scratchpad_ = described.scratchpad_desc();
      filter_ = PackedFilter(g_, described.weights_desc());
    });
  }

 private:
  void compute(const Context& context) override {
    expect(context, bias_ ? std::vector<Dims>{g_.x, g_.filter, {g_.y.back()}} : std::vector<Dims>{g_.x, g_.filter});
    Execution run(context);
    std::unordered_map<int, dnnl::memory> arguments{
        {DNNL_ARG_SRC, run.memory(image(g_.x), context.input(0))},
        {DNNL_ARG_WEIGHTS, filter_.of(run, context.input(1))},
        {DNNL_ARG_DST, run.memory(image(g_.y), context.output(0, g_.y))},
    };
    if (bias_) arguments.insert({DNNL_ARG_BIAS, run.memory(biasOf(g_), context.input(2))});
    run.run(primitive_, scratchpad_, std::move(arguments));
  }

  bool bias_;
  dnnl::convolution_forward primitive_;
  PackedFilter filter_;
};

class InputGradient final : public Primitive {
 public:
  explicit InputGradient(const Info& info) : Primitive(info) {
    prepare([&] {
      auto described = gradient<dnnl::convolution_backward_data::primitive_desc>(g_);
      primitive_ = dnnl::convolution_backward_data(described);
      scratchpad_ = described.scratchpad_desc();
      filter_ = PackedFilter(g_, described.weights_desc());
    });
  }

 private:
  void compute(const Context& context) override {
    expect(context, {g_.y, g_.filter});
    Execution run(context);
    run.run(primitive_, scratchpad_,
            {{DNNL_ARG_DIFF_DST, run.memory(image(g_.y), context.input(0))},
             {DNNL_ARG_WEIGHTS, filter_.of(run, context.input(1))},
             {DNNL_ARG_DIFF_SRC, run.memory(image(g_.x), context.output(0, g_.x))}});
  }

  dnnl::convolution_backward_data primitive_;
  PackedFilter filter_;
};

class FilterGradient final : public Primitive {
 public:
  explicit FilterGradient(const Info& info) : Primitive(info) {
    prepare([&] {
      auto described = gradient<dnnl::convolution_backward_weights::primitive_desc>(g_);
      primitive_ = dnnl::convolution_backward_weights(described);
      scratchpad_ = described.scratchpad_desc();
      packed_ = described.diff_weights_desc();
      unpack_ = Reorder(packed_, plainFilter(g_));
    });
  }

 private:
  void compute(const Context& context) override {
    expect(context, {g_.x, g_.y});
    Execution run(context);
    auto plain = run.memory(plainFilter(g_), context.output(0, g_.filter));
    auto packed = unpack_.needed() ? run.memory(packed_) : plain;
    run.run(primitive_, scratchpad_,
            {{DNNL_ARG_SRC, run.memory(image(g_.x), context.input(0))},
             {DNNL_ARG_DIFF_DST, run.memory(image(g_.y), context.input(1))},
             {DNNL_ARG_DIFF_WEIGHTS, packed}});
    if (unpack_.needed()) unpack_.run(run, packed, plain);
  }

  dnnl::convolution_backward_weights primitive_;
  Desc packed_;
  Reorder unpack_;
};

template <class K, bool (*fits)(const Geometry&), Kernel* (*winograd)(const Info&)>
Kernel* make(const Info& info) {
  if (fits(Geometry(info))) return winograd(info);
  return new K(info);
}

}  // namespace

std::vector<Op> convolutionOps() {
  return {{"Conv", make<Forward, fitsWinograd, winogradForward>},
          {"ConvInputGrad", make<InputGradient, fitsWinograd, winogradInputGradient>},
          {"ConvFilterGrad", make<FilterGradient, fitsWinogradFilterGradient, winogradFilterGradient>}};
}

}  // namespace orbit
