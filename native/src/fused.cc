// orbit.Fused: a chain of elementwise kernels, with sums over rows or channels at its end, in one pass over memory.
#include <algorithm>

#include "fused_program.h"

namespace orbit {
namespace {

class Fused final : public Kernel {
 public:
  explicit Fused(const Info& info) : program_(info), size_(info.integer("size")), shapes_(splitShapes(info.ints("shapes"))) {
    if (shapes_.size() != program_.outputs().size()) program_.fail("outputs and shapes do not fit");
    for (size_t i = 0; i < shapes_.size(); i++) program_.verifyOutput(i, size_, shapes_[i]);
  }

  void run(const Context& context) override {
    size_t inputs = program_.inputs().size();
    if (!verified_) {
      if (context.inputCount() != inputs) program_.fail(std::to_string(context.inputCount()) + " inputs instead of " + std::to_string(inputs));
      for (size_t i = 0; i < inputs; i++) program_.verifyInput(i, size_, context.inputDims(i), i);
      verified_ = true;
    }
    std::vector<const float*> in(inputs);
    for (size_t i = 0; i < inputs; i++) in[i] = context.input(i);
    std::vector<float*> out(shapes_.size());
    for (size_t i = 0; i < out.size(); i++) out[i] = context.output(i, shapes_[i]);
    auto [tasks, perTask] = program_.split(size_);
    int64_t sums = program_.partialFloats();
    float* partial = static_cast<float*>(context.scratch(static_cast<size_t>(sums * tasks) * sizeof(float)));
    context.parallel(static_cast<size_t>(tasks), [&, perTask = perTask](size_t t) {
      int64_t first = static_cast<int64_t>(t) * perTask;
      program_.run(in.data(), out.data(), first, std::min(size_, first + perTask), partial + static_cast<int64_t>(t) * sums);
    });
    program_.combine(out.data(), partial, tasks);
  }

 private:
  FusedProgram program_;
  int64_t size_;
  std::vector<Dims> shapes_;
  bool verified_ = false;
};

}  // namespace

std::vector<Op> fusedOps() {
  return {{"Fused", [](const Info& info) -> Kernel* { return new Fused(info); }}};
}

}  // namespace orbit
