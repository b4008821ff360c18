#pragma once
#include <algorithm>
#include <string>
#include <string_view>

#include "bridge/front/byte_stream.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/must.h"

namespace trestle {

/// A connection in memory, seen from the client; the fuzzer chooses how reads and writes end.
struct Wire {
  explicit Wire(Choices& fuzzer) : choices(fuzzer) {}

  Choices& choices;
  std::string in;         ///< what the client has sent and the bridge not read
  std::string out;        ///< what the bridge has written
  bool ended = false;     ///< the client sends nothing more
  bool broken = false;    ///< and every read and write fails
  bool blocked = false;   ///< the client reads nothing
  bool finished = false;  ///< the bridge has said that it writes nothing more
  std::size_t progress = 0;
};

/// The bridge's end of it.
class MemoryStream final : public ByteStream {
 public:
  explicit MemoryStream(Wire& wire) : wire_(wire) {}

  Io read(char* buffer, std::size_t size, std::size_t& got) override {
    if (wire_.broken) return Io::failed;
    if (wire_.in.empty()) return wire_.ended ? Io::closed : Io::wait_read;
    const auto choice = wire_.choices.up_to(15);
    if (choice == 15) return Io::wait_read;
    if (choice == 14) return Io::wait_write;  // TLS
    const auto most = std::min(size, wire_.in.size());
    got = choice == 0 ? most : std::min(choice < 12 ? choice : wire_.choices.up_to(255) + 1, most);
    wire_.in.copy(buffer, got);
    wire_.in.erase(0, got);
    ++wire_.progress;
    return Io::done;
  }

  Io write(const std::string_view* slices, std::size_t count, std::size_t& written) override {
    MUST(!wire_.finished);
    if (wire_.broken) return Io::failed;
    const auto choice = wire_.choices.up_to(15);
    if (wire_.blocked || choice == 15) return Io::wait_write;
    if (choice == 14) {  // the client is gone, which only writing shows
      wire_.broken = true;
      return Io::failed;
    }
    auto left = choice == 0 ? std::string::npos : choice < 12 ? choice : wire_.choices.up_to(255) + 1;
    for (std::size_t i = 0; i < count && left > 0; ++i) {
      const auto part = slices[i].substr(0, left);
      wire_.out += part;
      written += part.size();
      left -= part.size();
    }
    ++wire_.progress;
    return Io::done;
  }

  void finish_writing() override {
    MUST(!wire_.finished);
    wire_.finished = true;
  }

 private:
  Wire& wire_;
};

}  // namespace trestle
