// Compiled for AVX2.
#include "tile.inc"
namespace orbit {
const TileOps& tileOpsAvx2() { return table; }
}  // namespace orbit
