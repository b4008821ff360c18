#include "clients/pipeline/protocol.h"

#include <array>
#include <utility>

#include "clients/pipeline/task_json.h"

namespace trestle::pipeline {
namespace {

using Kind = ToQueue::Kind;
constexpr std::array<std::pair<Kind, std::string_view>, 8> kNames{{{Kind::ready, "ready"},
                                                                   {Kind::heartbeat, "heartbeat"},
                                                                   {Kind::result, "result"},
                                                                   {Kind::bye, "bye"},
                                                                   {Kind::add, "add"},
                                                                   {Kind::pause, "pause"},
                                                                   {Kind::resume, "resume"},
                                                                   {Kind::workers, "workers"}}};
constexpr std::string_view kList = "list";

std::string_view name_of(Kind kind) {
  for (const auto& [known, name] : kNames) {
    if (known == kind) return name;
  }
  return kList;
}

JsonWriter& begin(JsonWriter& json, std::string_view type) {
  return json.object().member("type", type).key("v").integer(1);
}

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).array();
  for (const auto& text : texts) json.text(text);
  json.end_array();
}

std::vector<std::string> texts_in(const rapidjson::Value& object, const char* name) {
  std::vector<std::string> texts;
  const auto* array = member(object, name);
  if (array == nullptr || !array->IsArray()) return texts;
  for (const auto& text : array->GetArray()) {
    if (text.IsString()) texts.emplace_back(view(text));
  }
  return texts;
}

void write_outcome(JsonWriter& json, const Outcome& outcome) {
  json.key("success")
      .boolean(outcome.success)
      .key("retry")
      .boolean(outcome.retry)
      .member("error", outcome.error);
  write_texts(json, "files", outcome.files);
  const auto write = [&](std::string_view name, const std::optional<ToolOutput>& output) {
    if (!output) return;
    json.key(name);
    write_tool_record(json, *output);
  };
  write("compress", outcome.compress);
  write("protect", outcome.protect);
  write("upload", outcome.upload);
}

Outcome read_outcome(const rapidjson::Value& object) {
  Outcome outcome;
  outcome.success = flag_in(object, "success");
  outcome.retry = flag_in(object, "retry");
  outcome.error = text_in(object, "error").value_or("");
  outcome.files = texts_in(object, "files");
  const auto read = [&](const char* name) -> std::optional<ToolOutput> {
    const auto* record = member(object, name);
    if (record == nullptr || !record->IsObject()) return std::nullopt;
    return read_tool_record(*record);
  };
  outcome.compress = read("compress");
  outcome.protect = read("protect");
  outcome.upload = read("upload");
  return outcome;
}

/// The object, or why it is not one of this protocol's messages.
Result<rapidjson::Document> parse(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(json.data(),
                                                                                         json.size());
  if (document.HasParseError())
    return Error{"not JSON, at byte " + std::to_string(document.GetErrorOffset())};
  if (!document.IsObject()) return Error{"not a JSON object"};
  if (integer_in(document, "v") != 1U) return Error{"\"v\" must be 1"};
  if (!text_in(document, "type")) return Error{"\"type\" must be a string"};
  return document;
}

std::optional<Kind> kind_named(std::string_view type) {
  for (const auto& [kind, name] : kNames) {
    if (name == type) return kind;
  }
  if (type == kList) return Kind::list;
  return std::nullopt;
}

bool is_from_worker(Kind kind) {
  return kind == Kind::ready || kind == Kind::heartbeat || kind == Kind::result || kind == Kind::bye;
}
bool has_lease(Kind kind) { return is_from_worker(kind) && kind != Kind::ready; }
bool has_stage(Kind kind) {
  return kind == Kind::ready || kind == Kind::pause || kind == Kind::resume || kind == Kind::workers;
}

}  // namespace

std::string encode(const ToQueue& message) {
  JsonWriter json;
  begin(json, name_of(message.kind));
  if (is_from_worker(message.kind)) json.member("worker", message.worker);
  if (has_lease(message.kind)) json.key("lease").integer(message.lease);
  if (has_stage(message.kind)) json.member("queue", name_of(message.stage));
  if (message.kind == Kind::result) write_outcome(json, message.outcome);
  if (message.kind == Kind::add) write_texts(json, "sources", message.sources);
  if (message.kind == Kind::workers) json.key("count").integer(message.count);
  return json.end_object().take();
}

