// Compiled for AVX2.
#define ORBIT_WIDTH 8
#define ORBIT_ROWS 6
#include "gemm.inc"
namespace orbit {
const GemmOps& gemmOpsAvx2() { return table; }
}  // namespace orbit
