#include "winograd.inc"
namespace orbit {
const WinogradOps& winogradOpsBaseline() { return table; }
}  // namespace orbit
