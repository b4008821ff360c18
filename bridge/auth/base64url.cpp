#include "bridge/auth/base64url.h"

#include <openssl/evp.h>

namespace trestle {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string standard_alphabet(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = c == '-' ? '+' : c == '_' ? '/' : c;
  return out;
}

}  // namespace

std::string base64url_encode(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const auto length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  for (auto& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  if (text.find_first_not_of(kAlphabet) != std::string_view::npos) return std::nullopt;
  const auto missing = (4 - text.size() % 4) % 4;
  const auto padded = standard_alphabet(text) + std::string(missing, '=');
  std::string bytes(padded.size() / 4 * 3, '\0');
  const auto length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(padded.data()), static_cast<int>(padded.size()));
  if (length < 0 || missing == 3) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(length) - missing);
  if (base64url_encode(bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace trestle
