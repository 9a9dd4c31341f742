// Convolutions and their gradients: images [batch, …, channels], filters [window…, in, out] as TensorFlow has them, or
// [window…, channels, multiplier] for depthwise ones.
#include "onednn.h"

namespace orbit {
namespace {

using dnnl::algorithm;
using dnnl::prop_kind;
using Desc = dnnl::memory::desc;

/// The geometry of a convolution, from a node's attributes.
struct Geometry {
  explicit Geometry(const Info& info)
      : x(info.ints("x")), filter(info.ints("filter")), y(info.ints("y")), strides(info.ints("strides")),
        before(info.ints("before")), after(info.ints("after")), depthwise(info.integer("depthwise") != 0) {
    for (int64_t d : info.ints("dilations")) dilations.push_back(d - 1);  // oneDNN counts the gaps
    size_t axes = strides.size();
    if (x.size() != axes + 2 || y.size() != axes + 2 || filter.size() != axes + 2 || before.size() != axes || after.size() != axes || dilations.size() != axes)
      throw Failure("attributes that do not fit: " + describe());
  }

  /// Batch, channels, then the spatial axes: the order of dimensions in oneDNN. In memory the channels come last.
  static Desc image(const Dims& shape) {
    Dims dims{shape.front(), shape.back()};
    dims.insert(dims.end(), shape.begin() + 1, shape.end() - 1);
    std::vector<int> order{0};
    for (size_t i = 2; i < shape.size(); i++) order.push_back(static_cast<int>(i));
    order.push_back(1);
    return ordered(dims, order);
  }

  /// The filter as it lies in memory.
  Desc plainFilter() const {
    size_t axes = strides.size();
    int64_t in = filter[axes], out = filter[axes + 1];
    Dims dims = depthwise ? Dims{in, out, 1} : Dims{out, in};
    int first = static_cast<int>(dims.size());
    dims.insert(dims.end(), filter.begin(), filter.begin() + static_cast<std::ptrdiff_t>(axes));
    std::vector<int> order;
    for (size_t i = 0; i < axes; i++) order.push_back(first + static_cast<int>(i));
    if (depthwise) order.insert(order.end(), {0, 1, 2});
    else order.insert(order.end(), {1, 0});
    return ordered(dims, order);
  }

  /// The filter in whatever form the primitive likes best.
  Desc anyFilter() const { return Desc(plainFilter().get_dims(), dnnl::memory::data_type::f32, dnnl::memory::format_tag::any); }

  Desc bias() const { return Desc({y.back()}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a); }

  std::string describe() const {
    return "x " + text(x) + ", filter " + text(filter) + ", y " + text(y) + ", strides " + text(strides) + ", padding " + text(before) + text(after);
  }

  dnnl::convolution_forward::primitive_desc forward(const dnnl::primitive_attr& attributes, bool withBias) const {
    if (withBias)
      return {cpu(), prop_kind::forward_training, algorithm::convolution_direct, image(x), anyFilter(), bias(), image(y), strides, dilations, before, after, attributes};
    return {cpu(), prop_kind::forward_training, algorithm::convolution_direct, image(x), anyFilter(), image(y), strides, dilations, before, after, attributes};
  }

  Dims x, filter, y, strides, dilations, before, after;
  bool depthwise;
};

/// What the three kernels share: geometry, and errors with shapes.
class Convolution : public Kernel {
 public:
  explicit Convolution(const Info& info) : g_(info) {}

  void run(const Context& context) final {
    try {
      compute(context);
    } catch (const std::exception& e) {
      throw Failure(std::string(e.what()) + ": " + g_.describe());
    }
  }

 protected:
  template <class Make>
  void prepare(Make make) const {
    try {
      make();
    } catch (const std::exception& e) {
      throw Failure(std::string(e.what()) + ": " + g_.describe());
    }
  }

  void expect(const Context& context, size_t input, const Dims& shape) {
    if (product(context.inputDims(input)) != product(shape))
      throw Failure("input " + std::to_string(input) + " has the shape " + text(context.inputDims(input)) + ", not " + text(shape));
  }

  virtual void compute(const Context& context) = 0;

  Geometry g_;
  bool verified_ = false;
};

class Forward final : public Convolution {
 public:
  explicit Forward(const Info& info) : Convolution(info), bias_(info.integer("bias") != 0) {
    prepare([&] {
      Maker maker;
      if (info.integer("relu") != 0) {
        dnnl::post_ops after;
        after.append_eltwise(algorithm::eltwise_relu, 0.0f, 0.0f);
        maker.attributes.set_post_ops(after);
      }
      auto described = g_.forward(maker.attributes, bias_);
      primitive_ = dnnl::convolution_forward(described);
      scratchpad_ = described.scratchpad_desc();
      packed_ = described.weights_desc();
      pack_ = Reorder(g_.plainFilter(), packed_);
    });
  }

