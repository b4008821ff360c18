#include "proto/redaction.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <cstdint>
#include <set>
#include <utility>

namespace trestle {
namespace {

// As the check of events has it: what that took, this takes too.
constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;

using Pointers = std::vector<std::vector<PointerToken>>;
using Mask = std::uint64_t;  // a set of pointers, by number
static_assert(Redaction::kMaxPointers <= 64);

bool leads_to(const PointerToken& token, std::string_view name) {
  return token.name == "*" || token.name == name;
}
bool leads_to(const PointerToken& token, std::uint64_t index) {
  return token.name == "*" || token.index == index;
}

/// SAX handler that copies a document without what the pointers lead to.
class Walk : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Walk> {
 public:
  Walk(const Pointers& pointers, std::string_view json)
      : pointers_(pointers), json_(json), stream_(json.data(), json.size()) {}

  /// False if it is not JSON.
  bool run() {
    rapidjson::Reader reader;
    // A NUL looks like the end to RapidJSON.
    if (reader.Parse<kFlags>(stream_, *this).IsError() || stream_.Tell() != json_.size()) return false;
    replace(json_.size(), json_.size(), {});
    return true;
  }
  std::string take_result() { return std::move(result_); }
  bool is_ambiguous() const { return is_ambiguous_; }

  // Called by RapidJSON: after a name and a scalar, before a bracket.
  bool Default() {
    leave(ends_at(target()), stream_.Tell());
    return true;
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    Level& in = levels_.back();
    if (in.below == 0) return true;
    const std::string_view name(text, size);
    next_ = step(in.below, name);
    if (next_ != 0 && !in.names.emplace(name).second) is_ambiguous_ = true;
    if (std::exchange(in.comma_goes, false)) {
      const auto after = json_.find(',', in.end) + 1;
      replace(in.end, after, {});
      in.end = after;
    }
    return true;
  }
  bool StartObject() { return open(false); }
  bool StartArray() { return open(true); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }

 private:
  struct Level {
    Mask below;  // the pointers that lead into it
    bool array;
    bool goes;                    // all of it
    std::size_t end;              // of what is through: its bracket, or a value, or the comma behind that
    bool has_members;             // of those through, some stay
    bool comma_goes;              // with the first member
    std::uint64_t elements;       // met so far
    std::set<std::string> names;  // met so far, of those on the way
  };

  template <class NameOrIndex>
  Mask step(Mask from, NameOrIndex to) const {
    Mask reached = 0;
    const auto depth = levels_.size() - 1;
    for (std::size_t i = 0; i < pointers_.size(); ++i) {
      const Mask one = Mask{1} << i;
      if ((from & one) != 0 && leads_to(pointers_[i][depth], to)) reached |= one;
    }
    return reached;
  }
  /// The pointers that lead to or through the value that starts now.
  Mask target() {
    if (levels_.empty()) return ~Mask{0};
    Level& in = levels_.back();
    if (!in.array) return std::exchange(next_, 0);
    return in.below == 0 ? 0 : step(in.below, in.elements++);
  }
  bool ends_at(Mask reached) const {
    if (reached == 0) return false;
    for (std::size_t i = 0; i < pointers_.size(); ++i) {
      if ((reached >> i & 1) != 0 && pointers_[i].size() == levels_.size()) return true;
    }
    return false;
  }
  bool open(bool array) {
    const Mask reached = target();
    const bool goes = ends_at(reached);
    levels_.push_back({goes ? 0 : reached, array, goes, stream_.Tell() + 1, false, false, 0, {}});
    return true;
  }
  bool close() {
    const bool goes = levels_.back().goes;
    levels_.pop_back();
    leave(goes, stream_.Tell() + 1);
    return true;
  }
  /// A value is through.
  void leave(bool goes, std::size_t end) {
    if (levels_.empty()) return;
    Level& in = levels_.back();
    if (goes && in.array) {
      replace(json_.find_first_not_of(" \t\r\n,", in.end), end, "null");
    } else if (goes) {
      replace(in.end, end, {});
      in.comma_goes = !in.has_members;
    } else {
      in.has_members = true;
    }
    in.end = end;
  }
  /// Places rise from call to call.
  void replace(std::size_t from, std::size_t to, std::string_view with) {
    result_.append(json_, copied_, from - copied_).append(with);
    copied_ = to;
  }

  const Pointers& pointers_;
  const std::string_view json_;
  rapidjson::MemoryStream stream_;
  std::vector<Level> levels_;
  Mask next_ = 0;  // where the name that was read last leads to
  std::string result_;
  std::size_t copied_ = 0;
  bool is_ambiguous_ = false;
};

}  // namespace

Result<Redaction> Redaction::make(const std::vector<std::string>& pointers) {
  if (pointers.size() > kMaxPointers) {
    return Error{std::to_string(pointers.size()) + " JSON pointers, at most " + std::to_string(kMaxPointers) +
                 " are possible"};
  }
  Pointers split;
  for (const auto& pointer : pointers) {
    auto tokens = split_pointer(pointer);
    if (!tokens) return tokens.error();
    split.push_back(std::move(*tokens));
  }
  return Redaction(std::move(split));
}

std::optional<std::string> Redaction::apply(std::string_view json) const {
  Walk walk(pointers_, json);
  if (!walk.run()) return std::nullopt;
  return walk.take_result();
}

bool Redaction::is_ambiguous(std::string_view json) const {
  Walk walk(pointers_, json);
  return walk.run() && walk.is_ambiguous();
}

}  // namespace trestle
