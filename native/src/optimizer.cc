// orbit.FusedUpdates: one fused program on many variables of different sizes, in one call: the update of an optimizer. All
// elements of all variables are cut into tasks together.
#include <algorithm>

#include "fused_program.h"

namespace orbit {
namespace {

/// Updates that touch more memory than this write past the caches: they could keep nothing of it.
constexpr int64_t kCacheBytes = int64_t{48} << 20;

class FusedUpdates final : public Kernel {
 public:
  explicit FusedUpdates(const Info& info)
      : program_(info), sizes_(info.ints("sizes")), shared_(info.ints("shared")), shapes_(splitShapes(info.ints("shapes"))) {
    size_t inputs = program_.inputs().size(), outputs = program_.outputs().size();
    if (shared_.size() != inputs) program_.fail("inputs and the attribute shared do not fit");
    if (shapes_.size() != outputs * sizes_.size()) program_.fail("variables and shapes do not fit");
    for (size_t k = 0; k < shapes_.size(); k++) program_.verifyOutput(k % outputs, sizes_[k / outputs], shapes_[k]);
    for (size_t unit = 0; unit < sizes_.size(); unit++) {
      // As Fused cuts the variable alone: the same bits, however variables are grouped.
      auto [tasks, perTask] = program_.split(sizes_[unit]);
      firstTask_.push_back(tasks_.size());
      for (int64_t t = 0; t < tasks; t++) tasks_.push_back({unit, t * perTask, std::min(sizes_[unit], (t + 1) * perTask)});
    }
    firstTask_.push_back(tasks_.size());
    pastCaches_ = info.integer("bytes") > kCacheBytes;
  }

  void run(const Context& context) override {
    size_t inputs = program_.inputs().size(), outputs = program_.outputs().size(), units = sizes_.size();
    std::vector<size_t> position = positions(context);
    std::vector<const float*> in(inputs * units);
    for (size_t k = 0; k < in.size(); k++) {
      bool again = k >= inputs && shared_[k % inputs] != 0;
      in[k] = again ? in[k % inputs] : context.input(position[k]);
    }
    std::vector<float*> out(outputs * units);
    for (size_t k = 0; k < out.size(); k++) out[k] = context.output(k, shapes_[k]);
    size_t sums = static_cast<size_t>(program_.partialFloats());
    float* partial = static_cast<float*>(context.scratch(sums * tasks_.size() * sizeof(float)));
    context.parallel(tasks_.size(), [&](size_t t) {
      const Task& task = tasks_[t];
      program_.run(in.data() + task.unit * inputs, out.data() + task.unit * outputs, task.begin, task.end, partial + t * sums, pastCaches_);
    });
    if (sums == 0) return;
    for (size_t unit = 0; unit < units; unit++)
      program_.combine(out.data() + unit * outputs, partial + firstTask_[unit] * sums, static_cast<int64_t>(firstTask_[unit + 1] - firstTask_[unit]));
  }

 private:
  struct Task {
    size_t unit;
    int64_t begin, end;
  };

  /// By unit and input of the program: the node's input. Shared ones come first, then each unit's own.
  std::vector<size_t> positions(const Context& context) {
    if (!positions_.empty()) return positions_;
    size_t inputs = shared_.size();
    std::vector<size_t> found(inputs * sizes_.size());
    size_t next = 0;
    for (size_t i = 0; i < inputs; i++)
      if (shared_[i] != 0) found[i] = next++;
    for (size_t k = 0; k < found.size(); k++) {
      if (shared_[k % inputs] == 0) found[k] = next++;
      else found[k] = found[k % inputs];
    }
    if (context.inputCount() != next) program_.fail(std::to_string(context.inputCount()) + " inputs instead of " + std::to_string(next));
    for (size_t k = 0; k < found.size(); k++) program_.verifyInput(k % inputs, sizes_[k / inputs], context.inputDims(found[k]), found[k]);
    return positions_ = found;
  }

  FusedProgram program_;
  Dims sizes_, shared_;
  std::vector<Dims> shapes_;
  std::vector<Task> tasks_;
  std::vector<size_t> firstTask_;
  std::vector<size_t> positions_;
  bool pastCaches_;
};

}  // namespace

std::vector<Op> updateOps() {
  return {{"FusedUpdates", [](const Info& info) -> Kernel* { return new FusedUpdates(info); }}};
}

}  // namespace orbit
