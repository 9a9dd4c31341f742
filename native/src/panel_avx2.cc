// Compiled for AVX2 with FMA.
#include "panel.inc"
namespace orbit {
const PanelOps& panelOpsAvx2() { return table; }
}  // namespace orbit
