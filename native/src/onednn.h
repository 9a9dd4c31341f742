// oneDNN on ONNX Runtime's thread pool.
#pragma once
#include <oneapi/dnnl/dnnl.hpp>
#include <oneapi/dnnl/dnnl_threadpool.hpp>

#include <unordered_map>

#include "host.h"

namespace orbit {

/// The pool that oneDNN's primitives run on: ONNX Runtime's, for the kernel that runs now.
class Pool final : public dnnl::threadpool_interop::threadpool_iface {
 public:
  explicit Pool(const Context& context) : context_(context) {}
  int get_num_threads() const override { return poolThreads(); }
  bool get_in_parallel() const override { return inParallel(); }
  void wait() override {}
  uint64_t get_flags() const override { return 0; }
  void parallel_for(int n, const std::function<void(int, int)>& task) override {
    context_.parallel(static_cast<size_t>(n), [&](size_t i) { task(static_cast<int>(i), n); });
  }

 private:
  const Context& context_;
};

/// The processor.
const dnnl::engine& cpu();

/// Makes primitives for the pool's number of threads, with temporary memory given at each run.
class Maker {
 public:
  Maker();
  dnnl::primitive_attr attributes;
};

/// A tensor of logical `dims`, whose elements lie in memory in the order of the axes in `order`, slowest first.
dnnl::memory::desc ordered(const Dims& dims, const std::vector<int>& order);

/// One run: the stream, and temporary memory.
class Execution {
 public:
  explicit Execution(const Context& context)
      : context_(context), pool_(context), stream_(dnnl::threadpool_interop::make_stream(cpu(), &pool_)) {}
  /// Memory of a described form: `data`, or temporary memory.
  dnnl::memory memory(const dnnl::memory::desc& desc, const float* data = nullptr) const {
    void* at = data != nullptr ? const_cast<float*>(data) : context_.scratch(desc.get_size());
    return dnnl::memory(desc, cpu(), at);
  }
  void run(const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad, std::unordered_map<int, dnnl::memory> arguments) {
    if (scratchpad.get_size() > 0) arguments.insert({DNNL_ARG_SCRATCHPAD, memory(scratchpad)});
    primitive.execute(stream_, arguments);
  }

 private:
  const Context& context_;
  Pool pool_;
  dnnl::stream stream_;
};

/// Copies a tensor from one form to another; nothing where the forms are the same.
class Reorder {
 public:
  Reorder() = default;
  Reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to);
  bool needed() const { return static_cast<bool>(primitive_); }
  void run(Execution& execution, const dnnl::memory& from, const dnnl::memory& to) const;

 private:
  dnnl::reorder primitive_;
  dnnl::memory::desc scratchpad_;
};

}  // namespace orbit
