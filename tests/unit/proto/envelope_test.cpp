#include "proto/envelope.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {
std::string form(Form which, std::string_view payload, const Meta& meta = {}) {
  std::string out = "before";
  append_form(out, which, payload, meta);
  CHECK(out.size() - 6 == form_size(which, payload.size(), meta));
  CHECK(out.substr(0, 6) == "before");
  return out.substr(6);
}
const std::string kPayload = "{ \"type\" : \"a\",\n\"n\":1.0e+2 }";  // not as any serialiser would write it
}  // namespace

TEST_CASE("a bare event is the producer's bytes") { CHECK(form(Form::bare, kPayload) == kPayload); }

TEST_CASE("an envelope has success and data, with the producer's bytes within") {
  CHECK(form(Form::envelope, kPayload) == R"({"success":true,"data":)" + kPayload + "}");
}

TEST_CASE("with meta it says where the event stands") {
  CHECK(form(Form::meta, "{}", {"task.7", 12, 1761912000123456, false}) ==
        R"({"success":true,"data":{},"meta":{"topic":"task.7","offset":12,"time":1761912000123456}})");
  CHECK(form(Form::meta, "{}", {"task.7", 12, 34, true}) ==
        R"({"success":true,"data":{},"meta":{"topic":"task.7","offset":12,"time":34,"replay":true}})");
}

TEST_CASE("sizes are right for integers of every length") {
  Offset offset = 0;
  for (int digits = 0; digits < 19; ++digits, offset = offset * 10 + 9) {
    form(Form::meta, "{}", {"t", offset, static_cast<Micros>(offset), digits % 2 == 0});
  }
  form(Form::meta, "{}", {"t", ~Offset{0}, INT64_MIN, false});
}
