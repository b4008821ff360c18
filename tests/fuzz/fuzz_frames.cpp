// A client that got its 101 sends frames made of the input, right ones as easily as wrong ones: the first
// byte says what it asked for when it connected, then each frame is its first byte, a byte that says how it
// is sent, its size, its payload.
#include <array>

#include "bridge/core/deflate.h"
#include "tests/fuzz/stage.h"

using namespace trestle;

namespace {

std::size_t take_byte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  return byte;
}

std::string upgrade(std::size_t wants) {
  static constexpr std::array<const char*, 8> kTargets{"/?token=T",
                                                       "/?token=T&meta=1",
                                                       "/?token=T&meta=1&since=0",
                                                       "/open",
                                                       "/",
                                                       "/?token=T&meta=1&since=17:1&topics=note,text",
                                                       "/?token=T&topics=",
                                                       "/?token=T&meta=1&since=3:1"};
  std::string out =
      std::string("GET ") + kTargets[wants % 8] +
      " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  if ((wants & 8) != 0) out += "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  return out + "\r\n";
}

void append_number(std::string& out, std::uint64_t number, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

// What the bits of `how` do: 1 compress, 2 no mask, 4 and 8 a longer form of the length, 16 a length that is
// a lie, 32 to 128 the payload again and again.
std::string frame(std::size_t first, std::size_t how, std::string_view payload) {
  static Deflater deflater;
  std::string body;
  for (std::size_t i = 0; i <= how >> 5 && body.size() < 8192; ++i) body += payload;
  std::string packed;
  if ((how & 1) != 0 && deflater.deflate(body, packed)) body = packed;
  const auto size = (how & 16) != 0 ? body.size() * 255 + 1 : body.size();
  std::string out(1, static_cast<char>(first));
  const char mask = (how & 2) != 0 ? '\0' : '\x80';
  if ((how & 8) != 0 || size > 65535) {
    out += static_cast<char>(mask | 127);
    append_number(out, size, 8);
  } else if ((how & 4) != 0 || size > 125) {
    out += static_cast<char>(mask | 126);
    append_number(out, size, 2);
  } else {
    out += static_cast<char>(mask | static_cast<char>(size));
  }
  return out + (mask != 0 ? std::string(4, '\0') : "") + body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  Stage stage(choices);
  auto input = choices.input();
  stage.client_sends(upgrade(take_byte(input)));
  stage.settle();
  while (!input.empty() && !stage.over()) {
    const auto first = take_byte(input);
    const auto how = take_byte(input);
    const auto payload = input.substr(0, take_byte(input));
    input.remove_prefix(payload.size());
    stage.client_sends(frame(first, how, payload));
    if (choices.up_to(3) != 3) stage.settle();
    stage.meanwhile(choices.up_to(Stage::kMeanwhile));
    stage.settle();
  }
  stage.end();
  return 0;
}
