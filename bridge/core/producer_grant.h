#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "proto/pattern.h"

namespace trestle {

/// What the holder of a producer's key may do; immutable, any thread.
struct ProducerGrant {
  std::string name;              ///< for people
  std::vector<std::string> ids;  ///< producer ids, the last character may be `*` for any end; empty: any id
  std::vector<Pattern> topics;   ///< what it may publish; empty: everything

  bool allows_id(std::string_view id) const {
    return ids.empty() || std::any_of(ids.begin(), ids.end(), [id](const std::string& allowed) {
             if (allowed.back() != '*') return id == allowed;
             return id.substr(0, allowed.size() - 1) ==
                    std::string_view(allowed).substr(0, allowed.size() - 1);
           });
  }
  bool allows_topic(std::string_view topic) const { return topics.empty() || any_matches(topics, topic); }
  /// A refused id or topic, and whose it was, for the person who looks for the culprit.
  std::string tell(std::string_view what) const { return "the key of " + name + ": " + std::string(what); }
};

}  // namespace trestle
