#include "proto/message.h"

#include <doctest/doctest.h>

#include <string>

using namespace trestle;

namespace {
const std::string kStamp = [] {
  const auto bytes = encode(Stamp{10, 20, 30});
  return std::string(bytes.data(), bytes.size());
}();
Published decoded;
Reject decode(const std::vector<std::string_view>& frames) { return decode_message(frames, decoded); }
}  // namespace

TEST_CASE("one frame is a payload") {
  CHECK(decode({"{}"}) == Reject::none);
  CHECK(decoded.topic.empty());
  CHECK(decoded.producer.empty());
  CHECK_FALSE(decoded.stamp);
  CHECK(decoded.payload == "{}");
}

TEST_CASE("two frames are topic and payload; the topic may be empty") {
  CHECK(decode({"a.b", "{}"}) == Reject::none);
  CHECK(decoded.topic == "a.b");
  CHECK(decoded.payload == "{}");
  CHECK_FALSE(decoded.stamp);
  CHECK(decode({"", "{}"}) == Reject::none);
  CHECK(decoded.topic.empty());
}

TEST_CASE("four frames are topic, producer, stamp and payload") {
  CHECK(decode({"", "me-1", kStamp, "{}"}) == Reject::none);
  CHECK(decoded.topic.empty());
  CHECK(decoded.producer == "me-1");
  REQUIRE(decoded.stamp);
  CHECK(decoded.stamp->epoch == 10);
  CHECK(decoded.stamp->seq == 20);
  CHECK(decoded.stamp->time == 30);
  CHECK(decoded.payload == "{}");
}

TEST_CASE("any other number of frames is refused") {
  CHECK(decode({}) == Reject::frame_count);
  CHECK(decode({"a", "b", "{}"}) == Reject::frame_count);
  CHECK(decode({"a", "b", kStamp, "{}", ""}) == Reject::frame_count);
}

TEST_CASE("a bad producer or stamp is refused") {
  CHECK(decode({"", "", kStamp, "{}"}) == Reject::bad_producer);
  CHECK(decode({"", "a.b", kStamp, "{}"}) == Reject::bad_producer);
  CHECK(decode({"", std::string(65, 'a'), kStamp, "{}"}) == Reject::bad_producer);
  CHECK_FALSE(decoded.stamp);
  CHECK(decode({"", "me", kStamp.substr(1), "{}"}) == Reject::bad_stamp);
  CHECK_FALSE(decoded.stamp);
  CHECK(decode({"", "me", std::string(24, '\0'), "{}"}) == Reject::bad_stamp);
  CHECK_FALSE(decoded.stamp);
}

TEST_CASE("of a stamp with a bad time the rest is there") {
  CHECK(decode({"", "me", kStamp.substr(0, 16) + std::string(8, '\0'), "{}"}) == Reject::bad_stamp);
  REQUIRE(decoded.stamp);
  CHECK(decoded.producer == "me");
  CHECK(decoded.stamp->epoch == 10);
  CHECK(decoded.stamp->seq == 20);
}

TEST_CASE("nothing of an earlier message stays") {
  CHECK(decode({"a", "me", kStamp, "{}"}) == Reject::none);
  CHECK(decode({"[]"}) == Reject::none);
  CHECK(decoded.topic.empty());
  CHECK(decoded.producer.empty());
  CHECK_FALSE(decoded.stamp);
}
