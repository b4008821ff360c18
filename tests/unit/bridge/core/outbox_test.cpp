#include "bridge/core/outbox.h"

#include <doctest/doctest.h>

#include <array>
#include <optional>

#include "proto/frame.h"

using namespace trestle;

namespace {

/// A chunk of text frames; an event's offset, or 0 for a frame that is no event.
struct Frame {
  Offset offset;
  std::string payload;
};
ChunkPtr chunk(const std::vector<Frame>& frames) {
  auto made = std::make_shared<Chunk>();
  for (const auto& frame : frames) {
    const auto begin = made->bytes.size();
    append_text_frame_header(made->bytes, frame.payload.size());
    made->bytes += frame.payload;
    if (frame.offset != 0) made->marks.push_back({frame.offset, begin, made->bytes.size(), nullptr});
  }
  return made;
}
ChunkPtr pong(const std::string& payload) {
  auto made = std::make_shared<Chunk>();
  append_control_frame(made->bytes, kPongOpcode, payload);
  return made;
}
ChunkPtr http(const std::string& text) {
  auto made = std::make_shared<Chunk>();
  made->bytes = text;
  made->frames = false;
  return made;
}

std::string waiting(const Outbox& outbox) {
  std::array<Outbox::Slice, 32> slices;
  const auto count = outbox.front(slices.data(), slices.size());
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += slices[i];
  return bytes;
}

/// The frames' payloads joined by blanks; nothing if the bytes are no sequence of whole frames.
std::optional<std::string> payloads(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    if (bytes.size() < 2) return std::nullopt;
    std::size_t header = 2;
    std::size_t size = static_cast<unsigned char>(bytes[1]);
    if (size >= 126) {
      const std::size_t extended = size == 126 ? 2 : 8;
      if (bytes.size() < 2 + extended) return std::nullopt;
      size = 0;
      for (std::size_t i = 0; i < extended; ++i)
        size = size << 8 | static_cast<unsigned char>(bytes[header + i]);
      header += extended;
    }
    if (bytes.size() < header + size) return std::nullopt;
    if (!text.empty()) text += ' ';
    text += bytes.substr(header, size);
    bytes.remove_prefix(header + size);
  }
  return text;
}

