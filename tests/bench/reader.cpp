#include "tests/bench/reader.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <charconv>
#include <cstring>
#include <stdexcept>
#include <string>

namespace trestle::bench {
namespace {

constexpr std::size_t kBuffer = 4 * 1024 * 1024;
constexpr timeval kPatience{30, 0};

}  // namespace

Reader::Reader(const Target& target) : buffer_(kBuffer) {
  connection_.open(target);
  ::setsockopt(connection_.fd(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  connection_.upgrade(target);
}

std::string_view Reader::next() {
  for (;;) {
    const std::string_view waiting(buffer_.data() + begin_, end_ - begin_);
    const auto header = header_size(waiting);
    if (header == 0 || waiting.size() < header || waiting.size() < header + payload_size(waiting)) {
      fill();
      continue;
    }
    const auto size = static_cast<std::size_t>(payload_size(waiting));
    begin_ += header + size;
    if (opcode_of(waiting) == Opcode::text) return waiting.substr(header, size);
  }
}

void Reader::fill() {
  if (buffer_.size() - end_ < buffer_.size() / 4) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const auto got = connection_.read(buffer_.data() + end_, buffer_.size() - end_);
  if (got == 0) throw std::runtime_error("the server closed the connection");
  if (got < 0) throw std::runtime_error("nothing came from the server for 30 s");
  end_ += static_cast<std::size_t>(got);
}

std::string_view Reader::next_notice(std::string_view type) {
  const auto wanted = "{\"type\":\"" + std::string(type) + "\"";
  for (;;) {
    const auto text = next();
    if (text.find("\"data\":" + wanted) != std::string_view::npos) return text;
  }
}

std::uint64_t number_in(std::string_view json, std::string_view name) {
  const auto member = "\"" + std::string(name) + "\":";
  const auto at = json.rfind(member);
  std::uint64_t number = 0;
  if (at == std::string_view::npos ||
      std::from_chars(json.data() + at + member.size(), json.data() + json.size(), number).ec !=
          std::errc()) {
    throw std::runtime_error("no " + std::string(name) + " in " + std::string(json));
  }
  return number;
}

std::string_view string_in(std::string_view json, std::string_view name) {
  const auto member = "\"" + std::string(name) + "\":\"";
  const auto at = json.find(member);
  if (at == std::string_view::npos) {
    throw std::runtime_error("no " + std::string(name) + " in " + std::string(json));
  }
  const auto rest = json.substr(at + member.size());
  return rest.substr(0, rest.find('"'));
}

}  // namespace trestle::bench
