// Compiled for AVX-512.
#include "tile.inc"
namespace orbit {
const TileOps& tileOpsAvx512() { return table; }
}  // namespace orbit