/// Frames of every header size: 2, 4 and 10 bytes.
ChunkPtr frames_of_all_sizes() {
  return chunk({{1, "one"}, {2, std::string(200, '2')}, {3, std::string(66'000, '3')}, {4, ""}, {5, "five"}});
}

/// The newest offset among `chunk`'s marks that ends at or before `bytes`.
Offset written_by(const Chunk& chunk, std::size_t bytes) {
  Offset newest = 0;
  for (const auto& mark : chunk.marks) {
    if (mark.end <= bytes) newest = mark.offset;
  }
  return newest;
}

}  // namespace

TEST_CASE("bytes leave in the order they came, however the socket takes them") {
  const auto first = chunk({{1, "aa"}, {2, "b"}});
  const auto second = chunk({{0, "notice"}});
  const auto third = chunk({{3, ""}, {5, "cccc"}});
  const auto all = first->bytes + second->bytes + third->bytes;
  // A write that ends at byte i, and the next one at byte j.
  for (std::size_t i = 0; i <= all.size(); ++i) {
    for (std::size_t j = i; j <= all.size(); ++j) {
      Outbox outbox;
      outbox.push(first);
      outbox.push(second);
      outbox.push(third);
      outbox.consume(i);
      outbox.consume(j - i);
      REQUIRE(waiting(outbox) == all.substr(j));
      REQUIRE(outbox.bytes() == all.size() - j);
      REQUIRE(outbox.empty() == (j == all.size()));
      const auto in_first = written_by(*first, std::min(j, first->bytes.size()));
      const auto before_third = first->bytes.size() + second->bytes.size();
      const auto in_third = j > before_third ? written_by(*third, j - before_third) : 0;
      REQUIRE(outbox.written() == std::max(in_first, in_third));
    }
  }
}

TEST_CASE("no more slices are given than asked for") {
  Outbox outbox;
  for (const auto* text : {"a", "b", "c"}) outbox.push(chunk({{0, text}}));
  std::array<Outbox::Slice, 2> slices;
  CHECK(outbox.front(slices.data(), slices.size()) == 2);
  CHECK(slices[1] == chunk({{0, "b"}})->bytes);
}

TEST_CASE("a chunk whose beginning went straight to the socket: what was written counts as written") {
  const auto events = chunk({{7, "a"}, {8, "b"}, {9, "c"}});
  for (std::size_t from = 0; from < events->bytes.size(); ++from) {
    Outbox outbox;
    outbox.push(events, from);
    REQUIRE(waiting(outbox) == events->bytes.substr(from));
    REQUIRE(outbox.bytes() == events->bytes.size() - from);
    REQUIRE(outbox.written() == written_by(*events, from));
  }
}

TEST_CASE("an empty chunk leaves nothing waiting that could never be written") {
  Outbox outbox;
  outbox.push(chunk({}));
  CHECK(outbox.empty());
  outbox.push(chunk({{1, "a"}}));
  outbox.push(chunk({}));
  outbox.consume(3);
  CHECK(outbox.empty());
}

TEST_CASE("events written past the empty outbox count as written") {
  Outbox outbox;
  CHECK(outbox.written() == 0);
  outbox.note_written(*chunk({{3, "a"}, {4, "b"}}));
  CHECK(outbox.written() == 4);
  outbox.note_written(*chunk({{0, "a notice"}}));
  CHECK(outbox.written() == 4);
}

TEST_CASE("at most one pong waits, for the newest ping") {
  Outbox outbox;
  outbox.push(chunk({{1, "event"}}));
  outbox.push_pong(pong("first"));
  outbox.push_pong(pong("the second"));
  outbox.push(chunk({{2, "more"}}));
  outbox.push_pong(pong("3"));
  CHECK(payloads(waiting(outbox)) == "event 3 more");
  CHECK(outbox.bytes() == waiting(outbox).size());

  SUBCASE("one of which something is written stays whole") {
    outbox.consume(chunk({{1, "event"}})->bytes.size() + 1);
    outbox.push_pong(pong("4"));
    outbox.push_pong(pong("5"));
    CHECK(payloads(pong("3")->bytes.substr(0, 1) + waiting(outbox)) == "3 more 5");
    CHECK(outbox.bytes() == waiting(outbox).size());
  }
}

TEST_CASE("dropping what is unwritten leaves a valid stream, wherever the last write ended") {
  const auto events = frames_of_all_sizes();
  const auto goodbye = chunk({{0, "bye"}});
  std::vector<std::size_t> places;  // every byte of headers and frame ends, some of the long payload
  for (std::size_t i = 0; i <= events->bytes.size(); ++i) {
    if (i < 300 || i % 4'001 == 0 || i + 40 > events->bytes.size()) places.push_back(i);
  }
  for (const auto written : places) {
    Outbox outbox;
    outbox.push(events);
    outbox.push_pong(pong("dropped"));
    outbox.push(chunk({{6, "dropped"}}));
    outbox.consume(written);
    const auto will_have = outbox.drop_unwritten();
    REQUIRE(outbox.bytes() == waiting(outbox).size());
    REQUIRE(outbox.written() == written_by(*events, written));

    const auto rest = waiting(outbox);
    const auto whole = payloads(events->bytes.substr(0, written) + rest);
    REQUIRE(whole);
    REQUIRE(whole->find("dropped") == std::string::npos);
    REQUIRE(payloads(events->bytes)->compare(0, whole->size(), *whole) == 0);

    outbox.push(goodbye);
    REQUIRE(payloads(events->bytes.substr(0, written) + waiting(outbox)));
    outbox.consume(rest.size());
    REQUIRE(waiting(outbox) == goodbye->bytes);
    REQUIRE(outbox.written() == written_by(*events, written + rest.size()));
    REQUIRE(outbox.written() == will_have);
  }
}

TEST_CASE("dropping keeps a chunk that began past the outbox in one piece too") {
  const auto events = chunk({{1, "one"}, {2, "two"}});
  for (std::size_t from = 0; from < events->bytes.size(); ++from) {
    Outbox outbox;
    outbox.push(events, from);
    outbox.drop_unwritten();
    REQUIRE(payloads(events->bytes.substr(0, from) + waiting(outbox)));
  }
}

TEST_CASE("an HTTP answer that has begun is not cut") {
  Outbox outbox;
  outbox.push(http("HTTP/1.1 101 Switching Protocols"));
  outbox.consume(5);
  outbox.push(chunk({{1, "event"}}));
  outbox.drop_unwritten();
  CHECK(waiting(outbox) == "1.1 101 Switching Protocols");
}

TEST_CASE("dropping from an empty outbox does nothing") {
  Outbox outbox;
  outbox.drop_unwritten();
  CHECK(outbox.empty());
  CHECK(outbox.bytes() == 0);
}
