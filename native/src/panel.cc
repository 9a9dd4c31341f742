#include "panel.h"

#include <cstring>

#include "tile.h"

namespace orbit {

const PanelOps& panelOpsBaseline();
#if defined(__x86_64__) || defined(_M_X64)
const PanelOps& panelOpsAvx2();
const PanelOps& panelOpsAvx512();
#endif

const PanelOps& panelOps() {
#if defined(__x86_64__) || defined(_M_X64)
  // One choice for all kernels, made with the tables of elementwise arithmetic.
  if (std::strcmp(tileOpsName(), "AVX512") == 0) return panelOpsAvx512();
  if (std::strcmp(tileOpsName(), "AVX2") == 0) return panelOpsAvx2();
#endif
  return panelOpsBaseline();
}

}  // namespace orbit
