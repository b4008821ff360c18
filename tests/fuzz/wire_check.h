#pragma once
#include <string_view>

namespace trestle {

/// Ends the fuzzer unless `out` is what a client may be sent: one HTTP answer, or a 101 and then whole
/// WebSocket frames of a server: unmasked, of the shortest length, text that is JSON in UTF-8, nothing after
/// a close frame. `whole`: the bridge says that this is all; else the last piece may be cut.
void check_wire(std::string_view out, bool whole);

}  // namespace trestle
