#include "bridge/auth/jwt_keys.h"

#include <algorithm>
#include <optional>

#include "bridge/auth/jwks.h"
#include "bridge/store/private_file.h"

namespace trestle {
namespace {

/// What is wrong with the file's mode, unless it is meant.
std::optional<std::string> fault_of(const std::filesystem::path& file, bool is_secret, bool insecure) {
  if (insecure) return std::nullopt;
  auto fault = is_secret ? fault_of_secret(file) : fault_of_rules(file);
  if (fault) *fault += "; or say auth.jwt.insecure: true if it is meant";
  return fault;
}

/// A text's line end is not part of the secret; a file with other bytes is taken as it is.
std::string secret_of(std::string content) {
  const auto is_text = [](char c) { return (c >= ' ' && c < 0x7f) || c == '\r' || c == '\n'; };
  if (!std::all_of(content.begin(), content.end(), is_text)) return content;
  if (!content.empty() && content.back() == '\n') content.pop_back();
  if (!content.empty() && content.back() == '\r') content.pop_back();
  return content;
}

Result<std::vector<JwtKey>> load_key(const JwtKeySettings& settings, bool insecure) {
  auto content = read_small_file(settings.file);
  if (!content) return Error{settings.place + content.error().message};
  const auto algorithm = *settings.algorithm;
  const auto at = settings.place + settings.file.string() + " ";
  if (auto fault = fault_of(settings.file, is_hmac(algorithm), insecure)) return Error{at + *fault};
  auto key = is_hmac(algorithm)
                 ? JwtKey::from_secret(settings.kid, algorithm, secret_of(std::move(*content)), insecure)
                 : JwtKey::from_pem(settings.kid, algorithm, *content);
  if (!key) return Error{at + key.error().message};
  return std::vector{std::move(*key)};
}

Result<std::vector<JwtKey>> load_jwks(const JwtSettings& settings) {
  const auto content = read_small_file(settings.jwks_file);
  if (!content) return Error{settings.jwks_place + content.error().message};
  const auto at = settings.jwks_place + settings.jwks_file.string() + ": ";
  auto keys = parse_jwks(*content, settings.insecure);
  if (!keys) return Error{at + keys.error().message};
  if (keys->empty()) return Error{at + "holds no key for signatures that Trestle knows"};
  const bool secret =
      std::any_of(keys->begin(), keys->end(), [](const auto& key) { return key.is_secret(); });
  if (auto fault = fault_of(settings.jwks_file, secret, settings.insecure)) {
    return Error{settings.jwks_place + settings.jwks_file.string() + " " + *fault};
  }
  return keys;
}

bool same_name(const JwtKey& a, const JwtKey& b) {
  return a.kid() == b.kid() && (!a.kid().empty() || a.algorithm() == b.algorithm());
}

}  // namespace

Result<JwtKeys> JwtKeys::load(const JwtSettings& settings) {
  std::string faults;
  auto keys = JwtKeys().reload(settings, faults);
  if (!faults.empty()) return Error{std::move(faults)};
  return keys;
}

JwtKeys JwtKeys::reload(const JwtSettings& settings, std::string& faults) const {
  faults.clear();
  JwtKeys next;
  for (const auto& wanted : settings.keys) next.put(load_key(wanted, settings.insecure), *this, faults);
  if (!settings.jwks_file.empty()) next.put(next.read_set(settings), *this, faults);
  return next;
}

// The set, if it has no key that these have too.
Result<JwtKeys::Keys> JwtKeys::read_set(const JwtSettings& settings) const {
  auto set = load_jwks(settings);
  if (!set) return set;
  for (auto key = set->begin(); key != set->end(); ++key) {
    const auto twin = [&](const JwtKey& other) { return same_name(*key, other); };
    if (first(twin) == nullptr && std::none_of(set->begin(), key, twin)) continue;
    return Error{settings.jwks_place + settings.jwks_file.string() + ": " +
                 (key->kid().empty() ? "two keys without a kid have one algorithm: each needs a kid"
                                     : "two keys have the kid \"" + key->kid() + "\": each needs its own")};
  }
  return set;
}

// The next file's keys: what was read, or with a fault those before.
void JwtKeys::put(Result<Keys> read, const JwtKeys& before, std::string& faults) {
  if (read) {
    files_.push_back(std::move(*read));
    return;
  }
  faults += (faults.empty() ? "" : "; ") + read.error().message;
  const auto index = files_.size();
  files_.push_back(index < before.files_.size() ? before.files_[index] : Keys{});
}

template <class Is>
const JwtKey* JwtKeys::first(Is is) const {
  for (const auto& keys : files_) {
    const auto found = std::find_if(keys.begin(), keys.end(), is);
    if (found != keys.end()) return &*found;
  }
  return nullptr;
}

bool JwtKeys::empty() const {
  return std::all_of(files_.begin(), files_.end(), [](const Keys& keys) { return keys.empty(); });
}

const JwtKey* JwtKeys::find(std::string_view kid, JwtAlgorithm algorithm) const {
  return first([&](const JwtKey& key) { return key.kid() == kid && key.algorithm() == algorithm; });
}

const JwtKey* JwtKeys::stand_in(JwtAlgorithm algorithm) const {
  return first([&](const JwtKey& key) { return key.algorithm() == algorithm; });
}

bool JwtKeys::has(std::string_view fingerprint) const {
  return first([&](const JwtKey& key) { return key.fingerprint() == fingerprint; }) != nullptr;
}

std::vector<std::filesystem::path> files_of(const JwtSettings& settings) {
  std::vector<std::filesystem::path> files;
  for (const auto& key : settings.keys) files.push_back(key.file);
  if (!settings.jwks_file.empty()) files.push_back(settings.jwks_file);
  return files;
}

}  // namespace trestle
