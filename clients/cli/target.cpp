#include "clients/cli/target.h"

#include <algorithm>
#include <map>

namespace trestle::cli {
namespace {

std::string escaped(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-_.~*,:").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string digits(text.substr(i, 3));
    const bool escape = digits.size() == 3 && digits[0] == '%' &&
                        digits.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string::npos;
    out += escape ? static_cast<char>(std::stoi(digits.substr(1), nullptr, 16)) : text[i];
    if (escape) i += 2;
  }
  return out;
}

std::string token_in(std::string_view query) {
  constexpr std::string_view kName = "token=";
  while (!query.empty()) {
    const std::string_view item = query.substr(0, query.find('&'));
    if (item.substr(0, kName.size()) == kName) return unescaped(item.substr(kName.size()));
    query.remove_prefix(std::min(query.size(), item.size() + 1));
  }
  return "";
}

}  // namespace

Result<Target> parse_target(std::string_view url) {
  static const std::map<std::string_view, bool> schemes{
      {"ws", false}, {"wss", true}, {"http", false}, {"https", true}};
  const std::size_t colon = url.find("://");
  const auto scheme = schemes.find(url.substr(0, colon == std::string_view::npos ? 0 : colon));
  if (scheme == schemes.end())
    return Error{"the address must be like ws://localhost:3001/ or wss://host/path"};
  Target target;
  target.secure = scheme->second;
  url.remove_prefix(colon + 3);
  url = url.substr(0, url.find('#'));
  const std::string_view authority = url.substr(0, url.find_first_of("/?"));
  const bool fine = !authority.empty() && std::all_of(authority.begin(), authority.end(),
                                                      [](char c) { return c > ' ' && c != '@' && c != 127; });
  if (!fine)
    return Error{"the address has no host, or one with user and password, which Trestle does not use"};
  target.authority = authority;
  url.remove_prefix(authority.size());
  const std::size_t question = url.find('?');
  if (question != 0 && !url.empty()) target.path = url.substr(0, question);
  if (question != std::string_view::npos) target.token = token_in(url.substr(question + 1));
  return target;
}

std::string websocket_url(const Target& target, const Query& query) {
  std::string url = (target.secure ? "wss://" : "ws://") + target.authority + target.path;
  char separator = '?';
  for (const auto& [name, value] : query) {
    url += separator + name + "=" + escaped(value);
    separator = '&';
  }
  return url;
}

std::string http_url(const Target& target, std::string_view name) {
  const std::string folder = target.path.substr(0, target.path.rfind('/') + 1);
  return (target.secure ? "https://" : "http://") + target.authority + folder + std::string(name);
}

}  // namespace trestle::cli
