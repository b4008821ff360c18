#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bridge/config/settings.h"

namespace trestle {

/// What is wrong with a value, in words that say what would be right; nothing if all is well.
using Problem = std::optional<std::string>;

/// One key of the configuration, tied to the member that it sets. The tree of them is the only list of keys
/// there is: reading a file, reading the environment and printing all walk it.
///
/// Owner: whoever asked for it; valid while the settings it is tied to stay where they are.
struct Key {
  enum class Shape {
    value,   ///< one scalar
    values,  ///< a list of scalars
    map,     ///< further keys
    maps,    ///< a list of maps
  };
  std::string name;
  Shape shape = Shape::value;
  bool quote = false;          ///< printed in quotes: free text, which could look like a number or a list
  bool secret = false;         ///< value: printed as ***
  bool path = false;           ///< value: relative to the file's folder
  bool omit_if_empty = false;  ///< value, values: not printed when empty
  bool may_be_empty = true;    ///< maps: a file may give a list without items
  std::size_t most = 0;        ///< maps: items; bounds what a file can cost
  bool one_is_enough = false;  ///< maps: may be written as one map; the environment sets the first

  std::function<Problem(const std::string&)> set;  ///< value; values: adds one
  std::function<std::vector<std::string>()> get;   ///< value: none if unset; values: all
  std::function<void()> clear;                     ///< values, maps: forgets what there is
  std::function<std::vector<Key>()> keys;          ///< map
  std::function<std::vector<Key>()> add;           ///< maps: one more; its keys, until the next is added
  std::function<std::vector<std::vector<Key>>()> items;  ///< maps: the keys of each
};
using Keys = std::vector<Key>;

/// Settings on their way in: the list at the file's top level that listeners inherit is still apart.
struct Draft {
  Settings settings;
  std::vector<EndpointSettings> endpoints;
};
/// What holds when nothing is configured.
Draft default_draft();

/// All keys, in the order in which they are documented and printed.
Keys keys_of(Draft& draft);

}  // namespace trestle
