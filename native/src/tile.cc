#include "tile.h"

#include <cstdlib>
#include <cstring>

namespace orbit {

const TileOps& tileOpsBaseline();
#if defined(__x86_64__) || defined(_M_X64)
const TileOps& tileOpsAvx2();
const TileOps& tileOpsAvx512();
#endif

namespace {

struct Choice {
  const TileOps* ops;
  const char* name;
};

Choice choose() {
#if defined(__x86_64__) || defined(_M_X64)
  // oneDNN's own cap holds for these kernels too, so that one setting tests a smaller processor.
  const char* cap = std::getenv("ONEDNN_MAX_CPU_ISA");
  bool baseline = cap != nullptr && std::strcmp(cap, "SSE41") == 0;
  bool below512 = baseline || (cap != nullptr && std::strncmp(cap, "AVX2", 4) == 0) || (cap != nullptr && std::strcmp(cap, "AVX") == 0);
  __builtin_cpu_init();
  if (!below512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq"))
    return {&tileOpsAvx512(), "AVX512"};
  if (!baseline && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {&tileOpsAvx2(), "AVX2"};
#endif
  return {&tileOpsBaseline(), "baseline"};
}

const Choice& choice() {
  static const Choice made = choose();
  return made;
}

}  // namespace

const TileOps& tileOps() { return *choice().ops; }
const char* tileOpsName() { return choice().name; }

}  // namespace orbit
