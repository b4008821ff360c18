#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "clients/bench/wire.h"

namespace trestle::bench {

/// One WebSocket client that looks at what it gets: blocking, one thread, a large buffer. Throws
/// std::runtime_error when the server closes, or says nothing for 30 s.
class Reader {
 public:
  explicit Reader(const Target& target);

  /// The next text frame's payload; valid until the next call.
  std::string_view next();
  /// Reads on until a notice of this type, which is returned.
  std::string_view next_notice(std::string_view type);

 private:
  void fill();

  Connection connection_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// The number behind the last `"name":` of a JSON text; throws std::runtime_error if there is none.
std::uint64_t number_in(std::string_view json, std::string_view name);
/// The string behind the first `"name":"` of a JSON text.
std::string_view string_in(std::string_view json, std::string_view name);

}  // namespace trestle::bench
