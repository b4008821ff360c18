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

Result<JwtKey> load_key(const JwtKeySettings& settings, bool insecure) {
  auto content = read_small_file(settings.file);
  if (!content) return Error{settings.place + content.error().message};
  const auto algorithm = *settings.algorithm;
  const auto at = settings.place + settings.file.string() + " ";
  if (auto fault = fault_of(settings.file, is_hmac(algorithm), insecure)) return Error{at + *fault};
  if (!is_hmac(algorithm)) {
    auto key = JwtKey::from_pem(settings.kid, algorithm, *content);
    if (!key) return Error{at + key.error().message};
    return key;
  }
  auto key = JwtKey::from_secret(settings.kid, algorithm, secret_of(std::move(*content)), insecure);
  if (!key) return Error{at + key.error().message};
  return key;
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
  std::vector<JwtKey> keys;
  for (const auto& wanted : settings.keys) {
    auto key = load_key(wanted, settings.insecure);
    if (!key) return key.error();
    keys.push_back(std::move(*key));
  }
  if (settings.jwks_file.empty()) return JwtKeys(std::move(keys));
  auto set = load_jwks(settings);
  if (!set) return set.error();
  for (auto& key : *set) {
    const auto twin = [&](const JwtKey& other) { return same_name(key, other); };
    if (std::any_of(keys.begin(), keys.end(), twin)) {
      return Error{settings.jwks_place + settings.jwks_file.string() + ": " +
                   (key.kid().empty() ? "two keys without a kid have one algorithm: each needs a kid"
                                      : "two keys have the kid \"" + key.kid() + "\": each needs its own")};
    }
    keys.push_back(std::move(key));
  }
  return JwtKeys(std::move(keys));
}

const JwtKey* JwtKeys::find(std::string_view kid, JwtAlgorithm algorithm) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const auto& key) {
    return key.kid() == kid && key.algorithm() == algorithm;
  });
  return found == keys_.end() ? nullptr : &*found;
}

const JwtKey* JwtKeys::stand_in(JwtAlgorithm algorithm) const {
  const auto found =
      std::find_if(keys_.begin(), keys_.end(), [&](const auto& key) { return key.algorithm() == algorithm; });
  return found == keys_.end() ? nullptr : &*found;
}

bool JwtKeys::has(std::string_view fingerprint) const {
  return std::any_of(keys_.begin(), keys_.end(),
                     [&](const auto& key) { return key.fingerprint() == fingerprint; });
}

std::vector<std::filesystem::path> files_of(const JwtSettings& settings) {
  std::vector<std::filesystem::path> files;
  for (const auto& key : settings.keys) files.push_back(key.file);
  if (!settings.jwks_file.empty()) files.push_back(settings.jwks_file);
  return files;
}

}  // namespace trestle
