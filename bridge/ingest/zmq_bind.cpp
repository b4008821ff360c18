#include "bridge/ingest/zmq_bind.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace trestle {
namespace {

constexpr std::string_view kIpcPath = "ipc:///";  // unlike ipc://@name, which is in no folder
constexpr std::size_t kScheme = kIpcPath.size() - 1;

// Empty if it is none of the file system.
std::string path_of(const std::string& address) {
  return address.compare(0, kIpcPath.size(), kIpcPath) == 0 ? address.substr(kScheme) : "";
}

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
  const auto path = path_of(address);
  IpcLock lock;
  if (!path.empty()) {
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
  if (!path.empty() && ::chmod(path.c_str(), 0660) != 0) {
    return Error{std::string("cannot give it to its group (mode 0660): ") + std::strerror(errno)};
  }
  return lock;
}

std::optional<std::string> find_bind_fault(const std::string& address) {
  const auto path = path_of(address);
  const auto fault = path.empty() ? std::nullopt : IpcLock::find_fault(path);
  return fault ? std::optional<std::string>(fault->message) : std::nullopt;
}

Error cannot_bind(const std::string& key, const std::string& address, const std::string& why) {
  return Error{"cannot bind " + key + " to " + address + ": " + why};
}

}  // namespace trestle
