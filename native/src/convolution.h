// What the kernels of convolutions share: images [batch, …, channels], filters [window…, in, out] as TensorFlow has them, or
// [window…, channels, multiplier] for depthwise ones.
#pragma once
#include "host.h"

namespace orbit {

/// The geometry of a convolution, from a node's attributes.
struct Geometry {
  explicit Geometry(const Info& info);
  std::string describe() const;

  Dims x, filter, y, strides, before, after;
  Dims dilations;  // elements left out between two taps: 0 for a dense window
  bool depthwise;
};

/// A kernel with a geometry, whose errors tell shapes.
class Convolution : public Kernel {
 public:
  explicit Convolution(const Info& info) : g_(info) {}
  void run(const Context& context) final;

 protected:
  virtual void compute(const Context& context) = 0;
  /// Throws unless the inputs have as many elements as these shapes; looks once.
  void expect(const Context& context, const std::vector<Dims>& shapes);

  Geometry g_;

 private:
  bool verified_ = false;
};

/// True where the kernels below serve better than oneDNN's: 3×3 windows without strides or gaps, over enough pixels.
bool fitsWinograd(const Geometry& geometry);
bool fitsWinogradFilterGradient(const Geometry& geometry);
Kernel* winogradForward(const Info& info);
Kernel* winogradInputGradient(const Info& info);
Kernel* winogradFilterGradient(const Info& info);

}  // namespace orbit
