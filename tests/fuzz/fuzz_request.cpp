// A client's request; whatever comes in, what goes back is JSON that repeats the id.
#include <string>

#include "proto/json_text.h"
#include "proto/request.h"
#include "proto/topic.h"
#include "tests/fuzz/json_reference.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/must.h"

using namespace trestle;

namespace {

void check_answer(const std::string& answer, const std::string& id, bool success) {
  rapidjson::Document document;
  MUST(parse_reference(answer, document));
  MUST(document["success"].GetBool() == success);
  const auto& body = document["data"];
  MUST(body["type"].IsString() && body.HasMember("id") == !id.empty());
  rapidjson::Document expected;
  if (!id.empty()) MUST(parse_reference(id, expected) && body["id"] == expected);
}

void check_request(const Request& request, std::string_view text) {
  rapidjson::Document document;
  MUST(parse_reference(text, document) && document.IsObject() && document["type"].IsString());
  MUST(document.HasMember("id") == !request.id.empty());
  rapidjson::Document data;
  switch (request.kind) {
    case Request::Kind::subscribe:
    case Request::Kind::unsubscribe:
      MUST(!request.topics.empty() && request.topics.size() <= kMaxPatterns);
      break;
    case Request::Kind::auth: MUST(!request.token.empty()); break;
    case Request::Kind::command: MUST(is_topic(request.topic) && parse_reference(request.data, data)); break;
    case Request::Kind::ping:
    case Request::Kind::status: break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  const auto request = parse_request(text);
  if (request) {
    check_request(*request, text);
    check_answer(reply("pong", request->id, "\"topics\":[]"), request->id, true);
  } else {
    MUST(!request.error().code.empty() && !request.error().message.empty());
    check_answer(error_reply(request.error()), request.error().id, false);
  }
  std::string quoted;
  append_json_string(quoted, text);
  rapidjson::Document document;
  MUST(parse_reference(quoted, document) && document.IsString());
  return 0;
}
