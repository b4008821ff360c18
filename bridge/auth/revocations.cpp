#include "bridge/auth/revocations.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "bridge/auth/token_file.h"
#include "bridge/auth/yaml_entry.h"
#include "bridge/store/private_file.h"

namespace trestle {
namespace {

void read_ids(const YAML::Node& node, Revocations& out) {
  if (!node.IsSequence()) throw BadEntry{node.Mark(), "jti must be a list of token ids, for example [7d2c]"};
  for (const auto& id : node) out.ids.insert(scalar(id, "a jti"));
}

void read_times(const YAML::Node& node, Revocations& out) {
  if (!node.IsMap()) {
    throw BadEntry{node.Mark(), "issued_before must be a map, for example {alice: 2027-01-01T00:00:00Z}"};
  }
  for (const auto& member : node) {
    const auto subject = scalar(member.first, "a subject");
    const auto time = time_of(member.second, "the time of \"" + subject + "\"");
    if (!out.issued_before.emplace(subject, time).second) {
      throw BadEntry{member.first.Mark(), '"' + subject + "\" is there twice"};
    }
  }
}

Revocations read(const YAML::Node& root) {
  Revocations revocations;
  if (root.IsNull()) return revocations;
  if (!root.IsMap())
    throw BadEntry{root.Mark(), "a file of revoked tokens has the keys jti and issued_before"};
  std::set<std::string> seen;
  for (const auto& member : root) {
    const auto key = scalar(member.first, "a key");
    if (!seen.insert(key).second) throw BadEntry{member.first.Mark(), '"' + key + "\" is there twice"};
    if (key != "jti" && key != "issued_before") {
      throw BadEntry{member.first.Mark(), "unknown key \"" + key + "\" (jti, issued_before)"};
    }
    if (member.second.IsNull()) continue;
    if (key == "jti") {
      read_ids(member.second, revocations);
    } else {
      read_times(member.second, revocations);
    }
  }
  return revocations;
}

}  // namespace

bool Revocations::hold(const TokenOrigin& token) const {
  if (token.kind != TokenOrigin::Kind::jwt) return false;
  if (!token.id.empty() && ids.count(token.id) != 0) return true;
  const auto too_old = [&](const std::string& subject) {
    const auto entry = issued_before.find(subject);
    return entry != issued_before.end() && (!token.issued || *token.issued < entry->second);
  };
  return too_old(token.subject) || too_old(kEverybody);
}

void Revocations::add(const Revocations& other) {
  ids.insert(other.ids.begin(), other.ids.end());
  for (const auto& [subject, time] : other.issued_before) {
    auto& before = issued_before[subject];
    before = std::max(before, time);
  }
}

Result<std::optional<Revocations>> find_revocations(const std::filesystem::path& file) {
  std::error_code unknown;
  if (!std::filesystem::exists(file, unknown) && !unknown) return std::optional<Revocations>();
  const auto text = read_small_file(file);
  if (!text) return text.error();
  if (const auto fault = fault_of_rules(file)) return Error{file.string() + " " + *fault};
  auto revocations = read_yaml<Revocations>(file, *text, read);
  if (!revocations) return revocations.error();
  return std::optional<Revocations>(std::move(*revocations));
}

Result<Revocations> load_revocations(const std::filesystem::path& file) {
  auto found = find_revocations(file);
  if (!found) return found.error();
  return found->value_or(Revocations{});
}

Result<std::monostate> save_revocations(const std::filesystem::path& file, const Revocations& revocations) {
  YAML::Emitter out;
  out << YAML::Comment("JWTs that are worth nothing any more; see `trestle token revoke --help`.")
      << YAML::BeginMap << YAML::Key << "jti" << YAML::Value << YAML::BeginSeq;
  for (const auto& id : revocations.ids) out << YAML::DoubleQuoted << id;
  out << YAML::EndSeq << YAML::Key << "issued_before" << YAML::Value << YAML::BeginMap;
  for (const auto& [subject, time] : revocations.issued_before) {
    out << YAML::Key << YAML::DoubleQuoted << subject << YAML::Value << format_time(time);
  }
  out << YAML::EndMap << YAML::EndMap;
  if (out.size() >= kMaxSmallFile) {
    return Error{"cannot write " + file.string() +
                 ": it would be over 1 MiB, which trestled does not read: take ids out whose tokens have "
                 "expired by now, or revoke many at once with --subject and --issued-before"};
  }
  return write_public_file(file, std::string(out.c_str()) + "\n");
}

}  // namespace trestle
