// Compiled for AVX-512.
#include "winograd.inc"
namespace orbit {
const WinogradOps& winogradOpsAvx512() { return table; }
}  // namespace orbit
