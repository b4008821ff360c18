#pragma once
#include <rapidjson/document.h>
#include <rapidjson/schema.h>

#include <string>
#include <vector>

namespace trestle {

/// The text of a file below the repository's proto/schema; fails the test if it can't be read.
std::string schema_file(const std::string& name);
rapidjson::Document parsed(const std::string& json);
/// The names before ".schema.json".
std::vector<std::string> schema_names();

/// Empty if `value` is as the schema called `name` says, else where and by which keyword it is not.
std::string schema_fault(const std::string& name, const rapidjson::Value& value);

}  // namespace trestle
