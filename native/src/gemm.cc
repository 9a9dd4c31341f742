#include "gemm.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "tile.h"

namespace orbit {

const GemmOps& gemmOpsBaseline();
#if defined(__x86_64__) || defined(_M_X64)
const GemmOps& gemmOpsAvx2();
const GemmOps& gemmOpsAvx512();
#endif

const GemmOps& gemmOps() {
#if defined(__x86_64__) || defined(_M_X64)
  if (std::strcmp(tileOpsName(), "AVX512") == 0) return gemmOpsAvx512();
  if (std::strcmp(tileOpsName(), "AVX2") == 0) return gemmOpsAvx2();
#endif
  return gemmOpsBaseline();
}

void forTasks(const Context& context, int64_t tasks, int64_t floats, const std::function<void(int64_t, float*)>& run) {
  int64_t workers = std::clamp<int64_t>(poolThreads(), 1, std::max<int64_t>(tasks, 1));
  floats = wholeLines(floats);
  char* memory = static_cast<char*>(context.scratch(static_cast<size_t>(floats * workers) * sizeof(float) + 64));
  float* aligned = reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(memory) + 63) & ~uintptr_t{63});
  std::atomic<int64_t> next{0};
  context.parallel(static_cast<size_t>(workers), [&](size_t worker) {
    for (int64_t task = next++; task < tasks; task = next++) run(task, aligned + static_cast<int64_t>(worker) * floats);
  });
}

}  // namespace orbit
