#include "tile.inc"
namespace orbit {
const TileOps& tileOpsBaseline() { return table; }
}  // namespace orbit
