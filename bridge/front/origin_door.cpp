#include "bridge/front/origin_door.h"

#include <algorithm>

namespace trestle {

bool may_page_connect(const HttpRequest& request, const ListenerInfo& listener, bool without_token) {
  const auto& header = request.header("Origin");
  if (header.empty()) return true;
  if (listener.origins.empty() && !without_token) return true;
  const auto page = Origin::parse(header);
  if (!page) return false;  // "null" too: of a file, or a page that hides where it is from
  if (listener.origins.empty()) {
    return page->is_host(request.header("Host"), listener.tls) && page->is_beyond_dns();
  }
  return std::any_of(listener.origins.begin(), listener.origins.end(),
                     [&](const Origin& allowed) { return allowed.allows(*page); });
}

bool may_page_ask(const HttpRequest& request, const ListenerInfo& listener) {
  if (!request.header("Origin").empty()) return may_page_connect(request, listener, true);
  const auto& host = request.header("Host");
  if (host.empty()) return true;
  const auto asked = Origin::parse((listener.tls ? "https://" : "http://") + host);
  if (!asked) return false;
  return asked->is_beyond_dns() || std::any_of(listener.origins.begin(), listener.origins.end(),
                                               [&](const Origin& allowed) { return allowed.allows(*asked); });
}

}  // namespace trestle
