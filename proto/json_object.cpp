#include "proto/json_object.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <malloc.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "proto/types.h"
#include "proto/wipe.h"

namespace trestle {
namespace {

using Kind = JsonMember::Kind;
constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                            rapidjson::kParseNumbersAsStringsFlag;

/// RapidJSON puts strings together in a stack of its own, and one of them may be a token.
struct WipingAllocator {
  [[maybe_unused]] static constexpr bool kNeedFree = true;  // what RapidJSON asks of an allocator
  static void* Malloc(std::size_t size) { return size == 0 ? nullptr : std::malloc(size); }
  static void* Realloc(void* old, std::size_t old_size, std::size_t size) {
    void* block = Malloc(size);
    if (block != nullptr && old != nullptr) std::memcpy(block, old, std::min(old_size, size));
    Free(old);
    return block;
  }
  static void Free(void* block) noexcept {
    if (block == nullptr) return;
    wipe(static_cast<char*>(block), ::malloc_usable_size(block));
    std::free(block);
  }
};
using Reader = rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, WipingAllocator>;

/// Collects the members of the outermost object; what they hold is only bounded, not kept.
class Collector : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Collector> {
 public:
  Collector(std::string_view text, const rapidjson::MemoryStream& stream, std::vector<JsonMember>& members)
      : text_(text), stream_(stream), members_(members) {}

  bool too_deep() const { return too_deep_; }
  bool is_object() const { return is_object_; }

  bool Key(const char* name, rapidjson::SizeType size, bool) {
    if (depth_ != 1) return true;
    name_.assign(name, size);
    value_start_ = stream_.Tell();
    return true;
  }
  bool Null() { return scalar(Kind::null, {}); }
  bool Bool(bool) { return scalar(Kind::boolean, {}); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    return scalar(Kind::number, {text, size});
  }
  bool String(const char* text, rapidjson::SizeType size, bool) { return scalar(Kind::string, {text, size}); }
  bool StartObject() {
    if (depth_ == 0) is_object_ = true;
    return open();
  }
  bool StartArray() { return open(); }
  // RapidJSON reports an end before it takes the bracket.
  bool EndObject(rapidjson::SizeType) { return close(Kind::object); }
  bool EndArray(rapidjson::SizeType) { return close(Kind::array); }

 private:
  bool open() {
    too_deep_ = ++depth_ > JsonObject::kMaxDepth;
    return !too_deep_;
  }
  bool close(Kind kind) {
    if (--depth_ == 1) add(kind, {}, stream_.Tell() + 1);
    return true;
  }
  bool scalar(Kind kind, std::string_view text) {
    if (depth_ == 1) add(kind, text, stream_.Tell());
    return true;
  }
  void add(Kind kind, std::string_view text, std::size_t end) {
    if (!is_object_) return;
    // Between a name and its value stand one colon and white space only.
    const std::size_t start = text_.find_first_not_of(" \t\r\n:", value_start_);
    members_.push_back({name_, kind, std::string(text), text_.substr(start, end - start)});
  }

  std::string_view text_;
  const rapidjson::MemoryStream& stream_;
  std::vector<JsonMember>& members_;
  std::string name_;
  std::size_t value_start_ = 0;
  std::size_t depth_ = 0;
  bool is_object_ = false;
  bool too_deep_ = false;
};

/// What is wrong with `text` as one JSON object; its members up to there go to `members`.
std::string read_members(std::string_view text, std::vector<JsonMember>& members) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  Collector collector(text, stream, members);
  Reader reader;
  const auto result = reader.Parse<kFlags>(stream, collector);
  if (collector.too_deep())
    return "nested more than " + std::to_string(JsonObject::kMaxDepth) + " levels deep";
  if (result.IsError()) {
    return "not JSON: byte " + std::to_string(result.Offset()) + ": " +
           rapidjson::GetParseError_En(result.Code());
  }
  if (stream.Tell() != text.size()) return "not JSON: byte " + std::to_string(stream.Tell()) + ": a NUL";
  return collector.is_object() ? "" : "not a JSON object";
}

/// The element of an array, or null when the raw text (already known to be good JSON) is none.
rapidjson::Document array_of(std::string_view raw) {
  rapidjson::Document document;
  // kParseIterativeFlag: the depth is bounded already, but recursion would still be the stack's business.
  document.Parse<rapidjson::kParseIterativeFlag>(raw.data(), raw.size());
  return document;
}

bool is_integer(const rapidjson::Value& value) {
  return value.IsUint64() && value.GetUint64() < kIntegerLimit;
}

bool is_range(const rapidjson::Value& value) {
  return value.IsArray() && value.Size() == 2 && is_integer(value[0]) && is_integer(value[1]) &&
         value[0].GetUint64() <= value[1].GetUint64();
}

}  // namespace

