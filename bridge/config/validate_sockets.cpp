#include <algorithm>

#include "bridge/config/bound_to.h"
#include "bridge/config/places.h"
#include "bridge/config/text.h"
#include "bridge/config/validate.h"

namespace trestle {
namespace {

struct Socket {
  std::string path;  ///< of the value to change
  BoundTo bound;
};

// Listeners last: theirs is the port that people set, and the complaint names the later of two.
std::vector<Socket> sockets_of(const Settings& settings) {
  std::vector<Socket> sockets;
  const auto& ingest = settings.ingest;
  for (std::size_t i = 0; i < ingest.bind.size(); ++i) {
    sockets.push_back({path_item("ingest.bind", i), BoundTo::zmq(ingest.bind[i])});
  }
  if (!ingest.control.empty()) sockets.push_back({"ingest.control", BoundTo::zmq(ingest.control)});
  for (std::size_t i = 0; i < settings.listen.size(); ++i) {
    sockets.push_back({path_item("listen", i) + ".port", BoundTo::listener(settings.listen[i])});
  }
  return sockets;
}

}  // namespace

std::optional<Complaint> find_socket_complaint(const Settings& settings) {
  const auto sockets = sockets_of(settings);
  for (auto socket = sockets.begin(); socket != sockets.end(); ++socket) {
    const auto first = std::find_if(
        sockets.begin(), socket, [&](const Socket& earlier) { return earlier.bound.clashes(socket->bound); });
    if (first == socket) continue;
    return Complaint{socket->path, in_quotes(socket->bound.text()) + " is taken by " +
                                       path_shown(first->path) + ", " + in_quotes(first->bound.text()) +
                                       ": give each a " + (socket->bound.is_tcp() ? "port" : "path") +
                                       " of its own"};
  }
  return std::nullopt;
}

}  // namespace trestle