std::string encode(const ToWorker& message) {
  const bool lease = message.kind == ToWorker::Kind::lease;
  JsonWriter json;
  begin(json, lease ? "lease" : "revoke");
  json.key("lease").integer(message.lease);
  if (lease) {
    json.key("expires_ms").integer(static_cast<std::uint64_t>(message.expires.count())).key("task").object();
    json.member("id", message.task.id)
        .member("name", message.task.name)
        .member("source", message.task.source);
    json.member("work_folder", message.task.work_folder).member("destination", message.task.destination);
    write_texts(json, "files", message.task.files);
    json.end_object();
  }
  return json.end_object().take();
}

Result<ToQueue> decode_to_queue(std::string_view text) {
  const auto document = parse(text);
  if (!document) return document.error();
  const rapidjson::Value& object = *document;
  const std::string type = *text_in(object, "type");
  const auto kind = kind_named(type);
  if (!kind) return Error{"unknown \"type\": " + type};
  ToQueue message;
  message.kind = *kind;
  if (is_from_worker(*kind)) {
    message.worker = text_in(object, "worker").value_or("");
    if (message.worker.empty()) return Error{type + ": \"worker\" must be a string"};
  }
  if (has_lease(*kind)) {
    const auto lease = integer_in(object, "lease");
    if (!lease) return Error{type + ": \"lease\" must be a number"};
    message.lease = *lease;
  }
  if (has_stage(*kind)) {
    const auto stage = parse_stage(text_in(object, "queue").value_or(""));
    if (!stage) return Error{type + ": \"queue\": " + stage.error().message};
    message.stage = *stage;
  }
  if (*kind == Kind::result) message.outcome = read_outcome(object);
  if (*kind == Kind::add) message.sources = texts_in(object, "sources");
  if (*kind == Kind::workers) message.count = integer_in(object, "count").value_or(0);
  return message;
}

Result<ToWorker> decode_to_worker(std::string_view text) {
  const auto document = parse(text);
  if (!document) return document.error();
  const rapidjson::Value& object = *document;
  const std::string type = *text_in(object, "type");
  if (type != "lease" && type != "revoke") return Error{"unknown \"type\": " + type};
  const auto lease = integer_in(object, "lease");
  if (!lease) return Error{type + ": \"lease\" must be a number"};
  ToWorker message;
  message.lease = *lease;
  if (type == "revoke") return message;
  message.kind = ToWorker::Kind::lease;
  message.expires = std::chrono::milliseconds(integer_in(object, "expires_ms").value_or(5000));
  const auto* task = member(object, "task");
  if (task == nullptr || !task->IsObject()) return Error{"lease: \"task\" must be an object"};
  message.task.id = text_in(*task, "id").value_or("");
  message.task.name = text_in(*task, "name").value_or("");
  message.task.source = text_in(*task, "source").value_or("");
  message.task.work_folder = text_in(*task, "work_folder").value_or("");
  message.task.destination = text_in(*task, "destination").value_or("");
  message.task.files = texts_in(*task, "files");
  if (message.task.id.empty() || message.task.name.empty())
    return Error{"lease: the task has no id or no name"};
  return message;
}

std::string added_reply(const std::vector<std::string>& ids) {
  JsonWriter json;
  begin(json, "added");
  write_texts(json, "ids", ids);
  return json.end_object().take();
}

std::string done_reply() {
  JsonWriter json;
  return begin(json, "done").end_object().take();
}

std::string error_reply(std::string_view message) {
  JsonWriter json;
  return begin(json, "error").member("message", message).end_object().take();
}

std::string list_reply(const Listing& listing, const QueuesView& queues) {
  JsonWriter json;
  begin(json, "list");
  json.key("completed").integer(listing.completed).key("failed").integer(listing.failed);
  json.key("unfinished").integer(listing.unfinished).key("queues").raw(queue_update(queues));
  return json.end_object().take();
}

}  // namespace trestle::pipeline