JsonObject::JsonObject(std::string_view text) {
  error_ = read_members(text, members_);
  // Sorted: comparing each with each, a message of a hundred thousand members would take half a minute.
  std::vector<std::string_view> names;
  names.reserve(members_.size());
  for (const auto& member : members_) names.push_back(member.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) fail('"' + std::string(*twice) + "\" occurs twice");
}

void JsonObject::fail(std::string message) {
  if (error_.empty()) error_ = std::move(message);
}

void JsonObject::refuse(std::string_view name, std::string_view what) {
  std::string message = "\"";
  message.append(name).append("\" must be ").append(what);
  fail(std::move(message));
}

const JsonMember* JsonObject::find(std::string_view name) const {
  for (const JsonMember& member : members_) {
    if (member.name == name) return &member;
  }
  return nullptr;
}

const JsonMember* JsonObject::need(std::string_view name, Kind kind, std::string_view what) {
  const JsonMember* member = find(name);
  if (member && member->kind == kind) return member;
  refuse(name, what);
  return nullptr;
}

std::string JsonObject::string(std::string_view name) {
  const JsonMember* member = need(name, Kind::string, "a string");
  return member ? member->text : std::string();
}

bool JsonObject::boolean(std::string_view name) {
  const JsonMember* member = need(name, Kind::boolean, "true or false");
  return member && member->raw == "true";
}

std::uint64_t JsonObject::integer(std::string_view name) {
  constexpr std::string_view kWhat = "an integer from 0 to 2^53 - 1";
  const JsonMember* member = need(name, Kind::number, kWhat);
  if (!member) return 0;
  std::uint64_t value = 0;
  const char* end = member->text.data() + member->text.size();
  const auto [stop, fault] = std::from_chars(member->text.data(), end, value);
  if (fault == std::errc() && stop == end && value < kIntegerLimit) return value;
  refuse(name, kWhat);
  return 0;
}

std::vector<std::string> JsonObject::strings(std::string_view name) {
  constexpr std::string_view kWhat = "an array of strings";
  std::vector<std::string> out;
  const JsonMember* member = need(name, Kind::array, kWhat);
  if (!member) return out;
  const rapidjson::Document array = array_of(member->raw);
  for (const auto& item : array.GetArray()) {
    if (!item.IsString()) {
      refuse(name, kWhat);
      return {};
    }
    out.emplace_back(item.GetString(), item.GetStringLength());
  }
  return out;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> JsonObject::ranges(std::string_view name) {
  constexpr std::string_view kWhat = "an array of [from, to], integers from 0 to 2^53 - 1 with from <= to";
  std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
  const JsonMember* member = need(name, Kind::array, kWhat);
  if (!member) return out;
  const rapidjson::Document array = array_of(member->raw);
  for (const auto& item : array.GetArray()) {
    if (!is_range(item)) {
      refuse(name, kWhat);
      return {};
    }
    out.emplace_back(item[0].GetUint64(), item[1].GetUint64());
  }
  return out;
}

std::string JsonObject::raw(std::string_view name) {
  const JsonMember* member = find(name);
  if (!member) refuse(name, "given");
  return member ? std::string(member->raw) : std::string();
}

}  // namespace trestle