 private:
  void compute(const Context& context) override {
    if (!verified_) {
      expect(context, 0, g_.x);
      expect(context, 1, g_.filter);
      if (bias_) expect(context, 2, {g_.y.back()});
      verified_ = true;
    }
    Execution run(context);
    auto filter = run.memory(g_.plainFilter(), context.input(1));
    if (pack_.needed()) {
      auto packed = run.memory(packed_);
      pack_.run(run, filter, packed);
      filter = packed;
    }
    std::unordered_map<int, dnnl::memory> arguments{
        {DNNL_ARG_SRC, run.memory(Geometry::image(g_.x), context.input(0))},
        {DNNL_ARG_WEIGHTS, filter},
        {DNNL_ARG_DST, run.memory(Geometry::image(g_.y), context.output(0, g_.y))},
    };
    if (bias_) arguments.insert({DNNL_ARG_BIAS, run.memory(g_.bias(), context.input(2))});
    run.run(primitive_, scratchpad_, std::move(arguments));
  }

  bool bias_;
  dnnl::convolution_forward primitive_;
  Desc scratchpad_, packed_;
  Reorder pack_;
};

class InputGradient final : public Convolution {
 public:
  explicit InputGradient(const Info& info) : Convolution(info) {
    prepare([&] {
      Maker maker;
      dnnl::convolution_backward_data::primitive_desc described(cpu(), algorithm::convolution_direct, Geometry::image(g_.x), g_.anyFilter(), Geometry::image(g_.y),
                                                                 g_.strides, g_.dilations, g_.before, g_.after, g_.forward(maker.attributes, false), maker.attributes);
      primitive_ = dnnl::convolution_backward_data(described);
      scratchpad_ = described.scratchpad_desc();
      packed_ = described.weights_desc();
      pack_ = Reorder(g_.plainFilter(), packed_);
    });
  }

 private:
  void compute(const Context& context) override {
    if (!verified_) {
      expect(context, 0, g_.y);
      expect(context, 1, g_.filter);
      verified_ = true;
    }
    Execution run(context);
    auto filter = run.memory(g_.plainFilter(), context.input(1));
    if (pack_.needed()) {
      auto packed = run.memory(packed_);
      pack_.run(run, filter, packed);
      filter = packed;
    }
    run.run(primitive_, scratchpad_,
            {{DNNL_ARG_DIFF_DST, run.memory(Geometry::image(g_.y), context.input(0))},
             {DNNL_ARG_WEIGHTS, filter},
             {DNNL_ARG_DIFF_SRC, run.memory(Geometry::image(g_.x), context.output(0, g_.x))}});
  }

  dnnl::convolution_backward_data primitive_;
  Desc scratchpad_, packed_;
  Reorder pack_;
};

class FilterGradient final : public Convolution {
 public:
  explicit FilterGradient(const Info& info) : Convolution(info) {
    prepare([&] {
      Maker maker;
      dnnl::convolution_backward_weights::primitive_desc described(cpu(), algorithm::convolution_direct, Geometry::image(g_.x), g_.anyFilter(), Geometry::image(g_.y),
                                                                    g_.strides, g_.dilations, g_.before, g_.after, g_.forward(maker.attributes, false), maker.attributes);
      primitive_ = dnnl::convolution_backward_weights(described);
      scratchpad_ = described.scratchpad_desc();
      packed_ = described.diff_weights_desc();
      unpack_ = Reorder(packed_, g_.plainFilter());
    });
  }

 private:
  void compute(const Context& context) override {
    if (!verified_) {
      expect(context, 0, g_.x);
      expect(context, 1, g_.y);
      verified_ = true;
    }
    Execution run(context);
    auto plain = run.memory(g_.plainFilter(), context.output(0, g_.filter));
    auto packed = unpack_.needed() ? run.memory(packed_) : plain;
    run.run(primitive_, scratchpad_,
            {{DNNL_ARG_SRC, run.memory(Geometry::image(g_.x), context.input(0))},
             {DNNL_ARG_DIFF_DST, run.memory(Geometry::image(g_.y), context.input(1))},
             {DNNL_ARG_DIFF_WEIGHTS, packed}});
    if (unpack_.needed()) unpack_.run(run, packed, plain);
  }

  dnnl::convolution_backward_weights primitive_;
  Desc scratchpad_, packed_;
  Reorder unpack_;
};

template <class K>
Kernel* make(const Info& info) {
  return new K(info);
}

}  // namespace

std::vector<Op> convolutionOps() {
  return {{"Conv", make<Forward>}, {"ConvInputGrad", make<InputGradient>}, {"ConvFilterGrad", make<FilterGradient>}};
}

}  // namespace orbit
