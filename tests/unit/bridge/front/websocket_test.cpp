#include "bridge/front/websocket.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <utility>

#include "bridge/core/deflate.h"

using namespace trestle;

namespace {

constexpr std::size_t kMaxMessage = 1'000;

const std::string kRequest =
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: trestle.v1, bearer.T\r\n\r\n";

const std::string kDeflateRequest =
    kRequest.substr(0, kRequest.size() - 2) + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

/// "Hello", by RFC 7692 section 7.2.3.1.
const std::string kPackedHello{"\xf2\x48\xcd\xc9\xc9\x07\x00", 7};

enum Opcode : unsigned char { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

/// A client's frame (RFC 6455 section 5.2): masked, final unless it says otherwise.
std::string frame(Opcode opcode, const std::string& payload, bool final = true, bool masked = true) {
  static constexpr std::array<char, 4> kMask{'\x11', '\x22', '\x33', '\x44'};
  const auto size = payload.size();
  const char mask_bit = masked ? '\x80' : '\0';
  std::string out;
  out += static_cast<char>((final ? 0x80 : 0) | opcode);
  if (size < 126) {
    out += static_cast<char>(mask_bit | static_cast<char>(size));
  } else {
    out += static_cast<char>(mask_bit | 126);
    out += static_cast<char>(size >> 8);
    out += static_cast<char>(size & 0xff);
  }
  if (!masked) return out + payload;
  out.append(kMask.data(), kMask.size());
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(payload[i] ^ kMask[i % 4]);
  return out;
}
std::string with_rsv1(std::string bytes) {
  bytes.front() = static_cast<char>(bytes.front() | 0x40);
  return bytes;
}
std::string close_frame(unsigned code, const std::string& reason = {}) {
  return frame(kClose, std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} + reason);
}

/// A connection in memory that writes down what happens: "text:hello ping:x closed:1000".
class Connection final : private WebSocketEvents {
 public:
  explicit Connection(const std::string& subprotocol = {})
      : factory_(kMaxMessage), socket_(factory_.accept(*this, subprotocol)) {}

  static Connection opened() { return Connection(OpenedTag{}); }
  static Connection with_deflate() { return Connection(DeflateTag{}); }
  void feed(const std::string& bytes) { socket_->feed(bytes); }
  void close(std::uint16_t code, std::string_view reason) { socket_->close(code, reason); }
  void end_of_input() { socket_->end_of_input(); }
  /// What was written since the last call.
  std::string written() { return std::exchange(written_, {}); }
  /// What happened since the last call.
  std::string events() { return std::exchange(events_, {}); }
  /// The close frame at the end of what was written, as "1000 reason"; "none" if there is none.
  std::string close_sent() {
    const auto bytes = written();
    if (bytes.size() < 4 || bytes[0] != '\x88') return "none";
    const auto byte = [&](std::size_t i) {
      return static_cast<unsigned>(static_cast<unsigned char>(bytes[i]));
    };
    if (byte(1) != bytes.size() - 2) return "broken";
    const auto reason = bytes.substr(4);
    return std::to_string(byte(2) << 8 | byte(3)) + (reason.empty() ? "" : " " + reason);
  }

 private:
  struct OpenedTag {};
  struct DeflateTag {};
  explicit Connection(DeflateTag) : Connection() {
    feed(kDeflateRequest);
    REQUIRE(events() == "open:deflate");
    written();
  }
  explicit Connection(OpenedTag) : Connection() {
    feed(kRequest);
    REQUIRE(events() == "open");
    written();
  }

  void ws_write(std::string_view bytes) override {
    CHECK_FALSE(bytes.empty());
    written_ += bytes;
  }
  void ws_open(bool deflate) override { note(deflate ? "open:deflate" : "open"); }
  void ws_text(const std::string& text) override { note("text:" + text); }
  void ws_binary() override { note("binary"); }
  void ws_ping(const std::string& payload) override { note("ping:" + payload); }
  void ws_closed(std::uint16_t code) override { note("closed:" + std::to_string(code)); }
  void note(const std::string& event) { events_ += (events_.empty() ? "" : " ") + event; }

  WebSocketFactory factory_;
  std::string written_;
  std::string events_;
  std::unique_ptr<WebSocket> socket_;
};

}  // namespace

