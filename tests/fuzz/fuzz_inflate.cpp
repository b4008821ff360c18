// A message that a client says is compressed: bounded, and what is taken is what zlib itself makes of it.
#include <zlib.h>

#include <string>

#include "bridge/core/deflate.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

namespace {

constexpr std::size_t kMax = 4096;
constexpr std::size_t kBuffer = 16384;

/// What zlib makes of a message in one call, or nothing.
bool reference(const std::string& message, std::string& out) {
  auto whole = message + std::string("\0\0\xff\xff", 4);
  z_stream z{};
  MUST(inflateInit2(&z, -15) == Z_OK);
  out.resize(kMax);
  z.next_in = reinterpret_cast<Bytef*>(whole.data());
  z.avail_in = static_cast<uInt>(whole.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  const bool took_all = inflate(&z, Z_SYNC_FLUSH) == Z_OK && z.avail_in == 0;
  out.resize(kMax - z.avail_out);
  inflateEnd(&z);
  return took_all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Inflater inflater;
  static Deflater deflater;
  const std::string input(text_of(data, size));
  std::string out;
  const auto outcome = inflater.inflate(input, kMax, out);
  MUST(out.size() <= kMax + kBuffer);
  if (outcome == Inflated::ok) MUST(out.size() <= kMax);
  std::string expected;
  if (outcome == Inflated::ok && reference(input, expected)) MUST(out == expected);

  std::string packed;
  if (!deflater.deflate(input, packed)) return 0;
  MUST(packed.size() < input.size());
  MUST(inflater.inflate(packed, input.size(), out) == Inflated::ok && out == input);
  return 0;
}
