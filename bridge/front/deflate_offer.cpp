#include "bridge/front/deflate_offer.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace trestle {
namespace {

constexpr std::string_view kExtension = "permessage-deflate";
constexpr std::string_view kServerWindow = "server_max_window_bits";
constexpr std::string_view kClientWindow = "client_max_window_bits";
constexpr std::string_view kServerNoTakeover = "server_no_context_takeover";
constexpr std::string_view kClientNoTakeover = "client_no_context_takeover";

bool is_space(char c) { return c == ' ' || c == '\t'; }

bool is_token_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > ' ' && byte < 0x7f &&
         std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
}

// Reads one offer: `token *( ";" token [ "=" ( token / quoted-string ) ] )`.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() {
    skip_spaces();
    return rest_.empty();
  }
  bool take(char c) {
    skip_spaces();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Empty if there is none.
  std::string_view token() {
    skip_spaces();
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_token_char);
    const auto token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(token.size());
    return token;
  }
  /// A token, or what between quotes is one; no allowed value has anything to escape. Empty if there is none.
  std::string_view value() {
    if (!take('"')) return token();
    const auto token = rest_.substr(0, std::min(rest_.find('"'), rest_.size()));
    rest_.remove_prefix(token.size());
    return take('"') && std::all_of(token.begin(), token.end(), is_token_char) ? token : std::string_view();
  }

 private:
  void skip_spaces() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }
  std::string_view rest_;
};

// 8 to 15, without a leading zero.
bool is_window(std::string_view value) {
  if (value.size() == 1) return value == "8" || value == "9";
  return value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5';
}

bool fits(std::string_view name, const std::optional<std::string_view>& value) {
  if (name == kServerNoTakeover || name == kClientNoTakeover) return !value;
  if (name == kClientWindow) return !value || is_window(*value);
  return name == kServerWindow && value == "15";
}

std::optional<DeflateOffer> read_offer(std::string_view text) {
  Reader reader(text);
  if (reader.token() != kExtension) return std::nullopt;
  std::set<std::string_view> seen;
  while (!reader.at_end()) {
    if (!reader.take(';')) return std::nullopt;
    const auto name = reader.token();
    std::optional<std::string_view> value;
    if (reader.take('=')) value = reader.value();
    if (!fits(name, value) || !seen.insert(name).second) return std::nullopt;
  }
  return DeflateOffer{seen.count(kServerWindow) > 0};
}

// Where the offer that begins `list` ends: at the next comma outside quotes.
std::size_t offer_size(std::string_view list) {
  bool quoted = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '"') quoted = !quoted;
    if (quoted && list[i] == '\\') ++i;  // the next one is no closing quote
    if (!quoted && list[i] == ',') return i;
  }
  return list.size();
}

bool is_extensions_header(std::string_view line) {
  constexpr std::string_view kHeader = "sec-websocket-extensions";
  auto name = line.substr(0, std::min(line.find(':'), line.size()));
  // websocketpp, which read the header, forgives spaces on both sides.
  while (!name.empty() && is_space(name.front())) name.remove_prefix(1);
  while (!name.empty() && is_space(name.back())) name.remove_suffix(1);
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::equal(name.begin(), name.end(), kHeader.begin(), kHeader.end(), same);
}

}  // namespace

std::optional<DeflateOffer> find_deflate_offer(std::string_view header) {
  while (!header.empty()) {
    const auto size = offer_size(header);
    if (const auto offer = read_offer(header.substr(0, size))) return offer;
    header.remove_prefix(std::min(size + 1, header.size()));
  }
  return std::nullopt;
}

void settle_extensions(std::string& request, const std::optional<DeflateOffer>& offer) {
  // Never longer than the offer that it stands for.
  auto plain = offer ? std::string(kExtension) : std::string();
  if (offer && offer->server_window) plain.append(";").append(kServerWindow).append("=15");
  const auto end = std::min(request.find("\r\n\r\n"), request.size());
  for (auto begin = request.find("\r\n"); begin < end; begin = request.find("\r\n", begin)) {
    begin += 2;
    const auto size = std::min(request.find("\r\n", begin), request.size()) - begin;
    const std::string_view line(&request[begin], size);
    if (!is_extensions_header(line)) continue;
    const auto value = begin + line.find(':') + 1;
    const auto room = begin + size - value;
    if (plain.empty() || room < plain.size()) {
      request[begin] = 'X';  // another header, which nobody knows
      continue;
    }
    std::fill_n(std::copy(plain.begin(), plain.end(), request.begin() + static_cast<std::ptrdiff_t>(value)),
                room - plain.size(), ' ');
    plain.clear();
  }
}

}  // namespace trestle
