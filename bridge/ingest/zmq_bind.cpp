#include "bridge/ingest/zmq_bind.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace trestle {
namespace {

constexpr std::string_view kIpcPath = "ipc:///";  // unlike ipc://@name, which is in no folder
constexpr std::size_t kScheme = kIpcPath.size() - 1;

std::string why(const zmq::error_t& error) {
  switch (error.num()) {
    case EADDRINUSE: return "the address is in use, perhaps by another trestled or trestle bus";
    case EADDRNOTAVAIL: return "this machine does not have that address; 0.0.0.0 stands for all it has";
    case ENODEV: return "no address or network interface of this machine has that name";
    case EACCES: return "permission denied; ports below 1024 are for root";
    default: return error.what();
  }
}

}  // namespace

void choose_ip_version(zmq::socket_t& socket, const std::string& address) {
  socket.set(zmq::sockopt::ipv6, address.find('[') != std::string::npos);
}

Result<IpcLock> bind_zmq(zmq::socket_t& socket, const std::string& address) {
  const bool is_path = address.compare(0, kIpcPath.size(), kIpcPath) == 0;
  const std::string path = is_path ? address.substr(kScheme) : "";
  IpcLock lock;
  if (is_path) {
    auto taken = IpcLock::take(path);
    if (!taken) return taken.error();
    lock = std::move(*taken);
  }
  choose_ip_version(socket, address);
  try {
    socket.bind(address);
  } catch (const zmq::error_t& error) {
    return Error{why(error)};
  }
  if (is_path && ::chmod(path.c_str(), 0660) != 0) {
    return Error{std::string("cannot give it to its group (mode 0660): ") + std::strerror(errno)};
  }
  return lock;
}

}  // namespace trestle
