#include "proto/request.h"

#include <algorithm>
#include <array>
#include <utility>

#include "proto/json_object.h"
#include "proto/json_text.h"
#include "proto/topic.h"

namespace trestle {
namespace {

constexpr std::size_t kMaxId = 128;
constexpr std::array<std::pair<std::string_view, Request::Kind>, 6> kKinds = {{
    {"subscribe", Request::Kind::subscribe},
    {"unsubscribe", Request::Kind::unsubscribe},
    {"auth", Request::Kind::auth},
    {"ping", Request::Kind::ping},
    {"status", Request::Kind::status},
    {"command", Request::Kind::command},
}};

bool is_id(const JsonMember& member) {
  return member.kind == JsonMember::Kind::string || member.kind == JsonMember::Kind::number;
}

/// The id, also of a text that is wrong elsewhere, so that the client can tell which request failed.
std::string id_of(const JsonObject& in) {
  const JsonMember* id = in.find("id");
  return id && is_id(*id) && id->raw.size() <= kMaxId ? std::string(id->raw) : std::string();
}

void check_id(JsonObject& in) {
  const JsonMember* id = in.find("id");
  if (!id) return;
  if (!is_id(*id)) in.fail("\"id\" must be a string or a number");
  if (id->raw.size() > kMaxId) in.fail("\"id\" must be at most " + std::to_string(kMaxId) + " bytes");
}

std::string unknown_type(const std::string& type) {
  std::string known;
  for (const auto& [name, kind] : kKinds) known.append(known.empty() ? "" : ", ").append(name);
  return "there is no request \"" + type + "\"; the known ones are " + known;
}

Result<std::vector<Pattern>> parse_each(const std::vector<std::string>& texts) {
  std::vector<Pattern> patterns;
  for (const std::string& text : texts) {
    auto pattern = Pattern::parse(text);
    if (!pattern) return pattern.error();
    patterns.push_back(std::move(*pattern));
  }
  return patterns;
}

/// Reads one request; the code of the error tells what the fault lies in.
class RequestReader {
 public:
  explicit RequestReader(std::string_view text) : in_(text) { request_.id = id_of(in_); }

  Result<Request, RequestError> read() {
    check_id(in_);
    const std::string type = in_.string("type");
    if (!in_.error().empty()) return error("bad_request", in_.error());
    const auto known =
        std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& k) { return k.first == type; });
    if (known == kKinds.end()) return error("unknown_request", unknown_type(type));
    request_.kind = known->second;
    const std::string topic_fault = read_members();
    if (!in_.error().empty()) return error("bad_request", in_.error());
    if (!topic_fault.empty()) return error("bad_topic", topic_fault);
    return std::move(request_);
  }

 private:
  RequestError error(std::string code, std::string message) const {
    return {request_.id, std::move(code), std::move(message)};
  }

  /// Returns what is wrong with a topic; any other fault is in in_.
  std::string read_members() {
    switch (request_.kind) {
      case Request::Kind::subscribe:
        if (in_.has("since")) request_.since = in_.string("since");
        return read_topics();
      case Request::Kind::unsubscribe: return read_topics();
      case Request::Kind::auth:
        request_.token = in_.string("token");
        if (request_.token.empty()) in_.fail("\"token\" must not be empty");
        return {};
      case Request::Kind::command: return read_command();
      case Request::Kind::ping:
      case Request::Kind::status: return {};
    }
    return {};
  }

  std::string read_command() {
    request_.topic = in_.string("topic");
    request_.data = in_.has("data") ? in_.raw("data") : "null";
    return is_topic(request_.topic) ? ""
                                    : "\"topic\" must be a topic: segments of A-Z a-z 0-9 _ - joined by dots";
  }

  std::string read_topics() {
    const JsonMember* topics = in_.find("topics");
    if (!topics || (topics->kind != JsonMember::Kind::string && topics->kind != JsonMember::Kind::array)) {
      in_.fail("\"topics\" must be an array of patterns or one comma-separated string");
      return {};
    }
    auto patterns = topics->kind == JsonMember::Kind::string ? parse_patterns(topics->text) : parse_array();
    if (!patterns) return patterns.error().message;
    if (patterns->empty()) in_.fail("\"topics\" must hold at least one pattern");
    request_.topics = std::move(*patterns);
    return {};
  }

  Result<std::vector<Pattern>> parse_array() {
    const std::vector<std::string> texts = in_.strings("topics");
    if (texts.size() > kMaxPatterns)
      in_.fail("\"topics\" must hold at most " + std::to_string(kMaxPatterns) + " patterns");
    return in_.error().empty() ? parse_each(texts) : std::vector<Pattern>();
  }

  JsonObject in_;
  Request request_;
};

}  // namespace

Result<Request, RequestError> parse_request(std::string_view text) { return RequestReader(text).read(); }

std::string reply(std::string_view type, std::string_view id, std::string_view members) {
  std::string out = R"({"success":true,"data":{"type":)";
  append_json_string(out, type);
  if (!id.empty()) out.append(",\"id\":").append(id);
  if (!members.empty()) out.append(1, ',').append(members);
  return out.append("}}");
}

std::string error_reply(const RequestError& error) {
  std::string out = R"({"success":false,"data":{"type":"error","code":)";
  append_json_string(out, error.code);
  append_json_string(out.append(",\"message\":"), error.message);
  if (!error.id.empty()) out.append(",\"id\":").append(error.id);
  return out.append("}}");
}

}  // namespace trestle
