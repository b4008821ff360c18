#include "tests/unit/proto/schemas.h"

#include <doctest/doctest.h>
#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "proto/event.h"
#include "proto/notice.h"
#include "proto/reject.h"
#include "proto/topic.h"

namespace trestle {
namespace {

const std::string kEnd = ".schema.json";

/// Finds the schemas that others refer to by file name.
class Schemas : public rapidjson::IRemoteSchemaDocumentProvider {
 public:
  const rapidjson::SchemaDocument* GetRemoteDocument(const char* uri, rapidjson::SizeType) override {
    // The size given is one too small (RapidJSON 1.1); the text is a whole "name.schema.json#".
    const std::string name = uri;
    return &get(name.substr(0, name.find(kEnd)));
  }
  const rapidjson::SchemaDocument& get(const std::string& name) {
    auto& schema = schemas_[name];
    if (!schema) {
      const rapidjson::Document document = parsed(schema_file(name + kEnd));
      schema = std::make_unique<rapidjson::SchemaDocument>(document, this);
    }
    return *schema;
  }

 private:
  std::map<std::string, std::unique_ptr<rapidjson::SchemaDocument>> schemas_;
};

std::string text_of(const rapidjson::Pointer& pointer) {
  rapidjson::StringBuffer buffer;
  pointer.StringifyUriFragment(buffer);
  return buffer.GetString();
}

rapidjson::Document sample(const std::string& name) {
  return parsed(schema_file("samples/" + name + ".json"));
}

struct Mutation {
  std::string schema;
  std::string pointer;
  std::string json;  // empty: the value is taken out
};

/// The sample with one value changed.
std::string fault_of_mutated(const Mutation& mutation) {
  rapidjson::Document value = sample(mutation.schema);
  const rapidjson::Pointer pointer(mutation.pointer.c_str());
  REQUIRE(pointer.Get(value));
  if (mutation.json.empty()) {
    pointer.Erase(value);
  } else {
    rapidjson::Document other(&value.GetAllocator());
    other.Parse(mutation.json.c_str());
    pointer.Set(value, other);
  }
  return schema_fault(mutation.schema, value);
}

// At least one for each schema: what a strict schema must not let through.
const Mutation kMutations[] = {
    {"queue-update", "/compressionRunning", "-1"},
    {"queue-update", "/uploadActive", "\"yes\""},
    {"queue-update", "/uploadQueuedConfigs", ""},
    {"queue-update", "/compressionRunningConfigs/0/id", ""},
    {"queue-update", "/uploadRunningConfigs/0/nyuuCommandOutput/exitCode", "\"0\""},
    {"queue-update", "/compressionQueuedConfigs/1/rarCommandOutput/lastKnownProgress", "101"},
    {"command-progress", "/currentStep", "\"RAR\""},
    {"command-progress", "/percentage", "100.01"},
    {"command-progress", "/percentage", "-0.5"},
    {"command-progress", "/percentage", "\"45\""},
    {"command-progress", "/id", ""},
    {"command-progress", "/type", "\"command-progress-percentage\""},
    {"task-finished", "/taskConfig", ""},
    {"task-finished", "/taskConfig/name", "null"},
    {"task-finished", "/taskConfig/parCommandOutput/output", ""},
    {"task-config", "/status", "\"\""},
    {"task-config", "/sourceFiles/0/size", "1.5"},
    {"task-config", "/taskSettings/parSettings/redundancy", "10"},
    {"agent_execution_started", "/timestamp", "\"noon\""},
    {"agent_execution_started", "/agent_id", "\"\""},
    {"agent_execution_completed", "/duration_ms", "-1"},
    {"streaming_output", "/is_complete", "0"},
    {"streaming_output", "/content", ""},
    {"artifact_published", "/artifact_type", ""},
    {"artifact_published", "/correlation_id", "1"},
    {"graph_updated", "/nodes/0/id", ""},
    {"graph_updated", "/edges/0/target", ""},
    {"sys.producer", "/state", "\"dead\""},
    {"sys.producer", "/id", "\"a.b\""},
    {"sys.producer", "/epoch", "9007199254740992"},
    {"sys.rejected", "/reason", "\"none\""},
    {"sys.rejected", "/count", "0"},
    {"sys.health", "/state", "\"fine\""},
    {"welcome", "/data/epoch", "1"},
    {"welcome", "/data/epoch", "\"0x1\""},
    {"welcome", "/data/session", ""},
    {"live", "/data/offset", "\"1044\""},
    {"live", "/success", "false"},
    {"cursor", "/data/type", "\"live\""},
    {"drain", "/data/after_ms", "-1"},
    {"gap", "/data/reason", "\"unknown\""},
    {"gap", "/data/epoch", ""},
    {"gap", "/data/seq_from", "0"},
};

}  // namespace

std::string schema_file(const std::string& name) {
  std::ifstream file(std::string(TRESTLE_SOURCE_DIR) + "/proto/schema/" + name);
  REQUIRE_MESSAGE(file, name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

rapidjson::Document parsed(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  REQUIRE_MESSAGE(!document.HasParseError(), json);
  return document;
}

std::vector<std::string> schema_names() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(TRESTLE_SOURCE_DIR) + "/proto/schema")) {
    const std::string file = entry.path().filename().string();
    if (file.size() > kEnd.size() && file.substr(file.size() - kEnd.size()) == kEnd) {
      names.push_back(file.substr(0, file.size() - kEnd.size()));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string schema_fault(const std::string& name, const rapidjson::Value& value) {
  static Schemas schemas;
  rapidjson::SchemaValidator validator(schemas.get(name));
  if (value.Accept(validator)) return "";
  return text_of(validator.GetInvalidDocumentPointer()) + " " + validator.GetInvalidSchemaKeyword();
}

TEST_CASE("every schema has a sample that it accepts") {
  CHECK(schema_names().size() == 17);
  for (const auto& name : schema_names()) {
    CAPTURE(name);
    CHECK(schema_fault(name, sample(name)) == "");
  }
}

TEST_CASE("every schema refuses something, and names the place") {
  std::vector<std::string> refused;
  for (const Mutation& mutation : kMutations) {
    CAPTURE(mutation.schema);
    CAPTURE(mutation.pointer);
    CAPTURE(mutation.json);
    const std::string fault = fault_of_mutated(mutation);
    REQUIRE(fault != "");
    const std::string place =
        fault.substr(1, fault.find(' ') - 1);  // the value, or the object it is missing in
    CHECK(mutation.pointer.substr(0, place.size()) == place);
    refused.push_back(mutation.schema);
  }
  refused.erase(std::unique(refused.begin(), refused.end()), refused.end());
  std::sort(refused.begin(), refused.end());
  CHECK(refused == schema_names());
}

TEST_CASE("members that a producer adds are welcome, but not beside success and data") {
  for (const auto& name : schema_names()) {
    rapidjson::Document value = sample(name);
    const bool notice = value.HasMember("success");
    value.AddMember("added", 1, value.GetAllocator());
    CAPTURE(name);
    CHECK((schema_fault(name, value) == "") == !notice);
  }
}

TEST_CASE("the events' samples pass the bridge's own check") {
  auto made = EventChecker::make({}, {});
  EventChecker& checker = *made;
  for (const auto& name : schema_names()) {
    const std::string text = schema_file("samples/" + name + ".json");
    if (name == "task-config" || parsed(text).HasMember("success")) continue;
    CAPTURE(name);
    CHECK(checker.check(text) == Reject::none);
    CHECK(is_reserved_type(checker.type()) == (name.substr(0, 4) == "sys."));
  }
}

TEST_CASE("every reason for refusal may stand in $sys.rejected") {
  for (std::size_t i = 1; i < kRejectCount; ++i) {
    rapidjson::Document value = sample("sys.rejected");
    const std::string reason(name_of(static_cast<Reject>(i)));
    value["reason"].SetString(reason.c_str(), value.GetAllocator());
    CAPTURE(reason);
    CHECK(schema_fault("sys.rejected", value) == "");
  }
}

TEST_CASE("Trestle's notices are as their schemas say") {
  using std::chrono::milliseconds;
  CHECK(schema_fault("welcome", parsed(welcome_notice("123", 0, "s-1", milliseconds(30000)))) == "");
  CHECK(schema_fault("live", parsed(live_notice("123", 7))) == "");
  CHECK(schema_fault("cursor", parsed(cursor_notice("123", kIntegerLimit - 1))) == "");
  CHECK(schema_fault("drain", parsed(drain_notice(milliseconds(2000), milliseconds(-5)))) == "");
  for (const auto reason : {GapReason::trimmed, GapReason::epoch, GapReason::lost, GapReason::dropped}) {
    Gap gap;
    gap.reason = reason;
    gap.epoch = "123";
    CHECK(schema_fault("gap", parsed(gap_notice(gap))) == "");
    gap.from = 1, gap.to = 2, gap.producer = "me", gap.seq_from = 3, gap.seq_to = 4, gap.topic = "a.b",
    gap.count = 2;
    CHECK(schema_fault("gap", parsed(gap_notice(gap))) == "");
  }
}

}  // namespace trestle
