#pragma once
#include <cstdint>
#include <string_view>

namespace trestle {

/// CRC-32C (Castagnoli, as in RFC 3720 appendix B.4): crc32c("123456789") is 0xe3069283. `seed` continues an
/// earlier one.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace trestle
