#pragma once
#include <cstdint>
#include <vector>

namespace trestle::bench {

/// The processes of one server, as the kernel sees them. All throw std::runtime_error if one is gone.
struct Processes {
  std::vector<int> pids;

  /// Resident now (VmRSS), and the most that ever was (VmHWM), in bytes, all together.
  std::uint64_t resident() const;
  std::uint64_t most_resident() const;
  /// See cpu.h.
  double cpu() const;
};

/// Memory of all TCP sockets of this machine, in bytes: both ends of a connection over loopback.
std::uint64_t socket_memory();

}  // namespace trestle::bench
