// What every kernel needs of ONNX Runtime: attributes, tensors, errors, its thread pool.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "onnxruntime_c_api.h"

namespace orbit {

using Dims = std::vector<int64_t>;

/// ONNX Runtime's table; set when the library is registered.
extern const OrtApi* api;

/// Threads of ONNX Runtime's pool, told by the host before sessions are made.
int poolThreads();

/// An error that reaches the user as text, with the op and its shapes.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws when a call of the API failed.
void check(OrtStatus* status);

/// `[2,3]`
std::string text(const Dims& dims);

/// Attributes of a node, read when its kernel is made.
class Info {
 public:
  explicit Info(const OrtKernelInfo* info) : info_(info) {}
  Dims ints(const char* name) const;
  std::vector<float> floats(const char* name) const;
  int64_t integer(const char* name) const;
  std::string nodeName() const;

 private:
  const OrtKernelInfo* info_;
};

/// Inputs, outputs and threads of one run of a kernel.
class Context {
 public:
  explicit Context(OrtKernelContext* context) : context_(context) {}
  const float* input(size_t index) const;
  Dims inputDims(size_t index) const;
  size_t inputCount() const;
  float* output(size_t index, const Dims& dims) const;
  /// Bytes that live until this run of the kernel ends; nullptr for none.
  void* scratch(size_t bytes) const;
  /// Runs task(0), …, task(count - 1) on ONNX Runtime's pool; the first exception of a task is thrown here.
  void parallel(size_t count, const std::function<void(size_t)>& task) const;

 private:
  OrtKernelContext* context_;
};

/// True on a thread that runs a task of `Context::parallel`.
bool inParallel();

/// A kernel: made once per node, run once per step.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void run(const Context& context) = 0;
};

/// One op of the domain. `shapes` is the attribute of every op that states its outputs' shapes: rank, dims, rank, dims, …
struct Op {
  const char* name;
  Kernel* (*make)(const Info& info);
};

/// All ops, filled by the files that define them.
const std::vector<Op>& ops();

/// The shapes in the attribute `shapes`.
std::vector<Dims> splitShapes(const Dims& flat);

int64_t product(const Dims& dims);

}  // namespace orbit
