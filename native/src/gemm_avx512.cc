// Compiled for AVX-512.
#define ORBIT_WIDTH 16
#define ORBIT_ROWS 12
#include "gemm.inc"
namespace orbit {
const GemmOps& gemmOpsAvx512() { return table; }
}  // namespace orbit