TEST_CASE("the opening handshake is answered, wherever the request's bytes are cut") {
  for (std::size_t cut = 0; cut < kRequest.size(); ++cut) {
    Connection client("trestle.v1");
    client.feed(kRequest.substr(0, cut));
    REQUIRE(client.events() == "");
    client.feed(kRequest.substr(cut));
    REQUIRE(client.events() == "open");
    const auto answer = client.written();
    REQUIRE(answer.compare(0, 34, "HTTP/1.1 101 Switching Protocols\r\n") == 0);
    // RFC 6455 section 1.3
    REQUIRE(answer.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") != std::string::npos);
    REQUIRE(answer.find("Sec-WebSocket-Protocol: trestle.v1\r\n") != std::string::npos);
    REQUIRE(answer.find("bearer") == std::string::npos);
  }
}

TEST_CASE("without a subprotocol of ours the answer names none") {
  Connection client;
  client.feed(kRequest);
  CHECK(client.written().find("Sec-WebSocket-Protocol") == std::string::npos);
}

TEST_CASE("a request that is no handshake is for the session to answer, and it is over") {
  Connection client;
  auto request = kRequest;
  request.erase(request.find("Sec-WebSocket-Key"), 45);
  client.feed(request);
  CHECK(client.written() == "");
  CHECK(client.events() == "closed:1006");
}

TEST_CASE("messages arrive whole, wherever their bytes are cut") {
  const auto bytes = frame(kText, "hello") + frame(kText, "") + frame(kText, std::string(300, 'x')) +
                     frame(kBinary, "b") + frame(kText, "ü");
  const auto expected = "text:hello text: text:" + std::string(300, 'x') + " binary text:ü";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    auto client = Connection::opened();
    client.feed(bytes.substr(0, cut));
    client.feed(bytes.substr(cut));
    REQUIRE(client.events() == expected);
    REQUIRE(client.written() == "");
  }
  auto client = Connection::opened();
  for (const char byte : bytes) client.feed(std::string(1, byte));
  CHECK(client.events() == expected);
}

TEST_CASE("fragments are joined, and a ping may come between them") {
  auto client = Connection::opened();
  client.feed(frame(kText, "hel", false) + frame(kPing, "p") + frame(kContinuation, "l", false));
  CHECK(client.events() == "ping:p");
  client.feed(frame(kContinuation, "o"));
  CHECK(client.events() == "text:hello");
}

TEST_CASE("a ping is told to the session, which answers itself") {
  auto client = Connection::opened();
  client.feed(frame(kPing, "") + frame(kPing, std::string(125, 'p')) + frame(kPong, "unasked"));
  CHECK(client.events() == "ping: ping:" + std::string(125, 'p'));
  CHECK(client.written() == "");
}

