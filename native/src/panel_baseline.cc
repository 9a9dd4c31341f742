#include "panel.inc"
namespace orbit {
const PanelOps& panelOpsBaseline() { return table; }
}  // namespace orbit
