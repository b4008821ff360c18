#include "bridge/front/http_reader.h"

#include <cstdlib>
#include <utility>
#include <websocketpp/http/request.hpp>

namespace trestle {

struct HttpReader::Impl final : HttpRequest {
  // The parser refuses a body over its limit as soon as it has the header, so with 0 it never keeps any.
  explicit Impl(std::size_t max) : max_body(max) { request.set_max_body_size(0); }

  const std::string& method() const override { return request.get_method(); }
  const std::string& target() const override { return request.get_uri(); }
  const std::string& header(const std::string& name) const override { return request.get_header(name); }

  const std::size_t max_body;
  bool has_body = false;
  websocketpp::http::parser::request request;
  std::string first_line;  // collected until it is whole
  bool past_first_line = false;
  std::string raw;
};

HttpReader::HttpReader(std::size_t max_body) : impl_(std::make_unique<Impl>(max_body)) {}
HttpReader::~HttpReader() = default;

int HttpReader::feed(std::string_view bytes) {
  if (impl_->past_first_line) return parse(bytes);
  auto& text = impl_->first_line.append(bytes);
  const auto end = text.find("\r\n");
  if (end == std::string::npos) return text.size() > websocketpp::http::max_header_size ? 431 : 0;
  impl_->past_first_line = true;
  // The parser wants a Host from everybody, but HTTP/1.0 knows none.
  if (std::string_view(text).substr(0, end).find(" HTTP/1.0") != std::string_view::npos) {
    text.insert(end + 2, "Host: unknown\r\n");
  }
  return parse(std::exchange(text, {}));
}

// The digits at the front were all that is there; a number too big for the type is its largest.
int HttpReader::found_body() {
  impl_->has_body = true;
  if (!impl_->request.get_header("Transfer-Encoding").empty()) return 411;
  const auto length = std::strtoull(impl_->request.get_header("Content-Length").c_str(), nullptr, 10);
  return length > impl_->max_body ? 413 : 200;
}

int HttpReader::parse(std::string_view bytes) {
  using websocketpp::http::status_code::request_entity_too_large;
  auto& request = impl_->request;
  const auto is_number = [&request] {
    return request.get_header("Content-Length").find_first_not_of("0123456789") == std::string::npos;
  };
  try {
    request.consume(bytes.data(), bytes.size());
    // Only an upgrade is handed on, with whatever frames came in the same packet; it has no body, so the
    // first bytes are enough.
    if (impl_->raw.size() <= websocketpp::http::max_header_size) impl_->raw.append(bytes);
    // The parser takes the digits it finds at the front and ignores the rest.
    if (!is_number()) return 400;
    if (!request.ready()) return 0;
  } catch (const websocketpp::http::exception& error) {
    if (error.m_error_code == request_entity_too_large) return is_number() ? found_body() : 400;
    return static_cast<int>(error.m_error_code);
  } catch (const std::exception&) {
    return 400;
  }
  // The parser leaves chunked bodies empty; better to refuse them than to act on half a request.
  if (!request.get_header("Transfer-Encoding").empty()) return 411;
  return 200;
}

const HttpRequest& HttpReader::request() const { return *impl_; }

bool HttpReader::has_body() const { return impl_->has_body; }

std::string HttpReader::take_raw() { return std::move(impl_->raw); }

}  // namespace trestle