TEST_CASE("a message over the limit is answered with 1009") {
  auto client = Connection::opened();
  SUBCASE("at its length already") { client.feed(frame(kText, std::string(1'001, 'x')).substr(0, 8)); }
  SUBCASE("fragments together") {
    client.feed(frame(kText, std::string(600, 'x'), false));
    CHECK(client.written() == "");
    client.feed(frame(kContinuation, std::string(401, 'x')));
  }
  CHECK(client.close_sent().compare(0, 4, "1009") == 0);
  CHECK(client.events().compare(0, 7, "closed:") == 0);
  client.feed(frame(kText, "more"));
  CHECK(client.events() == "");
  CHECK(client.written() == "");
}

TEST_CASE("a message of exactly the limit is fine") {
  auto client = Connection::opened();
  client.feed(frame(kText, std::string(kMaxMessage, 'x')));
  CHECK(client.events() == "text:" + std::string(kMaxMessage, 'x'));
}

TEST_CASE("what breaks the protocol ends in a close frame that says so") {
  auto client = Connection::opened();
  std::string expected = "1002";
  SUBCASE("text that is not UTF-8") {
    expected = "1007";
    client.feed(frame(kText, "a\xff"));
  }
  SUBCASE("UTF-8 that ends in the middle of a character") {
    expected = "1007";
    client.feed(frame(kText, "a\xc3"));
  }
  SUBCASE("fragments that end in the middle of a character") {
    expected = "1007";
    client.feed(frame(kText, "a\xe2", false) + frame(kContinuation, "\x82"));
  }
  SUBCASE("a length of 16 bits that fits into 7") {
    client.feed(std::string("\x81\xfe\x00\x7d", 4) + std::string(4 + 125, '\0'));
  }
  SUBCASE("a length of 64 bits that fits into 16") {
    client.feed(std::string("\x81\xff\0\0\0\0\0\0\xff\xff", 10));
  }
  SUBCASE("a length of 64 bits with the top one") {
    client.feed(std::string("\x81\xff\x80\0\0\0\0\0\0\0", 10));
  }
  SUBCASE("a frame without a mask") { client.feed(frame(kText, "hello", true, false)); }
  SUBCASE("a reserved bit") { client.feed("\xc1" + frame(kText, "hello").substr(1)); }
  SUBCASE("a reserved opcode") { client.feed(frame(static_cast<Opcode>(3), "x")); }
  SUBCASE("a continuation of nothing") { client.feed(frame(kContinuation, "x")); }
  SUBCASE("a new message within another") { client.feed(frame(kText, "a", false) + frame(kText, "b")); }
  SUBCASE("a fragmented ping") { client.feed(frame(kPing, "a", false)); }
  SUBCASE("a ping over 125 bytes") { client.feed(frame(kPing, std::string(126, 'x'))); }
  SUBCASE("a close frame of one byte") { client.feed(frame(kClose, "x")); }
  SUBCASE("a close code that may not be sent") { client.feed(close_frame(1005)); }
  CHECK(client.close_sent().compare(0, 4, expected) == 0);
  CHECK(client.events().compare(0, 7, "closed:") == 0);
  client.feed(frame(kText, "more"));
  CHECK(client.events() == "");
}

TEST_CASE("the peer closes: its close frame is answered and its code told") {
  auto client = Connection::opened();
  SUBCASE("with a code") {
    client.feed(close_frame(1001, "leaving"));
    CHECK(client.close_sent() == "1001 leaving");
    CHECK(client.events() == "closed:1001");
  }
  SUBCASE("with a code of its own") {
    client.feed(close_frame(4000));
    CHECK(client.close_sent() == "4000");
    CHECK(client.events() == "closed:4000");
  }
  SUBCASE("with none") {
    client.feed(frame(kClose, ""));
    CHECK(client.close_sent() == "1000");
    CHECK(client.events() == "closed:1005");
  }
}

TEST_CASE("we close: one close frame, and it is over when the peer has answered") {
  auto client = Connection::opened();
  client.close(4408, "cursor=1:2");
  CHECK(client.close_sent() == "4408 cursor=1:2");
  CHECK(client.events() == "");
  client.close(1001, "again");
  CHECK(client.written() == "");
  client.feed(frame(kText, "too late") + close_frame(4408));
  CHECK(client.events() == "closed:4408");
  CHECK(client.written() == "");
}

TEST_CASE("nothing follows our close frame, whatever is wrong with the one that answers it") {
  auto client = Connection::opened();
  client.close(4429, "too many requests");
  CHECK(client.close_sent() == "4429 too many requests");
  SUBCASE("a code that may not be sent") { client.feed(close_frame(1005)); }
  SUBCASE("a code that nobody has defined") { client.feed(close_frame(0x7b22)); }
  SUBCASE("one byte") { client.feed(frame(kClose, "x")); }
  SUBCASE("a reason that is not UTF-8") { client.feed(close_frame(1000, "\xff")); }
  SUBCASE("no mask") { client.feed(frame(kClose, "", true, false)); }
  CHECK(client.written() == "");
  CHECK(client.events().compare(0, 7, "closed:") == 0);
}

TEST_CASE("a reason is cut to what a close frame holds") {
  auto client = Connection::opened();
  client.close(4400, std::string(200, 'r'));
  CHECK(client.close_sent() == "4400 " + std::string(123, 'r'));
}

TEST_CASE("a reason is not cut within a character: the frame must be UTF-8") {
  auto client = Connection::opened();
  client.close(4400, std::string(122, 'r') + "ü and more");
  CHECK(client.close_sent() == "4400 " + std::string(122, 'r'));
}

TEST_CASE("closing before the handshake writes no frame") {
  Connection client;
  client.close(4401, "no");
  CHECK(client.written() == "");
}

TEST_CASE("a peer that ends without a word is over with 1006") {
  SUBCASE("open") {
    auto client = Connection::opened();
    client.end_of_input();
    CHECK(client.events() == "closed:1006");
    client.feed("more");
    CHECK(client.events() == "");
  }
  SUBCASE("in the middle of the handshake") {
    Connection client;
    client.feed(kRequest.substr(0, 20));
    client.end_of_input();
    CHECK(client.events() == "closed:1006");
  }
}

TEST_CASE("permessage-deflate is agreed to as the request asks") {
  Connection client;
  client.feed(kDeflateRequest);
  CHECK(client.events() == "open:deflate");
  CHECK(client.written().find("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                              "client_no_context_takeover\r\n") != std::string::npos);
}

TEST_CASE("a compressed message is inflated, wherever its bytes and fragments are cut") {
  const auto whole = with_rsv1(frame(kText, kPackedHello));
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    auto client = Connection::with_deflate();
    client.feed(whole.substr(0, cut));
    client.feed(whole.substr(cut));
    REQUIRE(client.events() == "text:Hello");
  }
  auto client = Connection::with_deflate();
  for (std::size_t cut = 0; cut <= kPackedHello.size(); ++cut) {
    client.feed(with_rsv1(frame(kText, kPackedHello.substr(0, cut), false)) + frame(kPing, "p") +
                frame(kContinuation, kPackedHello.substr(cut)));
    REQUIRE(client.events() == "ping:p text:Hello");
  }
  client.feed(frame(kText, "plain too"));
  CHECK(client.events() == "text:plain too");
}

TEST_CASE("a frame that comes with the request is compressed like any other") {
  Connection client;
  client.feed(kDeflateRequest + with_rsv1(frame(kText, kPackedHello)));
  CHECK(client.events() == "open:deflate text:Hello");
}

TEST_CASE("RSV1 on a continuation is a protocol error, after every kind of frame, wherever it is cut") {
  for (const auto& before :
       {frame(kText, "a", false), with_rsv1(frame(kText, kPackedHello, false)),
        frame(kText, std::string(126, 'a'), false), frame(kText, "", false) + frame(kPing, "p"),
        frame(kText, "x") + frame(kText, "", false) + frame(kContinuation, "", false)}) {
    const auto all = before + with_rsv1(frame(kContinuation, "b"));
    for (std::size_t cut = 0; cut < all.size(); ++cut) {
      auto client = Connection::with_deflate();
      client.feed(all.substr(0, cut));
      client.feed(all.substr(cut));
      CAPTURE(cut);
      REQUIRE(client.close_sent().substr(0, 4) == "1002");
    }
  }
}

TEST_CASE("RSV1 where it means nothing is a protocol error") {
  auto agreed = Connection::with_deflate();
  agreed.feed(with_rsv1(frame(kPing, "p")));
  CHECK(agreed.close_sent().substr(0, 4) == "1002");
  auto plain = Connection::opened();
  plain.feed(with_rsv1(frame(kText, kPackedHello)));
  CHECK(plain.close_sent().substr(0, 4) == "1002");
}

TEST_CASE("what is compressed may be as long as a message may be, inflated, and must be text") {
  const std::string block{"\x00\xe8\x03\x17\xfc", 5};  // stored: 1,000 bytes follow
  const auto stored = [&](const std::string& text) { return block + text + std::string(1, '\0'); };
  std::string packed;
  Deflater deflater;
  REQUIRE(deflater.deflate(std::string(kMaxMessage, 'x'), packed));
  auto just = Connection::with_deflate();
  just.feed(with_rsv1(frame(kText, packed)));
  CHECK(just.events() == "text:" + std::string(kMaxMessage, 'x'));
  packed.clear();
  REQUIRE(deflater.deflate(std::string(kMaxMessage + 1, 'x'), packed));
  auto more = Connection::with_deflate();
  more.feed(with_rsv1(frame(kText, packed)));
  CHECK(more.close_sent().substr(0, 4) == "1009");
  auto longer = Connection::with_deflate();  // refused by its own length already
  longer.feed(with_rsv1(frame(kText, stored(std::string(1000, 'x')))));
  CHECK(longer.close_sent().substr(0, 4) == "1009");

  packed.clear();
  REQUIRE(deflater.deflate(std::string(100, '\xff'), packed));
  auto broken = Connection::with_deflate();
  broken.feed(with_rsv1(frame(kText, packed)));
  CHECK(broken.close_sent().substr(0, 4) == "1007");
  auto garbage = Connection::with_deflate();
  garbage.feed(with_rsv1(frame(kText, "\xff\xff")));
  CHECK(garbage.close_sent().substr(0, 4) == "1007");
  auto empty = Connection::with_deflate();
  empty.feed(with_rsv1(frame(kText, "")));
  CHECK(empty.close_sent().substr(0, 4) == "1007");
  CHECK(empty.events().substr(0, 6) == "closed");
}
