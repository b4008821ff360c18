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
};

/// Collects the header of one HTTP/1.x request from bytes as they come. Trestle answers one request a
/// connection, and no path takes a body: what follows the header is not looked at, nor kept.
///
/// Bound: 16,000 bytes. Thread: the shard's.
class HttpReader {
 public:
  explicit HttpReader(std::size_t max_body);
  ~HttpReader();

  /// 0: more bytes are needed. 200: request() is whole. Else the status to answer with: 400, 413 (the header
  /// says that more than `max_body` follows), 431.
  int feed(std::string_view bytes);
  /// What is wrong with it, when feed() said so: a few words for people, none of them the client's.
  std::string_view fault() const;
  const HttpRequest& request() const;
  /// The header says that a body follows. One in chunks has no Content-Length.
  bool has_body() const;
  /// The bytes as they came, with what followed the header in the same packet, to hand them on to the
  /// WebSocket library.
  std::string take_raw();

 private:
  int check_lines();
  int parse();
  int parse_length();
  int refuse(int status, std::string_view fault);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trestle
