#include "bridge/auth/token_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <ctime>
#include <set>

#include "bridge/auth/yaml_entry.h"
#include "bridge/core/rights.h"
#include "bridge/store/private_file.h"

namespace trestle {
namespace {

constexpr Micros kSecond = 1'000'000;
constexpr const char* kTimeFormat = "%Y-%m-%dT%H:%M:%SZ";

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::vector<std::string> scopes_of(const YAML::Node& node) {
  if (!node.IsSequence()) throw BadEntry{node.Mark(), "scopes must be a list, for example [read]"};
  std::vector<std::string> scopes;
  for (const auto& scope : node) scopes.push_back(scalar(scope, "a scope"));
  if (const auto rights = parse_scopes(scopes, "someone"); !rights)
    throw BadEntry{node.Mark(), rights.error().message};
  return scopes;
}

// False if there is no such key.
bool set_member(TokenRecord& record, const std::string& key, const YAML::Node& value) {
  if (key == "name") {
    record.name = scalar(value, key);
  } else if (key == "sha256") {
    record.sha256_hex = scalar(value, key);
    if (!is_sha256(record.sha256_hex))
      throw BadEntry{value.Mark(), "sha256 must be 64 lower-case hex digits"};
  } else if (key == "scopes") {
    record.scopes = scopes_of(value);
  } else if (key == "created") {
    record.created = time_of(value, key);
  } else if (key == "expires") {
    record.expires = time_of(value, key);
  } else {
    return false;
  }
  return true;
}

TokenRecord record_of(const YAML::Node& node) {
  if (!node.IsMap()) throw BadEntry{node.Mark(), "a token must be a map with name, sha256 and scopes"};
  TokenRecord record;
  std::set<std::string> seen;
  for (const auto& member : node) {
    const auto key = scalar(member.first, "a key");
    if (!seen.insert(key).second) throw BadEntry{member.first.Mark(), '"' + key + "\" is there twice"};
    // The parser's place of an empty value is the next line.
    if (member.second.IsNull()) throw BadEntry{member.first.Mark(), key + " has no value"};
    if (!set_member(record, key, member.second))
      throw BadEntry{member.first.Mark(),
                     "unknown key \"" + key + "\" (name, sha256, scopes, created, expires)"};
  }
  if (record.name.empty() || record.sha256_hex.empty())
    throw BadEntry{node.Mark(), "a token needs a name and a sha256"};
  return record;
}

std::vector<TokenRecord> records_of(const YAML::Node& root) {
  std::vector<TokenRecord> records;
  if (root.IsNull()) return records;
  if (!root.IsMap() || root.size() != 1 || !root["tokens"])
    throw BadEntry{root.Mark(), "a token file has one key, tokens"};
  const auto list = root["tokens"];
  if (list.IsNull()) return records;
  if (!list.IsSequence()) throw BadEntry{list.Mark(), "tokens must be a list"};
  for (const auto& node : list) {
    auto record = record_of(node);
    const auto same = [&](const TokenRecord& other) {
      return other.name == record.name || other.sha256_hex == record.sha256_hex;
    };
    if (std::any_of(records.begin(), records.end(), same)) {
      throw BadEntry{node.Mark(), "token \"" + record.name + "\" is there twice (by name or by hash)"};
    }
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace

Result<std::vector<TokenRecord>> load_token_file(const std::filesystem::path& path, bool settled) {
  const auto text = read_small_file(path);
  if (!text) return text.error();
  if (const auto fault = fault_of_secret(path)) return Error{path.string() + " " + *fault};
  if (!settled && text->empty()) return Error{path.string() + " is empty while it is being changed"};
  return read_yaml(path, *text, records_of);
}

Result<std::monostate> save_token_file(const std::filesystem::path& path,
                                       const std::vector<TokenRecord>& records) {
  YAML::Emitter out;
  out << YAML::Comment(
             "Trestle's tokens, by hash. Made and changed by `trestle token`; trestled reads it again when "
             "it changes.")
      << YAML::BeginMap << YAML::Key << "tokens" << YAML::Value << YAML::BeginSeq;
  for (const auto& record : records) {
    out << YAML::BeginMap << YAML::Key << "name" << YAML::Value << YAML::DoubleQuoted << record.name
        << YAML::Key << "sha256" << YAML::Value << record.sha256_hex << YAML::Key << "scopes" << YAML::Value
        << YAML::Flow << YAML::BeginSeq;
    for (const auto& scope : record.scopes) out << YAML::DoubleQuoted << scope;
    out << YAML::EndSeq << YAML::Key << "created" << YAML::Value << format_time(record.created);
    if (record.expires) out << YAML::Key << "expires" << YAML::Value << format_time(*record.expires);
    out << YAML::EndMap;
  }
  out << YAML::EndSeq << YAML::EndMap;
  if (out.size() >= kMaxSmallFile) {
    return Error{
        "cannot write " + path.string() +
        ": it would be over 1 MiB, which trestled does not read: revoke tokens that have expired or that "
        "nobody uses (trestle token list, trestle token revoke --name NAME)"};
  }
  return write_private_file(path, std::string(out.c_str()) + "\n");
}

std::string format_time(Micros time) {
  const auto seconds = static_cast<std::time_t>(time / kSecond);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  return {text, std::strftime(text, sizeof text, kTimeFormat, &utc)};
}

std::optional<Micros> parse_time(const std::string& text) {
  std::tm utc{};
  const char* end = strptime(text.c_str(), kTimeFormat, &utc);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const auto time = Micros{timegm(&utc)} * kSecond;
  if (format_time(time) != text) return std::nullopt;  // strptime also takes 30 February and stray blanks
  return time;
}

}  // namespace trestle
