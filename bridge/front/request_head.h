#pragma once
#include <string_view>

namespace trestle {

/// Checks the head of an HTTP/1 request (RFC 9112), line by line and before anything else reads it: no line
/// that a proxy in front may understand otherwise than we do, or requests could be smuggled past it.
///
/// Thread: its owner's.
class RequestHead {
 public:
  /// What is wrong with the next line, given without its CRLF: a few words for people, without any of the
  /// line's. Empty if nothing is. The first one is the request line; the empty one, which is the last, is
  /// part of it.
  std::string_view find_fault(std::string_view line);

  /// After the first line.
  bool is_http_1_0() const { return http_1_0_; }
  /// So far.
  bool has_host() const { return has_host_; }

 private:
  std::string_view fault_of_request_line(std::string_view line);
  std::string_view fault_of_field(std::string_view line);
  std::string_view fault_of_end() const;

  bool past_request_line_ = false;
  bool http_1_0_ = false;
  bool has_host_ = false;
};

}  // namespace trestle
