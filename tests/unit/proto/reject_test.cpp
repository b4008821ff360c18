#include "proto/reject.h"

#include <doctest/doctest.h>

#include <set>

#include "proto/close_code.h"

using namespace trestle;

TEST_CASE("every reason for refusal has a name of its own") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kRejectCount; ++i) names.insert(name_of(static_cast<Reject>(i)));
  CHECK(names.size() == kRejectCount);
  CHECK(names.count("") == 0);
}

TEST_CASE("the names are those of the enumeration") {
  CHECK(name_of(Reject::none) == "none");
  CHECK(name_of(Reject::frame_count) == "frame_count");
  CHECK(name_of(Reject::invalid_utf8) == "invalid_utf8");
  CHECK(name_of(Reject::duplicate_member) == "duplicate_member");
  CHECK(name_of(Reject::bad_topic) == "bad_topic");
  CHECK(name_of(Reject::topic_mismatch) == "topic_mismatch");
  CHECK(name_of(Reject::seq_range) == "seq_range");
  CHECK(name_of(Reject::bad_control) == "bad_control");
  CHECK(name_of(Reject::count_) == "unknown");
}

TEST_CASE("every close code has a reason that fits into a close frame") {
  std::set<std::string_view> reasons;
  for (const int code : {1000, 1001, 1009, 1011, 4400, 4401, 4403, 4408, 4409, 4429}) {
    const auto reason = reason_of(static_cast<CloseCode>(code));
    CHECK(!reason.empty());
    CHECK(reason.size() <= 123);
    reasons.insert(reason);
  }
  CHECK(reasons.size() == 10);
  CHECK(reason_of(CloseCode::unauthorized) == "no valid token");
}
