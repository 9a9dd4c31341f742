// Compiled for AVX-512.
#include "panel.inc"
namespace orbit {
const PanelOps& panelOpsAvx512() { return table; }
}  // namespace orbit
