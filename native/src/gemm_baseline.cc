// Compiled for every processor of its kind.
#define ORBIT_WIDTH 4
#define ORBIT_ROWS 4
#include "gemm.inc"
namespace orbit {
const GemmOps& gemmOpsBaseline() { return table; }
}  // namespace orbit
