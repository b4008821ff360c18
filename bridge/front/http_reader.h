#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace trestle {

/// A request as it came; header names are matched without regard to case.
class HttpRequest {
 public:
  virtual ~HttpRequest() = default;
  virtual const std::string& method() const = 0;
  virtual const std::string& target() const = 0;
  /// Empty if absent; several lines of one name are joined with ", ".
  virtual const std::string& header(const std::string& name) const = 0;
  virtual const std::string& body() const = 0;
};

/// Collects one HTTP/1.x request from bytes as they come. Trestle answers one request a connection, so what
/// follows the request is not looked at.
///
/// Bound: 16,000 bytes of header and `max_body` of body. Thread: the shard's.
class HttpReader {
 public:
  explicit HttpReader(std::size_t max_body);
  ~HttpReader();

  /// 0: more bytes are needed. 200: request() is whole. Else the status to answer with: 400, 411, 413, 431.
  int feed(std::string_view bytes);
  const HttpRequest& request() const;
  /// The bytes as they came, with what followed the header in the same packet, to hand them on to the
  /// WebSocket library.
  std::string take_raw();

 private:
  int parse(std::string_view bytes);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trestle
