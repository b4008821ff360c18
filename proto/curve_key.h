#pragma once
#include <string>
#include <string_view>

#include "proto/result.h"

namespace trestle {

/// True for a ZeroMQ CURVE key as text: 40 characters of Z85 that stand for 32 bytes.
bool is_curve_key(std::string_view text);

/// A CURVE key pair, both as Z85.
struct CurveKeys {
  std::string public_key;
  std::string secret_key;  ///< empty: only the public half is known
};

/// What is in a key file. Everything else but comments (from # at a line's start) and empty lines is an
/// error:
///
///     public: rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7
///     secret: JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6
///
/// Errors are one line that begins with the number of the line, and never show a secret.
Result<CurveKeys> parse_curve_keys(std::string_view text);
/// A file's text; only the public half if there is no secret.
std::string print_curve_keys(const CurveKeys& keys, std::string_view comment);

}  // namespace trestle
