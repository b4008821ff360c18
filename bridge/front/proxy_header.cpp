#include "bridge/front/proxy_header.h"

#include <algorithm>

namespace trestle {
namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view kText = "PROXY ";
constexpr std::size_t kShortestText = 15;  // "PROXY UNKNOWN\r\n"
constexpr std::size_t kLongestText = 107;
constexpr std::size_t kFixed = 16;  // version 2: signature, command, family, length
constexpr std::size_t kLongest = 4096;

unsigned byte_at(const std::string& bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

bool agrees(std::string_view bytes, std::string_view start) {
  const auto size = std::min(bytes.size(), start.size());
  return bytes.substr(0, size) == start.substr(0, size);
}

std::size_t whole_size(const std::string& bytes) {
  return kFixed + (byte_at(bytes, 14) << 8U) + byte_at(bytes, 15);
}

std::string_view take_word(std::string_view& text) {
  const auto end = std::min(text.find(' '), text.size());
  const auto word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

}  // namespace

std::size_t ProxyHeader::wants() const {
  if (bytes_.size() < kShortestText) return kShortestText - bytes_.size();
  if (bytes_.front() == kText.front()) return 1;  // where a text ends is not known before its end is there
  if (bytes_.size() < kFixed) return kFixed - bytes_.size();
  return whole_size(bytes_) - bytes_.size();
}

ProxyHeader::State ProxyHeader::feed(std::string_view bytes) {
  bytes_.append(bytes);
  if (agrees(bytes_, kText)) return read_text();
  if (agrees(bytes_, kSignature)) return read_binary();
  return State::bad;
}

ProxyHeader::State ProxyHeader::read_text() {
  if (bytes_.size() < kShortestText) return State::more;
  if (bytes_.substr(bytes_.size() - 2) != "\r\n") {
    return bytes_.size() < kLongestText ? State::more : State::bad;
  }
  auto text = std::string_view(bytes_).substr(kText.size(), bytes_.size() - kText.size() - 2);
  const auto family = take_word(text);
  if (family == "UNKNOWN") return State::done;
  if (family != "TCP4" && family != "TCP6") return State::bad;
  source_ = IpAddress::parse(take_word(text));
  const bool whole =
      source_ && IpAddress::parse(take_word(text)) && !take_word(text).empty() && !text.empty();
  return whole && source_->is_v4() == (family == "TCP4") ? State::done : State::bad;
}

ProxyHeader::State ProxyHeader::read_binary() {
  if (bytes_.size() < kFixed) return State::more;
  const auto version = byte_at(bytes_, 12) >> 4U;
  const auto command = byte_at(bytes_, 12) & 0xfU;
  if (version != 2 || command > 1 || whole_size(bytes_) > kLongest) return State::bad;
  if (bytes_.size() < whole_size(bytes_)) return State::more;
  if (command == 0) return State::done;  // LOCAL
  const auto family = byte_at(bytes_, 13) >> 4U;
  const auto room = bytes_.size() - kFixed;
  const auto* addresses = reinterpret_cast<const unsigned char*>(bytes_.data()) + kFixed;
  if (family == 1) {
    if (room < 12) return State::bad;
    source_ = IpAddress::v4(addresses);
  } else if (family == 2) {
    if (room < 36) return State::bad;
    IpAddress::Bytes six{};
    std::copy_n(addresses, six.size(), six.begin());
    source_ = IpAddress(six);
  }
  return State::done;
}

}  // namespace trestle
