#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace trestle {

/// RFC 4648 section 5, without padding.
std::string base64url_encode(std::string_view bytes);

/// The reverse, for exactly what base64url_encode() gives: padding, other alphabets, blanks and unused bits
/// that are not zero are refused, so that no two texts stand for the same bytes. Nothing if it is not.
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace trestle
