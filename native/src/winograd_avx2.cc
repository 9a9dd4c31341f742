// Compiled for AVX2.
#include "winograd.inc"
namespace orbit {
const WinogradOps& winogradOpsAvx2() { return table; }
}  // namespace orbit
