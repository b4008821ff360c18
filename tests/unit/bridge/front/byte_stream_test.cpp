#include "bridge/front/byte_stream.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

using namespace trestle;

namespace {

/// A plain stream on one end of a socket pair, the test on the other.
class Pair {
 public:
  Pair() {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()) == 0);
    stream = plain_stream(ends_[0]);
  }
  ~Pair() {
    ::close(ends_[0]);
    hang_up();
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void hang_up() {
    if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
  }
  void say(const std::string& text) { REQUIRE(::send(ends_[1], text.data(), text.size(), 0) > 0); }
  std::string hear() {
    std::string text(100'000, '\0');
    const auto got = ::recv(ends_[1], text.data(), text.size(), MSG_DONTWAIT);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
  bool hears_the_end() {
    char byte = 0;
    return ::recv(ends_[1], &byte, 1, MSG_DONTWAIT) == 0;
  }

  std::unique_ptr<ByteStream> stream;

 private:
  std::array<int, 2> ends_{-1, -1};
};

}  // namespace

TEST_CASE("a read ends in bytes, in waiting, or in the end") {
  Pair pair;
  std::array<char, 10> buffer{};
  std::size_t got = 0;
  CHECK(pair.stream->read(buffer.data(), buffer.size(), got) == Io::wait_read);
  pair.say("hello");
  CHECK(pair.stream->read(buffer.data(), buffer.size(), got) == Io::done);
  CHECK(std::string(buffer.data(), got) == "hello");
  pair.hang_up();
  CHECK(pair.stream->read(buffer.data(), buffer.size(), got) == Io::closed);
}

TEST_CASE("slices leave in order, also more than one call takes") {
  Pair pair;
  std::vector<std::string_view> slices(40, "ab");
  std::size_t written = 0;
  CHECK(pair.stream->write(slices.data(), slices.size(), written) == Io::done);
  CHECK(written == 32);  // sixteen at a time
  std::string expected;
  for (int i = 0; i < 16; ++i) expected += "ab";
  CHECK(pair.hear() == expected);
}

TEST_CASE("a full socket takes a part, then none, and goes on when there is room") {
  Pair pair;
  const std::string big(1'000'000, 'x');
  const std::string_view slice = big;
  std::size_t sent = 0;
  std::size_t written = 0;
  auto outcome = Io::done;
  while ((outcome = pair.stream->write(&slice, 1, written)) == Io::done) sent += written;
  CHECK(outcome == Io::wait_write);
  std::size_t heard = 0;
  for (std::string part; !(part = pair.hear()).empty();) heard += part.size();
  CHECK(heard == sent);
  CHECK(pair.stream->write(&slice, 1, written) == Io::done);
}

TEST_CASE("writing to a peer that is gone fails, and does not kill the process") {
  Pair pair;
  pair.hang_up();
  const std::string_view slice = "hello";
  std::size_t written = 0;
  CHECK(pair.stream->write(&slice, 1, written) == Io::failed);
}

TEST_CASE("after the end of writing the peer may still speak") {
  Pair pair;
  pair.stream->finish_writing();
  CHECK(pair.hears_the_end());
  pair.say("hello");
  std::array<char, 10> buffer{};
  std::size_t got = 0;
  CHECK(pair.stream->read(buffer.data(), buffer.size(), got) == Io::done);
  CHECK(got == 5);
}
