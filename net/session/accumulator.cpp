#include <weir/net/session/accumulator.hpp>

namespace weir {

accumulator::verdict accumulator::on_gap(side, const gap&, timestamp) { return verdict::more; }

void accumulator::on_end(const session_summary&) {
  // nop
}

} // namespace weir
