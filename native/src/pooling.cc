#include "host.h"
namespace orbit { std::vector<Op> poolingOps() { return {}; } }
