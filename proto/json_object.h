#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trestle {

/// One member of a JSON object.
struct JsonMember {
  enum class Kind { null, boolean, number, string, array, object };
  std::string name;  ///< unescaped
  Kind kind = Kind::null;
  std::string text;      ///< a string's content (unescaped), a number as it is written, else empty
  std::string_view raw;  ///< the value as it is written; a view into the text that was read
};

/// Reads small JSON objects, control messages and requests, member by member. The first thing that is wrong
/// is remembered and everything after it answers with an empty value, so a reader of many members checks
/// error() once. A member that occurs twice is an error; members nobody asks for are ignored.
///
/// Bounds: parsed iteratively, at most kMaxDepth levels; the text must outlive the reader.
class JsonObject {
 public:
  static constexpr std::size_t kMaxDepth = 64;
  explicit JsonObject(std::string_view text);

  /// What is wrong, naming the member at fault; empty if nothing is.
  const std::string& error() const { return error_; }
  void fail(std::string message);

  /// The member, also after an error as far as the text could be read; null if there is none.
  const JsonMember* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }

  // Each of these fails if the member is missing or of another kind.
  std::string string(std::string_view name);
  bool boolean(std::string_view name);
  std::uint64_t integer(std::string_view name);  ///< in [0, 2^53)
  std::vector<std::string> strings(std::string_view name);
  /// [[from, to], …], both integers in [0, 2^53) and from <= to.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges(std::string_view name);
  /// The value as it is written; fails if the member is missing.
  std::string raw(std::string_view name);

 private:
  const JsonMember* need(std::string_view name, JsonMember::Kind kind, std::string_view what);
  void refuse(std::string_view name, std::string_view what);

  std::vector<JsonMember> members_;
  std::string error_;
};

}  // namespace trestle
