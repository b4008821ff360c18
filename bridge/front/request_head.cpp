#include "bridge/front/request_head.h"

#include <algorithm>
#include <cctype>

namespace trestle {
namespace {

// RFC 9110 section 5.6.2.
bool is_token_char(unsigned char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return c < 0x80 && (std::isalnum(c) != 0 || kMarks.find(static_cast<char>(c)) != kMarks.npos);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_host(std::string_view name) {
  constexpr std::string_view kHost = "host";
  return std::equal(name.begin(), name.end(), kHost.begin(), kHost.end(),
                    [](unsigned char a, char b) { return std::tolower(a) == b; });
}

// Bytes above ASCII are let through: browsers of long ago sent them, and what they mean is decided elsewhere.
bool is_target(std::string_view text) {
  return !text.empty() &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

}  // namespace

std::string_view RequestHead::find_fault(std::string_view line) {
  if (line.find_first_of(std::string_view("\0\r\n", 3)) != line.npos) return "a NUL, CR or LF in a line";
  if (!past_request_line_) return fault_of_request_line(line);
  return line.empty() ? fault_of_end() : fault_of_field(line);
}

std::string_view RequestHead::fault_of_request_line(std::string_view line) {
  past_request_line_ = true;
  const auto method = line.substr(0, line.find(' '));
  const auto version = line.substr(line.rfind(' ') + 1);
  const auto around = method.size() + version.size() + 2;  // with the spaces
  http_1_0_ = version == "HTTP/1.0";
  const bool good = is_token(method) && (http_1_0_ || version == "HTTP/1.1") && line.size() > around &&
                    is_target(line.substr(method.size() + 1, line.size() - around));
  return good ? "" : "the first line is not METHOD TARGET HTTP/1.1";
}

std::string_view RequestHead::fault_of_field(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return "a header that goes on in a second line";
  const auto colon = line.find(':');
  if (colon == line.npos) return "a header without a colon";
  const auto name = line.substr(0, colon);
  if (!is_token(name)) return "a header without a proper name, or with a space before its colon";
  if (!is_host(name)) return "";
  if (has_host_) return "more than one Host";
  has_host_ = true;
  return line.find_first_not_of(" \t", colon + 1) == line.npos ? "an empty Host" : "";
}

std::string_view RequestHead::fault_of_end() const { return has_host_ || http_1_0_ ? "" : "no Host"; }

}  // namespace trestle
