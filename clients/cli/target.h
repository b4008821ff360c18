#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/result.h"

namespace trestle::cli {

/// A bridge as people name it: ws://, wss://, http:// or https:// with host, optional port and path. The
/// address that trestled prints on its first start works as it is: its `?token=` is taken out and sent in a
/// header instead.
struct Target {
  bool secure = false;
  std::string authority;  ///< host[:port], as written
  std::string path = "/";
  std::string token;
};
Result<Target> parse_target(std::string_view url);

using Query = std::vector<std::pair<std::string, std::string>>;
std::string websocket_url(const Target& target, const Query& query);
/// `name` relative to the target's path: /ws and api/status give /api/status.
std::string http_url(const Target& target, std::string_view name);

}  // namespace trestle::cli
