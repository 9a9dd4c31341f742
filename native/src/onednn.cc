#include "onednn.h"

namespace orbit {

const dnnl::engine& cpu() {
  static const dnnl::engine made(dnnl::engine::kind::cpu, 0);
  return made;
}

Maker::Maker() {
  dnnl_threadpool_interop_set_max_concurrency(poolThreads());
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
}

dnnl::memory::desc ordered(const Dims& dims, const std::vector<int>& order) {
  Dims strides(dims.size());
  int64_t stride = 1;
  for (size_t i = order.size(); i-- > 0;) {
    strides[static_cast<size_t>(order[i])] = stride;
    stride *= dims[static_cast<size_t>(order[i])];
  }
  return dnnl::memory::desc(dims, dnnl::memory::data_type::f32, strides);
}

Reorder::Reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  if (from == to) return;
  Maker maker;
  dnnl::reorder::primitive_desc described(cpu(), from, cpu(), to, maker.attributes);
  primitive_ = dnnl::reorder(described);
  scratchpad_ = described.scratchpad_desc();
}

void Reorder::run(Execution& execution, const dnnl::memory& from, const dnnl::memory& to) const {
  execution.run(primitive_, scratchpad_, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

}  // namespace orbit
