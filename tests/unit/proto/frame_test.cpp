#include "proto/frame.h"

#include <doctest/doctest.h>

#include <string>

using namespace trestle;

namespace {
std::string header(std::size_t size) {
  std::string out;
  append_text_frame_header(out, size);
  return out;
}
std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}
}  // namespace

TEST_CASE("a text frame's header has the shortest length that fits") {
  CHECK(header(0) == bytes({0x81, 0}));
  CHECK(header(125) == bytes({0x81, 125}));
  CHECK(header(126) == bytes({0x81, 126, 0, 126}));
  CHECK(header(65535) == bytes({0x81, 126, 0xFF, 0xFF}));
  CHECK(header(65536) == bytes({0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}));
  CHECK(header(0x0102030405060708) == bytes({0x81, 127, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST_CASE("a header's size is known beforehand, and headers are appended") {
  for (const std::size_t size : {0u, 125u, 126u, 65535u, 65536u})
    CHECK(header(size).size() == frame_header_size(size));
  CHECK(kMaxFrameHeader == frame_header_size(~std::size_t{0}));
  std::string out = "before";
  append_text_frame_header(out, 1);
  CHECK(out == "before\x81\x01");
}
