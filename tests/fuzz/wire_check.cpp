#include "tests/fuzz/wire_check.h"

#include <optional>
#include <string>

#include "bridge/core/deflate.h"
#include "proto/utf8.h"
#include "tests/fuzz/json_reference.h"
#include "tests/fuzz/must.h"

namespace trestle {
namespace {

constexpr unsigned char kFinal = 0x80;
constexpr unsigned char kRsv1 = 0x40;
constexpr std::size_t kMostInflated = 1024 * 1024;

std::optional<std::size_t> content_length(std::string_view head) {
  constexpr std::string_view kName = "\r\nContent-Length: ";
  const auto at = head.find(kName);
  if (at == head.npos) return std::nullopt;
  return std::stoul(std::string(head.substr(at + kName.size(), 12)));
}

struct Frame {
  unsigned char first = 0;
  std::string_view payload;
};

/// Cuts the next frame off; none if it is not all there.
std::optional<Frame> take_frame(std::string_view& bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 2) return std::nullopt;
  MUST((byte(1) & 0x80) == 0);  // RFC 6455 section 5.1: a server does not mask
  std::size_t length = byte(1);
  std::size_t head = 2;
  if (length >= 126) {
    head += length == 126 ? 2 : 8;
    if (bytes.size() < head) return std::nullopt;
    length = 0;
    for (std::size_t i = 2; i < head; ++i) length = length << 8 | byte(i);
    MUST(length >= (head == 4 ? 126u : 65536u));
  }
  if (bytes.size() - head < length) return std::nullopt;
  const Frame frame{byte(0), bytes.substr(head, length)};
  bytes.remove_prefix(head + length);
  return frame;
}

void check_close(std::string_view payload) {
  if (payload.empty()) return;
  MUST(payload.size() >= 2 && payload.size() <= 125);
  const auto code = static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
  MUST((code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
       (code >= 3000 && code < 5000));
  MUST(is_utf8(payload.substr(2)));
}

void check_text(std::string_view payload, bool deflated) {
  static Inflater inflater;
  std::string plain(payload);
  if (deflated) MUST(inflater.inflate(payload, kMostInflated, plain) == Inflated::ok);
  rapidjson::Document document;
  MUST(is_utf8(plain) && parse_reference(plain, document) && document.IsObject());
}

void check_frames(std::string_view bytes, bool deflate_agreed, bool whole) {
  while (const auto frame = take_frame(bytes)) {
    const bool deflated = frame->first == (kFinal | kRsv1 | 0x1);
    MUST(deflate_agreed || !deflated);
    if (frame->first == (kFinal | 0x8)) {
      check_close(frame->payload);
      MUST(bytes.empty());
      return;
    }
    if (frame->first == (kFinal | 0x1) || deflated) {
      check_text(frame->payload, deflated);
    } else {
      MUST(frame->first == (kFinal | 0x9) || frame->first == (kFinal | 0xA));
      MUST(frame->payload.size() <= 125);
    }
  }
  MUST(!whole || bytes.empty());
}

}  // namespace

void check_wire(std::string_view out, bool whole) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  MUST(out.substr(0, kVersion.size()) == kVersion.substr(0, out.size()));
  const auto end = out.find("\r\n\r\n");
  if (end == out.npos) {
    MUST(!whole || out.empty());
    return;
  }
  const auto head = out.substr(0, end + 4);
  const auto body = out.substr(end + 4);
  if (head.substr(kVersion.size(), 4) == "101 ") {
    MUST(head.find("\r\nSec-WebSocket-Accept: ") != head.npos);
    return check_frames(body, head.find("permessage-deflate") != head.npos, whole);
  }
  const auto length = content_length(head);
  MUST(length && body.size() <= *length);
  MUST(!whole || body.empty() || body.size() == *length);  // empty: HEAD
}

}  // namespace trestle
