#pragma once
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace trestle {

/// The signatures of JWTs that are understood (RFC 7518, RFC 8037). `none` is not among them.
enum class JwtAlgorithm {
  hs256,
  hs384,
  hs512,
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  es512,
  eddsa
};

/// Each with its name in a token's header (`alg`), in JWKS files and in the configuration.
inline constexpr std::array<std::pair<std::string_view, JwtAlgorithm>, 13> kJwtAlgorithms{{
    {"HS256", JwtAlgorithm::hs256},
    {"HS384", JwtAlgorithm::hs384},
    {"HS512", JwtAlgorithm::hs512},
    {"RS256", JwtAlgorithm::rs256},
    {"RS384", JwtAlgorithm::rs384},
    {"RS512", JwtAlgorithm::rs512},
    {"PS256", JwtAlgorithm::ps256},
    {"PS384", JwtAlgorithm::ps384},
    {"PS512", JwtAlgorithm::ps512},
    {"ES256", JwtAlgorithm::es256},
    {"ES384", JwtAlgorithm::es384},
    {"ES512", JwtAlgorithm::es512},
    {"EdDSA", JwtAlgorithm::eddsa},
}};

/// Nothing for any other text; case counts.
constexpr std::optional<JwtAlgorithm> jwt_algorithm_of(std::string_view name) {
  for (const auto& [known, algorithm] : kJwtAlgorithms) {
    if (known == name) return algorithm;
  }
  return std::nullopt;
}

constexpr std::string_view name_of(JwtAlgorithm wanted) {
  for (const auto& [name, algorithm] : kJwtAlgorithms) {
    if (algorithm == wanted) return name;
  }
  return {};
}

}  // namespace trestle
