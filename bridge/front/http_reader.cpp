#include "bridge/front/http_reader.h"

#include <cstdlib>
#include <utility>
#include <websocketpp/http/request.hpp>

#include "bridge/front/request_head.h"

namespace trestle {
namespace {

using websocketpp::http::max_header_size;
constexpr std::string_view kEndOfLine = "\r\n";

}  // namespace

struct HttpReader::Impl final : HttpRequest {
  // The parser refuses a body over its limit as soon as it has the header, so with 0 it never keeps any.
  explicit Impl(std::size_t max) : max_body(max) { request.set_max_body_size(0); }

  const std::string& method() const override { return request.get_method(); }
  const std::string& target() const override { return request.get_uri(); }
  const std::string& header(const std::string& name) const override { return request.get_header(name); }
  bool has(const std::string& name) const { return request.get_headers().count(name) > 0; }

  const std::size_t max_body;
  std::string raw;
  std::size_t checked = 0;  // of raw: whole lines
  RequestHead head;
  websocketpp::http::parser::request request;
  bool has_body = false;
  std::string_view fault;
};

HttpReader::HttpReader(std::size_t max_body) : impl_(std::make_unique<Impl>(max_body)) {}
HttpReader::~HttpReader() = default;

int HttpReader::feed(std::string_view bytes) {
  impl_->raw.append(bytes);
  const int status = check_lines();
  return status == 200 ? parse() : status;
}

// 200 once the last line is there.
int HttpReader::check_lines() {
  const std::string_view raw = impl_->raw;
  auto& begin = impl_->checked;
  while (true) {
    const auto end = raw.find(kEndOfLine, begin);
    const bool whole = end != raw.npos;
    if ((whole ? end + kEndOfLine.size() : raw.size()) > max_header_size) {
      return refuse(431, "more than 16,000 bytes of header");
    }
    if (!whole) return 0;
    const auto line = raw.substr(begin, end - begin);
    if (const auto fault = impl_->head.find_fault(line); !fault.empty()) return refuse(400, fault);
    begin = end + kEndOfLine.size();
    if (line.empty()) return 200;
  }
}

int HttpReader::refuse(int status, std::string_view fault) {
  impl_->fault = fault;
  return status;
}

int HttpReader::parse() {
  using websocketpp::http::status_code::request_entity_too_large;
  auto& request = impl_->request;
  // The parser wants a Host from everybody, but HTTP/1.0 knows none.
  const bool has_host = impl_->head.has_host();
  const std::string_view rest = has_host ? "\r\n" : "Host: unknown\r\n\r\n";
  try {
    request.consume(impl_->raw.data(), impl_->checked - kEndOfLine.size());
    request.consume(rest.data(), rest.size());
  } catch (const websocketpp::http::exception& error) {
    const int status = error.m_error_code;
    if (status != request_entity_too_large) return refuse(status, "a header that is not HTTP, or too long");
  } catch (const std::exception&) {
    return refuse(400, "a header that is not HTTP");
  }
  if (!has_host) request.remove_header("Host");
  return parse_length();
}

int HttpReader::parse_length() {
  const auto& length = impl_->header("Content-Length");
  const bool has_length = impl_->has("Content-Length");
  const bool has_encoding = impl_->has("Transfer-Encoding");
  if (has_length && (length.empty() || length.find_first_not_of("0123456789") != length.npos)) {
    return refuse(400, "a Content-Length that is no number");
  }
  if (has_encoding && (has_length || impl_->head.is_http_1_0())) {
    return refuse(400, "a Transfer-Encoding beside a Content-Length, or in HTTP/1.0");
  }
  // A number too big for the type is its largest.
  const auto bytes = std::strtoull(length.c_str(), nullptr, 10);
  impl_->has_body = has_encoding || bytes > 0;
  return bytes > impl_->max_body ? refuse(413, "a body over limits.body") : 200;
}

std::string_view HttpReader::fault() const { return impl_->fault; }

const HttpRequest& HttpReader::request() const { return *impl_; }

bool HttpReader::has_body() const { return impl_->has_body; }

std::string HttpReader::take_raw() { return std::move(impl_->raw); }

}  // namespace trestle
