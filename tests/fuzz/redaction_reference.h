#pragma once
#include <rapidjson/document.h>

#include <algorithm>
#include <string>
#include <vector>

#include "proto/json_pointer.h"

namespace trestle {

/// What a redaction's pointer does, on RapidJSON's document model; to every member of a name that is there
/// twice.
inline void remove_from(rapidjson::Value& from, const std::vector<PointerToken>& tokens, std::size_t at = 0) {
  const auto& token = tokens[at];
  const bool last = at + 1 == tokens.size();
  if (from.IsObject()) {
    for (auto member = from.MemberBegin(); member != from.MemberEnd();) {
      const std::string name(member->name.GetString(), member->name.GetStringLength());
      const bool here = token.name == "*" || token.name == name;
      if (here && !last) remove_from(member->value, tokens, at + 1);
      member = here && last ? from.EraseMember(member) : member + 1;
    }
  } else if (from.IsArray()) {
    for (rapidjson::SizeType i = 0; i < from.Size(); ++i) {
      if (token.name != "*" && token.index != i) continue;
      if (last) {
        from[i].SetNull();
      } else {
        remove_from(from[i], tokens, at + 1);
      }
    }
  }
}

/// Equal, and members in the same order, which == does not ask for; takes names that are there twice.
inline bool same_document(const rapidjson::Value& a, const rapidjson::Value& b) {
  if (a.IsObject() && b.IsObject()) {
    return std::equal(
        a.MemberBegin(), a.MemberEnd(), b.MemberBegin(), b.MemberEnd(),
        [](const auto& x, const auto& y) { return x.name == y.name && same_document(x.value, y.value); });
  }
  if (a.IsArray() && b.IsArray()) return std::equal(a.Begin(), a.End(), b.Begin(), b.End(), same_document);
  return a == b;
}

}  // namespace trestle
