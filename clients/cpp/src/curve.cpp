#include "clients/cpp/src/curve.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "trestle/producer.h"

namespace trestle::client {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw std::invalid_argument("trestle::Producer: key file " + path + ": " + why);
}

CurveKeys read_keys(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) refuse(path, "can't be read");
  auto keys = parse_curve_keys(text.str());
  if (!keys) refuse(path, "line " + keys.error().message);
  return std::move(*keys);
}

}  // namespace

CurveKeys load_keys(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) refuse(path, std::strerror(errno));
  // As the bridge has it: nobody else's to change, and at most for its group to read.
  if ((found.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0) {
    refuse(path,
           "is a secret that others can read or change: chmod 600, or 640 with a group that only its reader "
           "is in");
  }
  auto keys = read_keys(path);
  if (keys.secret_key.empty()) refuse(path, "has a public key only; name the file with the secret key");
  return keys;
}

void use_curve(zmq::socket_t& socket, const CurveKeys& keys, const std::string& server_key) {
  if (server_key.empty()) return;
  socket.set(zmq::sockopt::curve_publickey, keys.public_key);
  socket.set(zmq::sockopt::curve_secretkey, keys.secret_key);
  socket.set(zmq::sockopt::curve_serverkey, server_key);
}

}  // namespace trestle::client

namespace trestle {

std::string public_key_of(const std::string& key_or_file) {
  struct stat found {};
  // A path can be made of a key's characters, too: what is there is a file.
  if (::stat(key_or_file.c_str(), &found) == 0) return client::read_keys(key_or_file).public_key;
  if (is_curve_key(key_or_file)) return key_or_file;
  throw std::invalid_argument("\"" + key_or_file +
                              "\" is neither a public key of 40 characters nor the file of one (FILE.pub)");
}

}  // namespace trestle
