#include "convolution.h"

namespace orbit {

Geometry::Geometry(const Info& info)
    : x(info.ints("x")), filter(info.ints("filter")), y(info.ints("y")), strides(info.ints("strides")), before(info.ints("before")),
      after(info.ints("after")), depthwise(info.integer("depthwise") != 0) {
  for (int64_t d : info.ints("dilations")) dilations.push_back(d - 1);
  size_t axes = strides.size();
  if (x.size() != axes + 2 || y.size() != axes + 2 || filter.size() != axes + 2 || before.size() != axes || after.size() != axes || dilations.size() != axes)
    throw Failure("attributes that do not fit: " + describe());
}

std::string Geometry::describe() const {
  return "x " + text(x) + ", filter " + text(filter) + ", y " + text(y) + ", strides " + text(strides) + ", padding " + text(before) + text(after);
}

void Convolution::run(const Context& context) {
  try {
    compute(context);
  } catch (const std::exception& e) {
    throw Failure(std::string(e.what()) + ": " + g_.describe());
  }
}

void Convolution::expect(const Context& context, const std::vector<Dims>& shapes) {
  if (verified_) return;
  for (size_t i = 0; i < shapes.size(); i++)
    if (product(context.inputDims(i)) != product(shapes[i]))
      throw Failure("input " + std::to_string(i) + " has the shape " + text(context.inputDims(i)) + ", not " + text(shapes[i]));
  verified_ = true;
}

}  // namespace orbit
